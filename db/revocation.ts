/**
 * What follows a cut-off, as rows: sessions and ceremonies begun under an older epoch are ended and counted. It only tidies up what is dead
 * already: db/cut-off.ts decided. Lock order is customer → session → ceremony.
 */
import type { EnrollmentState } from '../domain/enrollment.ts';
import type { RevocationFacts } from '../domain/revocation.ts';
import { appendAudit } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import type { Tx } from './connection.ts';
import { notifyCustomer } from './contacts.ts';
import { enqueue } from './outbox.ts';
import { holdRecoveries } from './recovery-ends.ts';
import { recordSessionEnds } from './session-end-records.ts';
import { endRevokedStepUps } from './step-up-ends.ts';

/**
 * Ends what began under an older epoch, sessions and enrollments in one statement each and step-ups one by one, and adds their numbers to the revocation's
 * row. Safe to repeat: a second call finds only stragglers. Answers how many rows it ended now.
 */
export async function endRevokedRows(
  tx: Tx,
  args: { tenantId: string; revocationId: string },
): Promise<number> {
  const { tenantId, revocationId } = args;
  const [found] = await tx<{ customerId: string; newEpoch: number; told: boolean }[]>`
    select customer_id, new_epoch, rows_ended_at is not null or reason = 'recovered' as told from revocation
    where tenant_id = ${tenantId} and revocation_id = ${revocationId}`;
  if (found === undefined) return 0;
  const { customerId, newEpoch } = found;
  // Customer first: the lock order. It also lets no final grant be in flight between the two listings.
  await tx`select 1 from customer where tenant_id = ${tenantId} and customer_id = ${customerId} for update`;
  const sessions = await tx<{ id: string }[]>`
    update session set status = 'ended', end_reason = 'revoked', ended_at = latchkey_now(), revocation_id = ${revocationId}
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'live' and epoch < ${newEpoch}
    returning session_id as id`;
  const ceremonies = await tx<{ id: string; from: EnrollmentState }[]>`
    with open as materialized (
      select ceremony_id, state from ceremony
      where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'enrollment' and outcome is null
        and epoch < ${newEpoch}
      order by ceremony_id for update)
    update ceremony c
    set state = 'ended', outcome = 'revoked', reason = 'fraud', seq = seq + 1, step_deadline = null, ended_at = latchkey_now(),
        revocation_id = ${revocationId}
    from open where c.tenant_id = ${tenantId} and c.ceremony_id = open.ceremony_id
    returning c.ceremony_id as id, open.state as from`;
  const stepUps = await endRevokedStepUps(tx, { tenantId, customerId, newEpoch, revocationId });
  // Held, not ended: it is the owner's way back in.
  await holdRecoveries(tx, { tenantId, customerId, newEpoch, revocationId });
  const ceremoniesEnded = ceremonies.count + stepUps;
  const ended = sessions.count + ceremoniesEnded;
  await tx`
    update revocation
    set sessions_ended = coalesce(sessions_ended, 0) + ${sessions.count},
        ceremonies_ended = coalesce(ceremonies_ended, 0) + ${ceremoniesEnded},
        rows_ended_at = case when rows_ended_at is null or ${ended} > 0 then latchkey_now() else rows_ended_at end
    where tenant_id = ${tenantId} and revocation_id = ${revocationId} and status = 'running'`;
  for (const { from } of ceremonies) {
    noteFact(tx, {
      kind: 'ceremony_moved',
      ceremony: 'enrollment',
      from,
      to: 'ended',
      outcome: 'revoked',
      reason: 'fraud',
    });
  }
  await recordSessionEnds(tx, {
    tenantId,
    ended: sessions.map(({ id: sessionId }) => ({ sessionId, customerId, reason: 'revoked' })),
    actor: { kind: 'system', id: revocationId },
    revocationId,
    // Their workflows are woken by the revocation's own.
    wake: false,
  });
  for (const { id } of ceremonies) await recordEnd(tx, { tenantId, customerId, revocationId, id });
  if (!found.told) await notifyCustomer(tx, { tenantId, customerId, template: 'session_cut_off' });
  return ended;
}

async function recordEnd(
  tx: Tx,
  ended: {
    tenantId: string;
    customerId: string;
    revocationId: string;
    id: string;
  },
): Promise<void> {
  const { tenantId, customerId, revocationId, id } = ended;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'system', id: revocationId },
    action: 'enrollment.ended',
    subject: { kind: 'enrollment', id },
    customerId,
    ceremonyId: id,
    detail: { reason: 'revoked', revocationId },
  });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.enrollment_ended',
      data: { customerId, enrollmentId: id, outcome: 'revoked', reason: 'fraud', revocationId },
    },
  });
}

export async function revocationFacts(
  tx: Tx,
  args: { tenantId: string; revocationId: string },
): Promise<(RevocationFacts & { receipt: unknown }) | undefined> {
  const [row] = await tx<RevocationRow[]>`
    select * from revocation where tenant_id = ${args.tenantId} and revocation_id = ${args.revocationId}`;
  return row === undefined ? undefined : toFacts(row);
}

interface RevocationRow extends Omit<
  RevocationFacts,
  'effectiveAtMs' | 'lastTokenDiesAtMs' | 'rowsEndedAtMs' | 'sealedAtMs' | 'workflowsClosedAtMs'
> {
  readonly effectiveAt: Date;
  readonly lastTokenDiesAt: Date;
  readonly rowsEndedAt: Date | null;
  readonly sealedAt: Date | null;
  readonly workflowsClosedAt: Date | null;
  readonly receipt: unknown;
}

function toFacts(row: RevocationRow): RevocationFacts & { receipt: unknown } {
  return {
    revocationId: row.revocationId,
    customerId: row.customerId,
    status: row.status,
    reason: row.reason,
    requestedBy: row.requestedBy,
    oldEpoch: row.oldEpoch,
    newEpoch: row.newEpoch,
    effectiveAtMs: row.effectiveAt.getTime(),
    lastTokenDiesAtMs: row.lastTokenDiesAt.getTime(),
    devices: row.devices,
    credentials: row.credentials,
    sessionsEnded: row.sessionsEnded,
    ceremoniesEnded: row.ceremoniesEnded,
    rowsEndedAtMs: row.rowsEndedAt?.getTime() ?? null,
    sealedAtMs: row.sealedAt?.getTime() ?? null,
    workflowsClosedAtMs: row.workflowsClosedAt?.getTime() ?? null,
    receipt: row.receipt,
  };
}
