/**
 * Who may call what: rows are operations, and each names the one kind of caller it is for. A route whose operationId is not a row
 * fails the boot. Enforcement is in api/callers/authentication.ts; test/api/access-expected.json is the same matrix written out, cell by cell.
 */
import type { Acr } from '../domain/auth-strength.ts';
import type { StaffRole } from '../domain/staff.ts';

/**
 * public: anybody · key: a valid DPoP proof with a nonce, no token · client: the token endpoint, a proof with a nonce; the grant
 * judges the client · customer: a DPoP-bound access token of a live session · machine: a client's DPoP-bound token with the scope ·
 * service: a machine's such token with the scope, or its client assertion in the form (RFC 7662 section 2.1) ·
 * vendor: a body signed with the vendor's secret · gateway: a proxy that asks about somebody else's request · staff: the cookie of a live
 * staff session with one of the roles, at the operations door.
 */
export type CallerKind =
  | 'public'
  | 'key'
  | 'client'
  | 'customer'
  | 'machine'
  | 'service'
  | 'vendor'
  | 'gateway'
  | 'staff';

/** Which listener an operation is found at; at the other it does not exist. */
export type Door = 'public' | 'operations';

export type Scope =
  | 'openid'
  | 'profile:write'
  | 'fraud:signal'
  | 'fraud:release'
  | 'timeline:read'
  | 'cut-offs:read'
  | 'tokens:introspect'
  | 'customers:roles';

export interface AccessRow {
  readonly caller: CallerKind;
  /** Default: public. */
  readonly door?: Door | 'both';
  /** Staff only: any one of them. */
  readonly roles?: readonly StaffRole[];
  /** Staff only: a login of the last five minutes, which is also what reads the roles anew. */
  readonly recentLogin?: true;
  /** Customers, machines and services. */
  readonly scope?: Scope;
  /** Machines: any scope that begins with it and a colon. */
  readonly scopeFamily?: 'step-ups';
  /** Customers only: the scope counts also where a freeze withholds it. */
  readonly whileFrozen?: true;
  /** Public only: a page of any origin may send it, since all that it can do stands in its body. */
  readonly fromAnyPage?: true;
  /** Customers only: at least this authentication strength (RFC 9470). */
  readonly acr?: Acr;
  /** Customers only: a login no longer ago (RFC 9470). */
  readonly maxAgeSeconds?: number;
  /** Mutating operations need an Idempotency-Key unless they say why not. */
  readonly idempotencyKey?:
    | 'unneeded: writes nothing'
    | "unneeded: its RFC's"
    | 'unneeded: keyed by reference'
    | 'unneeded: can be done only once'
    | 'unneeded: opened alike, it answers alike';
}

const anyStaff = {
  caller: 'staff',
  door: 'operations',
  roles: ['agent', 'supervisor', 'auditor', 'administrator'],
} as const;
const desk = { ...anyStaff, roles: ['agent', 'supervisor'] } as const;
const supervisor = { ...anyStaff, roles: ['supervisor'] } as const;
const auditor = { ...anyStaff, roles: ['auditor'] } as const;
const deskReader = { ...anyStaff, roles: ['agent', 'supervisor', 'auditor'] } as const;
/** Who may take a signed record of a customer away. */
const recordReader = { ...anyStaff, roles: ['supervisor', 'auditor'] } as const;
/** Who may read what runs in Temporal, decoded. */
const temporalReader = { ...anyStaff, roles: ['auditor', 'administrator'] } as const;
const strongCustomer = { caller: 'customer', scope: 'profile:write' } as const;
/** Which types of action it may ask for is for the handler. */
const stepUpRequester = { caller: 'machine', scopeFamily: 'step-ups' } as const;
const onlyOnce = { idempotencyKey: 'unneeded: can be done only once' } as const;
const writesNothing = { idempotencyKey: 'unneeded: writes nothing' } as const;

