/**
 * A case that staff open with the caller on the line: case and first proof in one transaction, so that no case of theirs is ever without one. And to
 * whom a case may be handed.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { RecoveryReport } from '../domain/recovery.ts';
import { touchCustomer } from './customer-lock.ts';
import type { Tx } from './connection.ts';
import { recordFactor } from './recovery-ledger.ts';
import { openRecovery } from './recovery-open.ts';
import { refuseOwnAccount, staffMember } from './recovery-people.ts';
import type { RecoveryTools } from './recovery.ts';

/** How the member of staff knows who is on the line. */
export type CallerProof =
  | { readonly method: 'verified_call'; readonly callId: string }
  /** Staff rang the number that the bank has; what their telephone system calls that call. */
  | { readonly method: 'call_back'; readonly reference: string };

/** @throws LatchkeyError not_found, own_account, caller_not_proved, and as openRecovery and recordFactor do. */
export async function openRecoveryWithCaller(
  tx: Tx,
  tools: RecoveryTools,
  args: {
    readonly tenantId: string;
    readonly customerId: string;
    readonly staffId: string;
    readonly report: RecoveryReport;
    readonly reportedDeviceId?: string | undefined;
    readonly proof: CallerProof;
  },
): Promise<{ readonly recoveryId: string; readonly joined: boolean }> {
  const { tenantId, customerId, staffId, proof } = args;
  await touchCustomer(tx, tenantId, customerId);
  const { employee } = await staffMember(tx, tenantId, staffId);
  await refuseOwnAccount(tx, { tenantId, customerId }, employee);
  const { recoveryId, joined } = await openRecovery(tx, tools, {
    tenantId,
    customerId,
    by: { kind: 'staff', id: staffId },
    report: args.report,
    reportedDeviceId: args.reportedDeviceId,
    // No engine speaks about a call: policy takes it for medium.
    risk: 'not_evaluated',
  });
  const { state } = await stateOf(tx, tenantId, recoveryId);
  // What is held waits for its release, and what is past the review asks for no proof: what is said of the old phone counts all the same.
  if (TAKES_PROOF.includes(state))
    await recordFactor(tx, tools, {
      subject: { tenantId, recoveryId },
      method: proof.method,
      evidenceId: proof.method === 'verified_call' ? proof.callId : proof.reference,
      staffId,
    });
  return { recoveryId, joined };
}

const TAKES_PROOF: readonly string[] = ['starting', 'contact', 'identity', 'review'];

async function stateOf(
  tx: Tx,
  tenantId: string,
  recoveryId: string,
): Promise<{ readonly state: string }> {
  const [row] = await tx<{ state: string }[]>`
    select state from ceremony where tenant_id = ${tenantId} and ceremony_id = ${recoveryId}`;
  if (row === undefined) throw new LatchkeyError('recovery_not_found');
  return row;
}

/** A colleague who works at the desk. @throws LatchkeyError staff_role_missing */
export async function refuseOffDesk(tx: Tx, tenantId: string, staffId: string): Promise<void> {
  const rows = await tx`
    select 1 from staff
    where tenant_id = ${tenantId} and staff_id = ${staffId} and roles && array['agent', 'supervisor']`;
  if (rows.length === 0) throw new LatchkeyError('staff_role_missing');
}
