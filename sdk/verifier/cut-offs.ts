/**
 * What a service knows of cut-offs, and since when it knows no more. It must never let a token in that was cut off, nor any when its
 * knowledge is old: not to know is to refuse.
 */
import type { TokenClaims } from './access-token.ts';

/** As the feed tells it. */
export type CutOff = { readonly id: string; readonly at: string } & (
  | { readonly kind: 'customer'; readonly minimumEpoch: number }
  | { readonly kind: 'session' | 'signing_key' }
  | { readonly kind: 'device' | 'client'; readonly issuedUpTo: number }
);

/** As long as the feed tells of it, and as any token it cuts off could live. */
export const REMEMBERED_SECONDS = 1_200;
const MAX_REMEMBERED = 1_000_000;
const PRUNE_EVERY_MS = 60_000;

export interface CutOffs {
  apply(cutOffs: readonly CutOff[]): void;
  /** Everything committed before that time of the issuer's database was applied. */
  upToDateAt(asOfMs: number): void;
  isCurrent(): boolean;
  isCutOff(claims: TokenClaims, keyId: string): boolean;
}

export function createCutOffs(options: {
  readonly nowMs: () => number;
  /** Older knowledge, or knowledge from a clock that runs so far ahead, is none. */
  readonly maxAgeMs: number;
}): CutOffs {
  const { nowMs, maxAgeMs } = options;
  const known = new Map<string, CutOff>();
  let asOfMs = Number.NEGATIVE_INFINITY;
  let prunedAtMs = nowMs();

  const keep = (cutOff: CutOff): void => {
    const key = `${cutOff.kind} ${cutOff.id}`;
    const before = known.get(key);
    // Told in any order, and more than once: the stricter stands.
    if (before !== undefined && strictness(before) >= strictness(cutOff)) return;
    known.set(key, cutOff);
  };
  const prune = (): void => {
    prunedAtMs = nowMs();
    for (const [key, { at }] of known)
      if (Date.parse(at) < prunedAtMs - REMEMBERED_SECONDS * 1_000) known.delete(key);
  };
  return {
    apply: (cutOffs) => {
      for (const cutOff of cutOffs) keep(cutOff);
      if (nowMs() - prunedAtMs > PRUNE_EVERY_MS) prune();
    },
    upToDateAt: (toldAsOfMs) => {
      asOfMs = toldAsOfMs;
    },
    isCurrent: () => known.size <= MAX_REMEMBERED && Math.abs(nowMs() - asOfMs) <= maxAgeMs,
    isCutOff: (claims, keyId) => {
      const { sub, sid, device_id: deviceId, client_id: clientId, epoch, iat } = claims;
      const customer = known.get(`customer ${sub}`);
      if (customer?.kind === 'customer' && epoch < customer.minimumEpoch) return true;
      if (known.has(`session ${sid}`) || known.has(`signing_key ${keyId}`)) return true;
      return [`device ${deviceId ?? ''}`, `client ${clientId}`].some((key) => {
        const cutOff = known.get(key);
        return cutOff !== undefined && 'issuedUpTo' in cutOff && iat <= cutOff.issuedUpTo;
      });
    },
  };
}

function strictness(cutOff: CutOff): number {
  if (cutOff.kind === 'customer') return cutOff.minimumEpoch;
  return 'issuedUpTo' in cutOff ? cutOff.issuedUpTo : Date.parse(cutOff.at);
}
