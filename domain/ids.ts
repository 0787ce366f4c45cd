/**
 * Ids: a prefix that says what it names, and a UUIDv7 (RFC 9562 section 5.7), opaque to callers. Also the deterministic names of
 * workflows: one subject, one id, so that a repeated start joins and never makes a twin. Pure: the caller brings time and randomness.
 */

export const ID_PREFIXES = {
  tenant: 'ten',
  customer: 'cus',
  person: 'per',
  contact: 'con',
  device: 'dev',
  credential: 'crd',
  session: 'ses',
  ceremony: 'cer',
  attempt: 'att',
  submission: 'sub',
  hold: 'hld',
  approval: 'apr',
  revocation: 'rev',
  outbox: 'out',
  audit: 'aud',
  receipt: 'rcp',
  signingKey: 'key',
  staff: 'stf',
  staffSession: 'sts',
  request: 'req',
  freeze: 'frz',
  freezeRequest: 'frq',
  recoveryRequest: 'rcq',
  factor: 'fac',
  decision: 'dcs',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

/** Of each byte: every request gets an id. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** `prefix_` and 32 lower-case hex digits of a UUIDv7 made of `nowMs` and 10 random bytes. */
export function formatId(kind: IdKind, nowMs: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  let rest = nowMs;
  for (let index = 5; index >= 0; index -= 1) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  let id = `${ID_PREFIXES[kind]}_`;
  for (const byte of bytes) id += HEX[byte] ?? '';
  return id;
}

export function isId(kind: IdKind, value: string): boolean {
  return new RegExp(idPattern(kind)).test(value);
}

/** For schemas. */
export function idPattern(kind: IdKind): string {
  return `^${ID_PREFIXES[kind]}_[0-9a-f]{32}$`;
}

export type WorkflowKind = 'enrollment' | 'step_up' | 'recovery' | 'session' | 'revocation';

/** `<kind>/<tenant>/<id>`, with `~n` when the reconciler had to start it anew for the n-th time. */
export function workflowId(
  kind: WorkflowKind,
  tenantId: string,
  id: string,
  healCount = 0,
): string {
  const base = `${kind}/${tenantId}/${id}`;
  return healCount === 0 ? base : `${base}~${String(healCount)}`;
}

/** Of the workflow that answers whoever awaits a step-up through Nexus. */
export function stepUpAnswerId(tenantId: string, stepUpId: string): string {
  return `step_up_answer/${tenantId}/${stepUpId}`;
}
