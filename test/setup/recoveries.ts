/**
 * Recoveries written by the stores alone, for tests of their rules: a customer with an old phone, a number and an address, and one hand for each
 * who takes part. No signature is made here: what the API verifies is not what these tests are about.
 */
import { randomBytes } from 'node:crypto';
import { newId } from '../../adapters/random.ts';
import { DEMO_APP_CLIENT } from '../../db/bootstrap.ts';
import type { Tx } from '../../db/connection.ts';
import { insertContact } from '../../db/enrollment.ts';
import type { VerifiedRecoveryPasskey } from '../../db/recovery-binding.ts';
import { decide, type RecoveryDecision } from '../../db/recovery-decisions.ts';
import { pendingRecoveryFact } from '../../db/recovery-facts.ts';
import {
  openLivenessAttempt,
  recordLivenessSession,
  recordLivenessVerdict,
  type LivenessVerdict,
} from '../../db/recovery-liveness.ts';
import { advanceRecovery } from '../../db/recovery-moves.ts';
import {
  createRecoveryRequest,
  proveRequestByCode,
  type NewRecoveryRequest,
  type RequestProof,
} from '../../db/recovery-requests.ts';
import { readRecovery, type RecoveryRecord } from '../../db/recovery.ts';
import { insertSubmission } from '../../db/step-submissions.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import {
  dueEvent,
  transition,
  type RecoveryEvent,
  type RecoverySubject,
} from '../../domain/recovery.ts';
import { insertCustomer, type SeededCustomer } from './customer.ts';
import { insertStaff, type SeededStaff } from './rows/staff-rows.ts';
import { STEP_UP_TOOLS } from './step-ups.ts';

export const RECOVERY_TOOLS = STEP_UP_TOOLS;

export type Run = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

export interface RecoverableCustomer extends SeededCustomer {
  readonly email: string;
  readonly phone: string;
  readonly emailId: string;
  readonly phoneId: string;
  /** Of the new phone that asks. */
  readonly newJkt: string;
  readonly personEvidence: string;
}

export const newKey = (): string => randomBytes(32).toString('base64url');

/** Nothing about it is younger than ninety days, so that policy asks for no more than it must. */
export async function insertRecoverable(tx: Tx, tenantId: string): Promise<RecoverableCustomer> {
  const customer = await insertCustomer(tx, tenantId);
  const { customerId } = customer;
  await RECOVERY_TOOLS.personalData.createKey(tx, tenantId, customerId);
  const email = `${customerId.slice(-12)}@example.test`;
  const phone = `+6421${String(randomBytes(4).readUInt32BE() % 10_000_000).padStart(7, '0')}`;
  const [emailId, phoneId] = [newId('contact'), newId('contact')];
  for (const [contactId, kind, value] of [
    [emailId, 'email', email],
    [phoneId, 'phone', phone],
  ] as const)
    await insertContact(tx, RECOVERY_TOOLS.personalData, {
      tenantId,
      customerId,
      contactId,
      kind,
      value,
    });
  await tx`update contact set status = 'proved', created_at = created_at - interval '90 days', proved_at = latchkey_now() - interval '90 days'
    where customer_id = ${customerId}`;
  await tx`update device set created_at = created_at - interval '90 days', trusted_at = trusted_at - interval '90 days'
    where customer_id = ${customerId}`;
  const personEvidence = newId('request');
  const personId = newId('person');
  await tx`insert into person (tenant_id, person_id, identity_index, evidence_id)
    values (${tenantId}, ${personId}, ${randomBytes(32)}, ${personEvidence})`;
  await tx`update customer set person_id = ${personId} where customer_id = ${customerId}`;
  return { ...customer, email, phone, emailId, phoneId, newJkt: newKey(), personEvidence };
}

