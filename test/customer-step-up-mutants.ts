/** Faults on the customer's side of step-ups and in logins that need more, for test/mutants.ts. */
import type { Mutant } from './mutants.ts';

const APPROVALS = { project: 'api', test: 'test/api/customer-approvals.test.ts' } as const;
const LOGINS = { project: 'api', test: 'test/api/login-step-up.test.ts' } as const;

export const CUSTOMER_STEP_UP_MUTANTS: readonly Mutant[] = [
  {
    name: 'approvals: any proof of the approval key will do',
    file: 'api/webauthn/approval.ts',
    from: "if (read.header['typ'] !== APPROVAL_TYPE)",
    to: "if (read.header['typ'] === undefined)",
    ...APPROVALS,
    only: 'an approval is refused',
  },
  {
    name: 'approvals: something may be signed along',
    file: 'api/webauthn/approval.ts',
    from: "if (read.signed.split('.')[1] !== payload.toString('base64url'))",
    to: "if (read.payload['challenge'] !== challenge || payload.length === 0)",
    ...APPROVALS,
    only: 'an approval is refused',
  },
  {
    name: 'approvals: a passkey that was removed will do',
    file: 'api/step-ups/approval.ts',
    from: "credential: credential?.status === 'active' ? credential : undefined,",
    to: 'credential,',
    ...APPROVALS,
    only: 'nobody’s any more',
  },
  {
    name: 'approvals: a phone that was reported lost is asked to log in',
    file: 'api/step-ups/approval.ts',
    from: "if (caller.deviceStatus === 'restricted') throw",
    to: "if (caller.deviceStatus === 'revoked') throw",
    ...APPROVALS,
    only: 'is no phone that was reported lost',
  },
  {
    name: 'sessions: the passkey of a lost phone has a free hand elsewhere',
    file: 'api/callers/free-hand.ts',
    from: '? await isPasskeyOfReportedDevice(tx, tenantId, session.credentialId)',
    to: '? tenantId.length < 0 && (await isPasskeyOfReportedDevice(tx, tenantId, session.credentialId))',
    project: 'api',
    test: 'test/api/logout.test.ts',
    only: 'lends no freer hand',
  },
  {
    name: 'logins: an approval begins a session each time it is used',
    file: 'db/login-factor.ts',
    from: 'if (isRepeat)',
    to: 'if (isRepeat && stepUp.seq < 0)',
    ...LOGINS,
    only: 'the end of such a login',
  },
  {
    name: 'logins: an engine that does not answer is calm',
    file: 'domain/login-factor.ts',
    from: 'not_evaluated: 2',
    to: 'not_evaluated: 1',
    ...LOGINS,
    only: 'counts as medium',
  },
];