export const ACCESS = {
  livez: { caller: 'public', door: 'both' },
  readyz: { caller: 'public', door: 'both' },
  openapi: { caller: 'public' },
  docs: { caller: 'public' },
  pages: { caller: 'public' },
  jwks: { caller: 'public' },
  receiptKeys: { caller: 'public' },
  discovery: { caller: 'public' },
  serverMetadata: { caller: 'public' },
  serverMetadataOfPath: { caller: 'public' },
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
  getLoginStepUp: { caller: 'key' },
  submitLoginCode: { caller: 'key' },
  resendLoginCode: { caller: 'key' },
  finishLogin: { caller: 'key' },
  // Which device may approve is for the handler: it says apart whether a login or another phone would help.
  listStepUps: { caller: 'customer' },
  getCustomerStepUp: { caller: 'customer' },
  openStepUp: { caller: 'customer', idempotencyKey: 'unneeded: opened alike, it answers alike' },
  approveStepUp: { caller: 'customer' },
  submitStepUpCode: { caller: 'customer' },
  resendStepUpCode: { caller: 'customer' },
  denyStepUp: { caller: 'customer' },
  getOwnReceipt: { caller: 'customer' },
  requestStepUp: stepUpRequester,
  getStepUp: stepUpRequester,
  getReceipt: stepUpRequester,
  consumeStepUp: { ...stepUpRequester, ...onlyOnce },
  cancelStepUp: { ...stepUpRequester, ...onlyOnce },
  token: { caller: 'client', idempotencyKey: "unneeded: its RFC's" },
  introspect: {
    caller: 'service',
    scope: 'tokens:introspect',
    idempotencyKey: "unneeded: its RFC's",
  },
  revoke: { caller: 'client', idempotencyKey: "unneeded: its RFC's" },
  userinfo: { caller: 'customer', scope: 'openid' },
  postUserinfo: { caller: 'customer', scope: 'openid', ...writesNothing },
  logout: { caller: 'customer' },
  endOwnSession: { caller: 'customer' },
  listSessions: { caller: 'customer' },
  loginHistory: { caller: 'customer' },
  listDevices: { caller: 'customer' },
  // A scope that only a session of a trusted device carries.
  suspendDevice: { ...strongCustomer, whileFrozen: true },
  resumeDevice: { ...strongCustomer, maxAgeSeconds: 900 },
  revokeDevice: { ...strongCustomer, maxAgeSeconds: 900 },
  // What a passkey was used for a while ago is not enough to take another away.
  revokeCredential: { ...strongCustomer, maxAgeSeconds: 900 },
  // Else whoever holds an unlocked phone takes the owner's others out of his hands.
  reportDevice: { ...strongCustomer, whileFrozen: true, maxAgeSeconds: 900 },
  liftDeviceReport: { ...strongCustomer, maxAgeSeconds: 900 },
  // Whoever is logged in may stop the account; only a passkey on a trusted device, used since, lets it go on.
  freezeAccount: { caller: 'customer' },
  liftFreeze: { caller: 'customer', acr: 'latchkey:2', maxAgeSeconds: 900 },
  freezeByLink: { caller: 'public', fromAnyPage: true, ...onlyOnce },
  requestFreeze: { caller: 'key' },
  submitFreezeCode: { caller: 'key' },
  requestRecovery: { caller: 'key' },
  getRecoveryRequest: { caller: 'key' },
  submitRecoveryCode: { caller: 'key' },
  submitRecoveryLink: { caller: 'public', fromAnyPage: true, ...onlyOnce },
  getRecovery: { caller: 'key' },
  beginLiveness: { caller: 'key' },
  createRecoveryPasskeyOptions: { caller: 'key', ...writesNothing },
  bindRecoveredPasskey: { caller: 'key' },
  cancelRecovery: { caller: 'key' },
  livenessResult: { caller: 'vendor', idempotencyKey: 'unneeded: keyed by reference' },
  listOwnRecoveries: { caller: 'customer' },
  // From any live session: what it is worth is judged behind it, and no objection is lost for lack of a login.
  objectToRecovery: { caller: 'customer' },
  shortenRecovery: { caller: 'customer', acr: 'latchkey:2', maxAgeSeconds: 300 },
  objectByLink: { caller: 'public', fromAnyPage: true, ...onlyOnce },
  me: { caller: 'customer' },
  // A device that is told of step-ups is one that may answer them.
  registerPush: { caller: 'customer', acr: 'latchkey:2' },
  removePush: { caller: 'customer' },
  appStream: { caller: 'customer' },
  gatewayVerify: { caller: 'gateway' },
  fraudSignal: { caller: 'machine', scope: 'fraud:signal' },
  getRevocation: { caller: 'machine', scope: 'fraud:signal' },
  releaseHold: { caller: 'machine', scope: 'fraud:release' },
  timeline: { caller: 'machine', scope: 'timeline:read' },
  setRoles: { caller: 'machine', scope: 'customers:roles' },
  cutOffFeed: { caller: 'machine', scope: 'cut-offs:read' },
  staffLogin: { caller: 'public', door: 'operations' },
  staffCallback: { caller: 'public', door: 'operations' },
  createCliSession: { caller: 'public', door: 'operations', ...onlyOnce },
  staffMe: anyStaff,
  staffLogout: { ...anyStaff, ...onlyOnce },
  operationsPages: { caller: 'public', door: 'operations' },
  temporalUi: temporalReader,
  decodePayloads: { ...temporalReader, ...writesNothing },
  listHolds: deskReader,
  requestRelease: desk,
  listApprovals: deskReader,
  approveRelease: { ...supervisor, recentLogin: true },
  declineRelease: supervisor,
  startCall: desk,
  getCall: desk,
  getCallReceipt: desk,
  listRecoveries: deskReader,
  getRecoveryCase: deskReader,
  followRecoveryCase: deskReader,
  getRecoveryRecord: recordReader,
  openRecoveryByStaff: desk,
  claimRecovery: desk,
  handOverRecovery: desk,
  recordEvidence: desk,
  confirmEvidence: desk,
  recordCallBack: desk,
  // Which decision asks for a supervisor and a fresh login is for the handler.
  decideRecovery: desk,
  searchCustomers: desk,
  getCustomer: desk,
  listCustomerSessions: desk,
  endSession: desk,
  suspendDeviceByStaff: desk,
  resumeDeviceByStaff: { ...supervisor, recentLogin: true },
  revokeDeviceByStaff: desk,
  freezeByStaff: desk,
  liftFreezeByStaff: { ...supervisor, recentLogin: true },
  reportDeviceByStaff: desk,
  liftDeviceReportByStaff: { ...supervisor, recentLogin: true },
  revealContact: desk,
  listCustomerCeremonies: desk,
  searchAudit: auditor,
  exportAudit: auditor,
  worksNow: anyStaff,
  listDeadLetters: { ...anyStaff, roles: ['auditor', 'administrator'] },
  retryDeadLetter: { ...anyStaff, roles: ['administrator'] },
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
