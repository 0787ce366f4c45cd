-- The queue's order as an index: a page of ten thousand open cases reads the rows of that page, not all of them. What came before a supervisor is
-- first, then what is to be reviewed, then what waits for the customer. Only cases that have not ended stand in it: an end sets `record_until`.
alter table recovery add column opened_at timestamptz;
update recovery r set opened_at = c.created_at from ceremony c where c.tenant_id = r.tenant_id and c.ceremony_id = r.recovery_id;
alter table recovery alter column opened_at set not null, alter column opened_at set default latchkey_now();
alter table recovery
  add column queue_rank integer not null
    generated always as (case when escalated_at is not null then 0 when review_due_at is not null then 1 else 2 end) stored,
  add column queue_since timestamptz not null generated always as (coalesce(escalated_at, review_due_at, opened_at)) stored;
create index recovery_queue on recovery (tenant_id, queue_rank, queue_since, recovery_id)
  where record_until is null and record_swept_at is null;
drop index ceremony_recovery_queue;
