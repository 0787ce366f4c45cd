-- Submissions that no activity ever took are removed once no Idempotency-Key can bring their request back.
create index step_submission_unused on step_submission (tenant_id, not_after) where used_at is null;
grant delete on step_submission to latchkey_app;
