/**
 * The audit trail: one row for each thing that happened, written in the transaction that made it happen. Rows are appended, never
 * changed (the application's role has no right to), and `detail` must never hold personal data or secrets.
 */
import type postgres from 'postgres';
import type { Sql, Tx } from './connection.ts';

/** `system` is what Temporal drives; every other kind decided by a call of its own. */
export type ActorKind = 'customer' | 'machine' | 'vendor' | 'system' | 'operator' | 'staff';

export interface Actor {
  readonly kind: ActorKind;
  readonly id: string;
}

export interface AuditEntry {
  readonly tenantId: string;
  readonly actor: Actor;
  /** Dotted, in the past tense: `session.created`. */
  readonly action: string;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly customerId?: string | undefined;
  readonly ceremonyId?: string | undefined;
  readonly detail?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

/** Answers the new row's id. */
export async function appendAudit(tx: Tx, entry: AuditEntry): Promise<string> {
  const [row] = await tx<{ auditId: string }[]>`${insertAudit(tx, entry)} returning audit_id`;
  if (row === undefined) throw new TypeError('an insert answers its row');
  return row.auditId;
}

/** The same as a fragment, for a statement that writes more. `found` is jsonb that only the statement knows: it goes over the detail. */
export function insertAudit(sql: Sql, entry: AuditEntry, found?: postgres.Fragment) {
  const { tenantId, actor, action, subject, customerId, ceremonyId, detail } = entry;
  return sql`
    insert into audit (tenant_id, actor_kind, actor_id, action, subject_kind, subject_id, customer_id, ceremony_id, detail)
    values (${tenantId}, ${actor.kind}, ${actor.id}, ${action}, ${subject.kind}, ${subject.id},
      ${customerId ?? null}, ${ceremonyId ?? null}, ${sql.json(detail ?? {})} ${found === undefined ? sql`` : sql`|| ${found}`})`;
}