export async function request(
  tx: Tx,
  customer: RecoverableCustomer,
  changes: Partial<NewRecoveryRequest> = {},
): Promise<string> {
  const requestId = changes.requestId ?? newId('recoveryRequest');
  await createRecoveryRequest(tx, RECOVERY_TOOLS, {
    tenantId: customer.tenantId,
    requestId,
    clientId: DEMO_APP_CLIENT,
    jkt: customer.newJkt,
    contact: { kind: 'email', value: customer.email },
    report: 'broken',
    locale: 'en',
    ...changes,
  });
  return requestId;
}

export const rightCode = (requestId: string): string =>
  RECOVERY_TOOLS.otpCodes.codeFor(requestId, DEFAULT_POLICY.otp.digits);

export async function prove(
  tx: Tx,
  { tenantId }: RecoverableCustomer,
  requestId: string,
  jkt: string,
  code = rightCode(requestId),
): Promise<RequestProof> {
  const shown = { tenantId, requestId, jkt, code, risk: 'low' } as const;
  return await proveRequestByCode(tx, RECOVERY_TOOLS, shown);
}

/** A case that a contact has just opened; its workflow has not run. */
export async function opened(
  run: Run,
  customer: RecoverableCustomer,
  changes: Partial<NewRecoveryRequest> = {},
): Promise<RecoverySubject> {
  const requestId = await run((tx) => request(tx, customer, changes));
  const proof = await run((tx) => prove(tx, customer, requestId, changes.jkt ?? customer.newJkt));
  if (proof.result !== 'proved') throw new Error(`${proof.result} instead of proved`);
  return { tenantId: customer.tenantId, recoveryId: proof.recoveryId };
}

export async function read(tx: Tx, subject: RecoverySubject): Promise<RecoveryRecord> {
  const record = await readRecovery(tx, subject);
  if (record === undefined) throw new Error('the case is there');
  return record;
}

/** One move as the workflow's activity makes it after it has read the row. */
export async function drive(
  tx: Tx,
  subject: RecoverySubject,
  event: RecoveryEvent,
  submissionId: string | null = null,
) {
  const { state, seq, ...row } = await read(tx, subject);
  const next = transition({ ...row, state }, event, row.nowMs);
  const to = 'move' in next ? next.move.state : state;
  return await advanceRecovery(tx, RECOVERY_TOOLS, {
    ...subject,
    from: { state, seq },
    event,
    to,
    submissionId,
  });
}

/** Follows everything that the rows and the clock say, as the workflow does when it is rung. */
export async function follow(run: Run, subject: RecoverySubject): Promise<RecoveryRecord> {
  for (let round = 0; round < 10; round += 1) {
    const before = await run((tx) => read(tx, subject));
    const fact =
      before.state === 'starting'
        ? 'opened'
        : ((await run((tx) => pendingRecoveryFact(tx, before))) ?? dueEvent(before, before.nowMs));
    if (fact === undefined) return before;
    await run((tx) => drive(tx, subject, fact));
    const after = await run((tx) => read(tx, subject));
    if (after.seq === before.seq) return after;
  }
  throw new Error('it never comes to rest');
}

/** A whole liveness check. */
export async function checked(
  run: Run,
  { tenantId, newJkt }: RecoverableCustomer,
  subject: RecoverySubject,
  changes: Partial<LivenessVerdict> = {},
) {
  const { attemptId } = await run((tx) =>
    openLivenessAttempt(tx, RECOVERY_TOOLS, { ...subject, jkt: newJkt }),
  );
  const vendorSession = newId('request');
  await run((tx) =>
    recordLivenessSession(tx, RECOVERY_TOOLS, {
      ...subject,
      attemptId,
      vendorSession,
      expiresAtMs: 4_000_000_000_000,
      clientParameters: {},
    }),
  );
  const verdict: LivenessVerdict = {
    tenantId,
    attemptId,
    vendorSession,
    caseId: subject.recoveryId,
    newJkt,
    outcome: 'passed',
    livenessConfidence: 99,
    matchConfidence: 99,
    evidenceId: newId('request'),
    vendorId: 'vendor',
    ...changes,
  };
  const recorded = await run((tx) => recordLivenessVerdict(tx, RECOVERY_TOOLS, verdict));
  return { verdict, recorded };
}

