/** What a phone, a camera and time do in a life, whoever holds them: the stores' transactions, with what a life has to remember of them. */
import { newId } from '../../../../adapters/random.ts';
import { DEMO_APP_CLIENT } from '../../../../db/bootstrap.ts';
import {
  openLivenessAttempt,
  recordLivenessSession,
  recordLivenessVerdict,
} from '../../../../db/recovery-liveness.ts';
import {
  checkNumberOf,
  createRecoveryRequest,
  proveRequestByCode,
  proveRequestByLink,
} from '../../../../db/recovery-requests.ts';
import { nextDueMs } from '../../../../domain/recovery.ts';
import { read, RECOVERY_TOOLS, rightCode } from '../../recoveries.ts';
import type { Report, RiskFound } from './actions.ts';
import type { CaseRow } from './facts.ts';
import type { Asked, Checked, Life } from './life.ts';

export async function ask(
  life: Life,
  jkt: string,
  contact: 'email' | 'phone',
  report: Report,
): Promise<Asked> {
  const { customer } = life;
  const asked = { requestId: newId('recoveryRequest'), jkt, report };
  await life.rows.run((tx) =>
    createRecoveryRequest(tx, RECOVERY_TOOLS, {
      tenantId: customer.tenantId,
      requestId: asked.requestId,
      clientId: DEMO_APP_CLIENT,
      jkt,
      contact: { kind: contact, value: customer[contact] },
      report,
      locale: 'en',
    }),
  );
  life.asked.push(asked);
  return asked;
}

export interface Showing {
  readonly how: 'code' | 'link';
  readonly isRight: boolean;
  /** Of the phone that types the code. */
  readonly jkt: string;
  readonly risk: RiskFound;
}

export async function prove(
  life: Life,
  { requestId, report }: Asked,
  { how, isRight, jkt, risk }: Showing,
): Promise<string> {
  const { tenantId } = life.customer;
  const proof = await life.rows.run((tx) =>
    how === 'code'
      ? proveRequestByCode(tx, RECOVERY_TOOLS, {
          tenantId,
          requestId,
          jkt,
          risk,
          code: isRight ? rightCode(requestId) : 'wrong',
        })
      : proveRequestByLink(tx, RECOVERY_TOOLS, {
          tenantId,
          requestId,
          risk,
          checkNumber: isRight ? checkNumberOf(RECOVERY_TOOLS.otpCodes, requestId) : 'none',
        }),
  );
  if (proof.result === 'proved')
    life.noteJoined(proof.recoveryId, { by: 'customer', report, risk });
  return proof.result;
}

export async function beginLiveness(life: Life, caseId: string, jkt: string): Promise<Checked> {
  const subject = life.subject(caseId);
  const { attemptId } = await life.rows.run((tx) =>
    openLivenessAttempt(tx, RECOVERY_TOOLS, { ...subject, jkt }),
  );
  const vendorSession = newId('request');
  const session = {
    ...subject,
    attemptId,
    vendorSession,
    expiresAtMs: 4_000_000_000_000,
    clientParameters: {},
  };
  await life.rows.run((tx) => recordLivenessSession(tx, RECOVERY_TOOLS, session));
  const checked = { attemptId, caseId, jkt, vendorSession };
  life.checked.push(checked);
  return checked;
}

/** The owner looked into the camera. */
export async function pass(
  life: Life,
  { attemptId, caseId, jkt, vendorSession }: Checked,
): Promise<void> {
  await life.rows.run((tx) =>
    recordLivenessVerdict(tx, RECOVERY_TOOLS, {
      tenantId: life.customer.tenantId,
      attemptId,
      vendorSession,
      caseId,
      newJkt: jkt,
      outcome: 'passed',
      livenessConfidence: 99,
      matchConfidence: 99,
      evidenceId: newId('request'),
      vendorId: 'vendor',
    }),
  );
}

export async function waitForTimer(life: Life, one: CaseRow): Promise<void> {
  const dueMs = nextDueMs(await life.rows.run((tx) => read(tx, life.subject(one.id))));
  if (dueMs !== Infinity) life.rows.nowMs = Math.max(life.rows.nowMs, dueMs);
}
