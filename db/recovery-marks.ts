/**
 * What tells that a case has changed, for whoever has it on the screen, and whether that member of staff may still look. Counts and ids only; a case is
 * read anew by its own operation.
 */
import { standingRoles, type StaffRole } from '../domain/staff.ts';
import type { Tx } from './connection.ts';

export interface RecoveryMark {
  readonly recoveryId: string;
  readonly revision: number;
  readonly seq: number;
  /** Everything that happens to a case is a row of the audit trail; a count never misses one that commits late. */
  readonly entries: number;
}

export async function marksOfRecoveries(
  tx: Tx,
  tenantId: string,
  recoveryIds: readonly string[],
): Promise<readonly RecoveryMark[]> {
  return await tx<RecoveryMark[]>`
    select r.recovery_id, r.revision, c.seq::integer as seq,
      (select count(*)::integer from audit a where a.tenant_id = c.tenant_id and a.ceremony_id = c.ceremony_id) as entries
    from recovery r join ceremony c on c.tenant_id = r.tenant_id and c.ceremony_id = r.recovery_id
    where r.tenant_id = ${tenantId} and r.recovery_id = any(${[...recoveryIds]})`;
}

interface SessionRow {
  readonly staffSessionId: string;
  readonly status: 'live' | 'ended';
  readonly sessionRoles: readonly StaffRole[];
  readonly staffRoles: readonly StaffRole[];
  readonly idleDeadline: Date;
  readonly absoluteDeadline: Date;
  readonly now: Date;
}

/** Those of the sessions that stand, with a role that may look. Asking does not keep one awake. */
export async function sessionsThatMayLook(
  tx: Tx,
  tenantId: string,
  {
    staffSessionIds,
    roles,
  }: { readonly staffSessionIds: readonly string[]; readonly roles: readonly StaffRole[] },
): Promise<ReadonlySet<string>> {
  const rows = await tx<SessionRow[]>`
    with t as materialized (select latchkey_now() as now)
    select s.staff_session_id, s.status, s.roles as session_roles, f.roles as staff_roles, s.idle_deadline, s.absolute_deadline, t.now
    from t, staff_session s join staff f on f.tenant_id = s.tenant_id and f.staff_id = s.staff_id
    where s.tenant_id = ${tenantId} and s.staff_session_id = any(${[...staffSessionIds]})`;
  const standing = rows.filter(({ idleDeadline, absoluteDeadline, now, ...session }) =>
    standingRoles(
      {
        ...session,
        idleDeadlineMs: idleDeadline.getTime(),
        absoluteDeadlineMs: absoluteDeadline.getTime(),
      },
      now.getTime(),
    ).some((role) => roles.includes(role)),
  );
  return new Set(standing.map(({ staffSessionId }) => staffSessionId));
}
