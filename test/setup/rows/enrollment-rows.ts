/** What the tables say of one enrollment: for tests that look at what a request or a timer left behind, or took away. */
import type { Tx } from '../../../db/connection.ts';

/** A test's API or bed: transactions bound to its tenant. */
interface Rows {
  inTenant<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

interface Subject {
  readonly enrollmentId: string;
}

/** What is left of somebody who was erased. */
export const ERASED = {
  status: 'erased',
  hasKey: false,
  contacts: 0,
  details: 0,
  submissions: 0,
  devices: 0,
  credentials: 0,
};

/** Everything that could say who somebody was. */
export async function tracesOf(rows: Rows, { enrollmentId }: Subject): Promise<unknown> {
  const [row] = await rows.inTenant(
    async (tx) =>
      await tx`
      select cu.status,
        (select sealed_key is not null from customer_key k where k.customer_id = cu.customer_id) as has_key,
        (select count(*)::integer from contact o where o.customer_id = cu.customer_id) as contacts,
        (select count(*)::integer from step_attempt a where a.ceremony_id = c.ceremony_id and sealed_detail is not null) as details,
        (select count(*)::integer from step_submission s where s.ceremony_id = c.ceremony_id and sealed_payload is not null) as submissions,
        (select count(*)::integer from device d where d.customer_id = cu.customer_id) as devices,
        (select count(*)::integer from credential r where r.customer_id = cu.customer_id) as credentials
      from ceremony c join customer cu using (tenant_id, customer_id) where c.ceremony_id = ${enrollmentId}`,
  );
  return { ...row };
}

/** The row with the number of everything that hangs on it: equal before and after whatever must change nothing. */
export async function footprintOf(rows: Rows, { enrollmentId }: Subject): Promise<unknown> {
  return await rows.inTenant(
    async (tx) =>
      await tx`
      select state, seq, outcome, reason,
        (select count(*) from step_submission s where s.ceremony_id = c.ceremony_id and used_at is not null) as submissions,
        (select count(*) from step_attempt a where a.ceremony_id = c.ceremony_id) as attempts,
        (select coalesce(sum(wrong_count), 0) from step_attempt a where a.ceremony_id = c.ceremony_id) as wrong,
        (select count(*) from device d where d.customer_id = c.customer_id) as devices,
        (select count(*) from audit u where u.ceremony_id = c.ceremony_id) as audit
      from ceremony c where ceremony_id = ${enrollmentId}`,
  );
}

/** Whether its workflow has said that it closes. */
export async function hasClosed(rows: Rows, { enrollmentId }: Subject): Promise<boolean> {
  const found = await rows.inTenant(
    async (tx) =>
      await tx`
      select 1 from ceremony where ceremony_id = ${enrollmentId} and workflow_closed_at is not null`,
  );
  return found.length > 0;
}

/** Whether the vendor's own reference of a check stands in its row. */
export async function isReferenceKept(rows: Rows, attemptId: string): Promise<boolean> {
  const found = await rows.inTenant(
    async (tx) =>
      await tx`
      select 1 from step_attempt where attempt_id = ${attemptId} and vendor_reference is not null`,
  );
  return found.length > 0;
}
