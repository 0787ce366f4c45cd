/**
 * Who may call what: rows are operations, and each names the one kind of caller it is for. A route whose operationId is not a row
 * fails the boot. Enforcement is in api/authentication.ts; test/api/access-expected.json is the same matrix written out, cell by cell.
 */

/**
 * public: anybody · key: a valid DPoP proof with a nonce, no token · client: the token endpoint, a proof with a nonce; the grant
 * judges the client · customer: a DPoP-bound access token of a live session · machine: a client's DPoP-bound token with the scope ·
 * vendor: a body signed with the vendor's secret · gateway: a proxy that asks about somebody else's request.
 */
export type CallerKind =
  | 'public'
  | 'key'
  | 'client'
  | 'customer'
  | 'machine'
  | 'vendor'
  | 'gateway';

export type Scope = 'fraud:signal' | 'fraud:release' | 'timeline:read';

interface AccessRow {
  readonly caller: CallerKind;
  /** Machines only. */
  readonly scope?: Scope;
  /** Mutating operations need an Idempotency-Key unless they say why not. */
  readonly idempotencyKey?:
    | 'unneeded: writes nothing'
    | "unneeded: its RFC's"
    | 'unneeded: keyed by reference';
}

const writesNothing = { idempotencyKey: 'unneeded: writes nothing' } as const;

export const ACCESS = {
  livez: { caller: 'public' },
  readyz: { caller: 'public' },
  openapi: { caller: 'public' },
  docs: { caller: 'public' },
  pages: { caller: 'public' },
  jwks: { caller: 'public' },
  discovery: { caller: 'public' },
  startEnrollment: { caller: 'key' },
  getEnrollment: { caller: 'key' },
  submitPhoneCode: { caller: 'key' },
  resendPhoneCode: { caller: 'key' },
  submitIdentity: { caller: 'key' },
  submitEmail: { caller: 'key' },
  submitEmailCode: { caller: 'key' },
  resendEmailCode: { caller: 'key' },
  createPasskeyOptions: { caller: 'key', ...writesNothing },
  bindPasskey: { caller: 'key' },
  cancelEnrollment: { caller: 'key' },
  identityResult: { caller: 'vendor', idempotencyKey: 'unneeded: keyed by reference' },
  createLoginOptions: { caller: 'key', ...writesNothing },
  login: { caller: 'key' },
  token: { caller: 'client', idempotencyKey: "unneeded: its RFC's" },
  logout: { caller: 'customer' },
  listSessions: { caller: 'customer' },
  me: { caller: 'customer' },
  gatewayVerify: { caller: 'gateway' },
  fraudSignal: { caller: 'machine', scope: 'fraud:signal' },
  getRevocation: { caller: 'machine', scope: 'fraud:signal' },
  releaseHold: { caller: 'machine', scope: 'fraud:release' },
  timeline: { caller: 'machine', scope: 'timeline:read' },
} as const satisfies Record<string, AccessRow>;

export type OperationId = keyof typeof ACCESS;

/** The row of an operation; undefined for a name that is none. */
export function accessOf(operationId: string | undefined): AccessRow | undefined {
  return operationId !== undefined && isOperationId(operationId) ? ACCESS[operationId] : undefined;
}

export function isOperationId(name: string): name is OperationId {
  return Object.hasOwn(ACCESS, name);
}

const MUTATING: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Whether an operation refuses to run without an Idempotency-Key. */
export function needsIdempotencyKey(operationId: string | undefined, method: string): boolean {
  const row = accessOf(operationId);
  return row !== undefined && row.idempotencyKey === undefined && MUTATING.has(method);
}
