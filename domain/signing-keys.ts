/**
 * When the delegated signing keys are made, sign and go: one ES256 key a tenant, purpose and UTC day (SECURITY.md section 8). Pure rules;
 * a key is never used before verifiers can know it, nor dropped while a token under it lives.
 */

/** Those that rotate by the day; receipts are another matter. */
export const ROTATED_PURPOSES = ['access_token', 'id_token'] as const;
export type RotatedPurpose = (typeof ROTATED_PURPOSES)[number];

/** `rotated`: its last token has died long ago. `emergency`: taken away at once, with every token under it. */
export const SIGNING_KEY_RETIRE_REASONS = ['rotated', 'emergency'] as const;
export type SigningKeyRetireReason = (typeof SIGNING_KEY_RETIRE_REASONS)[number];

const DAY_MS = 24 * 3_600_000;
/** Ten minutes: ours asks for 60 s, but a verifier's library may keep a JWKS for so long by itself. */
export const PUBLISHED_AHEAD_MS = 10 * 60_000;
/**
 * So long after a successor began to sign, a key is still published. Tokens under it are dead within a quarter of an hour; the rest of
 * the day is for a process that cannot open the successor because the KMS is away, and so goes on with this one.
 */
export const KEPT_MS = DAY_MS;

export interface RotatedKey {
  readonly keyId: string;
  readonly activeFromMs: number;
}

export interface RotationPlan {
  /** When each new key begins to sign. */
  readonly make: readonly number[];
  /** Ids. */
  readonly retire: readonly string[];
}

/** What is to be done about the keys of one tenant and purpose that are not retired. Doing it twice does nothing more. */
export function planRotation(keys: readonly RotatedKey[], nowMs: number): RotationPlan {
  const today = startOfDay(nowMs);
  const isThereFor = (dayMs: number) =>
    keys.some(({ activeFromMs }) => startOfDay(activeFromMs) === dayMs);
  const isAnyDue = keys.some(({ activeFromMs }) => activeFromMs <= nowMs);
  const make: number[] = [];
  // The first of all signs at once: there is no verifier yet that could know another.
  if (!isAnyDue) make.push(nowMs);
  else if (!isThereFor(today) && startOfDay(nowMs + PUBLISHED_AHEAD_MS) === today)
    make.push(nowMs + PUBLISHED_AHEAD_MS);
  const tomorrow = today + DAY_MS;
  if (!isThereFor(tomorrow)) make.push(Math.max(tomorrow, nowMs + PUBLISHED_AHEAD_MS));
  const retire = keys
    .filter((key) =>
      keys.some(
        ({ activeFromMs }) => activeFromMs > key.activeFromMs && activeFromMs + KEPT_MS <= nowMs,
      ),
    )
    .map(({ keyId }) => keyId);
  return { make, retire };
}

function startOfDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}
