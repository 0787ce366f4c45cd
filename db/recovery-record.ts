/**
 * The identification record of a recovery (issue 7): which proofs, who, when, with what result and under which version of the policy, as one file that
 * the bank signs as it signs receipts. It holds ids and codes, no contact, no name of the customer, and no figure or picture of a check.
 */
import type { JsonValue } from '../domain/canonical-json.ts';
import { FACTOR_METHODS, factorStrength } from '../domain/factor-ledger.ts';
import type { LastingSigner } from '../domain/ports.ts';
import { RECOVERY_RECORD_JWS_TYPE, type RecoveryRecordFile } from '../domain/recovery-record.ts';
import type { RecoverySubject } from '../domain/recovery.ts';
import type { Database, Tx } from './connection.ts';
import { signStatement } from './receipt-signing.ts';
import { readRecovery, type RecoveryRecord } from './recovery.ts';

type Unsigned = Omit<RecoveryRecordFile, 'signature'>;

/** undefined: there is no such case, or its record is kept no more. */
export async function recoveryRecordOf(
  tx: Tx,
  subject: RecoverySubject,
  iss: string,
): Promise<Unsigned | undefined> {
  const record = await readRecovery(tx, subject);
  if (record === undefined) return undefined;
  const [pinned] = await tx<{ version: number }[]>`
    select c.policy_version as version
    from ceremony c join recovery r on r.tenant_id = c.tenant_id and r.recovery_id = c.ceremony_id
    where c.tenant_id = ${subject.tenantId} and c.ceremony_id = ${subject.recoveryId} and r.record_swept_at is null`;
  if (pinned === undefined) return undefined;
  return {
    type: 'latchkey-recovery-record',
    version: 1,
    iss,
    tenant: record.tenantId,
    recoveryId: record.recoveryId,
    customer: record.customerId,
    policy: String(pinned.version),
    epoch: record.epoch,
    report: record.report,
    reportedDevice: record.reportedDeviceId,
    openedBy: { kind: record.openedByKind, id: record.openedBy },
    risk: record.risk,
    required: {
      identityStrength: record.requirement.ledger.identityStrength,
      contacts: record.requirement.ledger.contacts,
      people: record.people,
      coolingSeconds: record.requirement.coolingSeconds,
    },
    revision: record.revision,
    state: record.state,
    outcome: record.outcome,
    reason: record.reason,
    newDevice: record.newDeviceId,
    times: {
      openedAt: iso(record.createdAtMs),
      coolingFrom: isoOrNull(record.coolingFromMs),
      endedAt: isoOrNull(record.endedAtMs),
      keptUntil: isoOrNull(
        record.endedAtMs === null
          ? null
          : record.endedAtMs + record.policy.recovery.recordSeconds * 1000,
      ),
      sealedAt: iso(record.nowMs),
    },
    evidence: evidenceOf(record),
    decisions: await decisionsOf(tx, subject),
  };
}

/** @throws LatchkeyError vendor_unavailable */
export async function signRecoveryRecord(
  tools: { readonly database: Pick<Database, 'tenant'>; readonly signer: LastingSigner },
  record: Unsigned,
): Promise<RecoveryRecordFile> {
  const { signature } = await signStatement(tools, {
    tenantId: record.tenant,
    typ: RECOVERY_RECORD_JWS_TYPE,
    iss: record.iss,
    sub: record.recoveryId,
    // Interfaces have no index signature; every member is JSON.
    claims: record as unknown as JsonValue,
  });
  return { ...record, signature };
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const isoOrNull = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : iso(milliseconds);

function evidenceOf({ ledger, epoch }: RecoveryRecord): Unsigned['evidence'] {
  return ledger.map((entry) => ({
    factorId: entry.factorId,
    method: entry.method,
    kind: FACTOR_METHODS[entry.method].factor,
    channel: FACTOR_METHODS[entry.method].channel,
    strength: entry.isVoid ? 0 : factorStrength(entry, epoch),
    evidenceId: entry.evidenceId,
    epoch: entry.epoch,
    isOnReportedHandset: entry.isOnReportedHandset,
    recordedBy: { kind: entry.recordedByKind, id: entry.recordedBy },
    employee: entry.recordedEmployee,
    recordedAt: iso(entry.recordedAtMs),
    confirmedBy: entry.confirmedBy,
    isVoid: entry.isVoid,
  }));
}

async function decisionsOf(
  tx: Tx,
  { tenantId, recoveryId }: RecoverySubject,
): Promise<Unsigned['decisions']> {
  const rows = await tx<
    (Omit<Unsigned['decisions'][number], 'decidedAt' | 'voidedAt'> & {
      readonly decidedAt: Date;
      readonly voidedAt: Date | null;
    })[]
  >`
    select decision_id, kind, revision, reason, staff_id as staff, employee, decided_at, voided_at from recovery_decision
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId} order by decided_at, decision_id`;
  return rows.map(({ decidedAt, voidedAt, ...row }) => ({
    ...row,
    decidedAt: decidedAt.toISOString(),
    voidedAt: voidedAt?.toISOString() ?? null,
  }));
}
