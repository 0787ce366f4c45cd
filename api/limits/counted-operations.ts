/**
 * What each operation counts, or why it counts nothing: a row an operation, so that a new one has to say. docs/limits.md is this table
 * written out.
 */
import type { LimitName } from '../../domain/limits.ts';
import type { OperationId } from '../access.ts';

type Counted = readonly LimitName[] | { readonly uncounted: string };

const PUBLISHED = { uncounted: 'public, remembered by whoever asks, and made without a question' };
const ENDS_ACCESS = { uncounted: 'it cuts access off: a limit on it would be a weapon' };
const SIGNED_IN_STAFF = { uncounted: 'staff are known by name, and everything they do is audited' };
const KNOWN_SERVICE = { uncounted: 'a service of the bank, known by its key' };

const customer = ['requestsOfDevice'] as const;
const step = ['stepsOfDevice'] as const;
const login = ['loginsOfSource', 'loginsOfDevice'] as const;
const staffLogin = ['staffLoginsOfSource'] as const;

export const COUNTED_OPERATIONS = {
  livez: PUBLISHED,
  readyz: PUBLISHED,
  openapi: PUBLISHED,
  docs: PUBLISHED,
  pages: PUBLISHED,
  jwks: PUBLISHED,
  receiptKeys: PUBLISHED,
  discovery: PUBLISHED,
  serverMetadata: PUBLISHED,
  serverMetadataOfPath: PUBLISHED,
  startEnrollment: ['startsOfSource', 'stepsOfDevice'],
  getEnrollment: customer,
  submitPhoneCode: step,
  resendPhoneCode: step,
  submitIdentity: step,
  submitEmail: step,
  submitEmailCode: step,
  resendEmailCode: step,
  createPasskeyOptions: step,
  bindPasskey: step,
  cancelEnrollment: step,
  identityResult: { uncounted: 'the vendor signs what it sends' },
  createLoginOptions: login,
  // And `loginsOfCredential`, looked at first and counted when the passkey has proved itself (api/routes/login.ts).
  login,
  getLoginStepUp: login,
  submitLoginCode: login,
  resendLoginCode: login,
  finishLogin: login,
  listStepUps: customer,
  getCustomerStepUp: customer,
  openStepUp: customer,
  approveStepUp: customer,
  submitStepUpCode: customer,
  resendStepUpCode: customer,
  denyStepUp: ENDS_ACCESS,
  getOwnReceipt: customer,
  // One that waits a requester and customer, and refusals and prompts without an answer pause: that bounds it, by whom it concerns.
  requestStepUp: KNOWN_SERVICE,
  getStepUp: KNOWN_SERVICE,
  getReceipt: KNOWN_SERVICE,
  consumeStepUp: KNOWN_SERVICE,
  cancelStepUp: KNOWN_SERVICE,
  // By its grant: `refreshesOfDevice` or `tokensOfSource` (below).
  token: { uncounted: 'by its grant' },
  introspect: KNOWN_SERVICE,
  revoke: ENDS_ACCESS,
  userinfo: customer,
  postUserinfo: customer,
  logout: ENDS_ACCESS,
  endOwnSession: ENDS_ACCESS,
  listSessions: customer,
  loginHistory: customer,
  listDevices: customer,
  suspendDevice: ENDS_ACCESS,
  resumeDevice: customer,
  revokeDevice: ENDS_ACCESS,
  revokeCredential: ENDS_ACCESS,
  reportDevice: ENDS_ACCESS,
  liftDeviceReport: customer,
  freezeAccount: ENDS_ACCESS,
  liftFreeze: customer,
  freezeByLink: ['freezesOfSource'],
  requestFreeze: ['freezesOfSource', 'freezesOfDevice'],
  submitFreezeCode: ['freezesOfDevice'],
  // And by the contact, whether or not it is a customer's (db/recovery-requests.ts).
  requestRecovery: ['startsOfSource', 'stepsOfDevice'],
  getRecoveryRequest: customer,
  submitRecoveryCode: step,
  submitRecoveryLink: ['startsOfSource'],
  getRecovery: customer,
  beginLiveness: step,
  createRecoveryPasskeyOptions: step,
  bindRecoveredPasskey: step,
  cancelRecovery: step,
  livenessResult: { uncounted: 'the vendor signs what it sends' },
  listOwnRecoveries: customer,
  objectToRecovery: ENDS_ACCESS,
  shortenRecovery: customer,
  objectByLink: ENDS_ACCESS,
  me: customer,
  registerPush: customer,
  removePush: { uncounted: 'it tells a device less: whoever may not do it is told more' },
  appStream: customer,
  gatewayVerify: { uncounted: 'a gateway asks for everybody; limits on traffic are its own' },
  fraudSignal: ENDS_ACCESS,
  getRevocation: KNOWN_SERVICE,
  releaseHold: KNOWN_SERVICE,
  timeline: KNOWN_SERVICE,
  setRoles: KNOWN_SERVICE,
  cutOffFeed: KNOWN_SERVICE,
  staffLogin,
  staffCallback: staffLogin,
  createCliSession: staffLogin,
  staffMe: SIGNED_IN_STAFF,
  staffLogout: ENDS_ACCESS,
  operationsPages: PUBLISHED,
  temporalUi: SIGNED_IN_STAFF,
  decodePayloads: SIGNED_IN_STAFF,
  listHolds: SIGNED_IN_STAFF,
  requestRelease: SIGNED_IN_STAFF,
  startCall: SIGNED_IN_STAFF,
  getCall: SIGNED_IN_STAFF,
  getCallReceipt: SIGNED_IN_STAFF,
  listApprovals: SIGNED_IN_STAFF,
  approveRelease: SIGNED_IN_STAFF,
  declineRelease: SIGNED_IN_STAFF,
  listRecoveries: SIGNED_IN_STAFF,
  getRecoveryCase: SIGNED_IN_STAFF,
  followRecoveryCase: SIGNED_IN_STAFF,
  getRecoveryRecord: SIGNED_IN_STAFF,
  openRecoveryByStaff: SIGNED_IN_STAFF,
  claimRecovery: SIGNED_IN_STAFF,
  handOverRecovery: SIGNED_IN_STAFF,
  recordEvidence: SIGNED_IN_STAFF,
  confirmEvidence: SIGNED_IN_STAFF,
  recordCallBack: SIGNED_IN_STAFF,
  decideRecovery: SIGNED_IN_STAFF,
  searchCustomers: { uncounted: 'by the policy’s staffSearch, of each person' },
  getCustomer: SIGNED_IN_STAFF,
  listCustomerSessions: SIGNED_IN_STAFF,
  endSession: SIGNED_IN_STAFF,
  suspendDeviceByStaff: SIGNED_IN_STAFF,
  resumeDeviceByStaff: SIGNED_IN_STAFF,
  revokeDeviceByStaff: SIGNED_IN_STAFF,
  freezeByStaff: SIGNED_IN_STAFF,
  liftFreezeByStaff: SIGNED_IN_STAFF,
  reportDeviceByStaff: SIGNED_IN_STAFF,
  liftDeviceReportByStaff: SIGNED_IN_STAFF,
  revealContact: { uncounted: 'by the policy’s staffSearch, of each person' },
  listCustomerCeremonies: SIGNED_IN_STAFF,
  searchAudit: SIGNED_IN_STAFF,
  exportAudit: SIGNED_IN_STAFF,
  worksNow: SIGNED_IN_STAFF,
  listDeadLetters: SIGNED_IN_STAFF,
  retryDeadLetter: SIGNED_IN_STAFF,
} as const satisfies { readonly [Operation in OperationId]?: Counted };

const COUNTED: { readonly [operation: string]: Counted | undefined } = COUNTED_OPERATIONS;

/** Of the token endpoint, by `grant_type`; another grant is refused anyway. */
const COUNTED_GRANTS: { readonly [grant: string]: readonly LimitName[] | undefined } = {
  refresh_token: ['refreshesOfDevice'],
  client_credentials: ['tokensOfSource'],
};

export function countedBy(operationId: string | undefined, body: unknown): readonly LimitName[] {
  if (operationId === 'token') return COUNTED_GRANTS[grantOf(body)] ?? [];
  const counted = operationId === undefined ? undefined : COUNTED[operationId];
  return counted === undefined || 'uncounted' in counted ? [] : counted;
}

/** Whether it cuts access off: nobody may stand before it in line. */
export function endsAccess(operationId: string | undefined): boolean {
  return operationId !== undefined && COUNTED[operationId] === ENDS_ACCESS;
}

function grantOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('grant_type' in body)) return '';
  const { grant_type: grant } = body;
  return typeof grant === 'string' && Object.hasOwn(COUNTED_GRANTS, grant) ? grant : '';
}