/** Up to the review. */
export async function proved(
  run: Run,
  customer: RecoverableCustomer,
  changes: Partial<NewRecoveryRequest> = {},
): Promise<RecoverySubject> {
  const subject = await opened(run, customer, changes);
  await follow(run, subject);
  await checked(run, customer, subject);
  await follow(run, subject);
  return subject;
}

export async function colleague(
  run: Run,
  tenantId: string,
  employeeId?: string,
): Promise<SeededStaff> {
  const roles = ['agent', 'supervisor'] as const;
  const seed = employeeId === undefined ? { roles } : { roles, employeeId };
  return await run((tx) => insertStaff(tx, tenantId, seed));
}

export async function said(
  run: Run,
  subject: RecoverySubject,
  { staffId }: SeededStaff,
  decision: Pick<RecoveryDecision, 'kind'> & Partial<RecoveryDecision>,
) {
  const { revision } = await run((tx) => read(tx, subject));
  return await run((tx) =>
    decide(tx, RECOVERY_TOOLS, {
      subject,
      staffId,
      revision,
      reason: 'person_recognised',
      ...decision,
    }),
  );
}

/** As many people as it takes. */
export async function approved(run: Run, subject: RecoverySubject): Promise<RecoveryRecord> {
  const { people, tenantId } = await run((tx) => read(tx, subject));
  for (let person = 0; person < people; person += 1)
    await said(run, subject, await colleague(run, tenantId), { kind: 'approve' });
  return await follow(run, subject);
}

/** Moves what was waited, as if that much time had passed. */
export async function waitOut(run: Run, subject: RecoverySubject): Promise<RecoveryRecord> {
  await run(
    (
      tx,
    ) => tx`update recovery set cooling_from = cooling_from - make_interval(secs => cooling_seconds + 1)
      where recovery_id = ${subject.recoveryId}`,
  );
  return await follow(run, subject);
}

/** Everything but the passkey. */
export async function readyToBind(
  run: Run,
  customer: RecoverableCustomer,
): Promise<RecoverySubject> {
  const subject = await proved(run, customer);
  await approved(run, subject);
  const { state } = await waitOut(run, subject);
  if (state !== 'rebind') throw new Error(`${state} instead of rebind`);
  return subject;
}

/** What the API would have verified; answers the submission's id. */
export async function submitPasskey(
  tx: Tx,
  { tenantId, customerId, newJkt }: RecoverableCustomer,
  { recoveryId }: RecoverySubject,
  changes: Partial<VerifiedRecoveryPasskey> = {},
): Promise<string> {
  const payload: VerifiedRecoveryPasskey = {
    challengeHash: newKey(),
    challengeExpiresAtMs: 4_000_000_000_000,
    webauthnId: newKey(),
    publicKey: newKey(),
    userHandle: Buffer.from(customerId).toString('base64url'),
    signCount: 0,
    transports: ['internal'],
    aaguid: '00000000-0000-0000-0000-000000000000',
    attestationFormat: 'none',
    isBackupEligible: false,
    isBackedUp: false,
    device: { name: 'New phone', platform: 'android' },
    sessionJwk: { kty: 'EC' },
    approvalJkt: newKey(),
    approvalJwk: { kty: 'EC' },
    sessionJkt: newJkt,
    attestationLevel: 'software',
    ...changes,
  };
  const submissionId = newId('submission');
  await insertSubmission(tx, RECOVERY_TOOLS.personalData, {
    tenantId,
    ceremonyId: recoveryId,
    customerId,
    submissionId,
    step: 'recovery_passkey',
    payload,
    notAfterSeconds: 300,
  });
  return submissionId;
}
