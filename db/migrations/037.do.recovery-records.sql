-- How long the identification record of a recovery is kept: its evidence and decisions, from the case's end for as long as the policy that it
-- began with says. No earlier can anybody delete them, whatever the application asks; while the customer is on hold, or has another case open,
-- they are kept beyond.
alter table recovery add column record_until timestamptz, add column record_swept_at timestamptz;
create index recovery_record_due on recovery (tenant_id, record_until) where record_until is not null;

update recovery r set record_until = c.ended_at + make_interval(secs => (p.document -> 'recovery' ->> 'recordSeconds')::double precision)
from ceremony c join policy p on p.tenant_id = c.tenant_id and p.version = c.policy_version
where c.tenant_id = r.tenant_id and c.ceremony_id = r.recovery_id and c.outcome is not null;

create function latchkey_is_record_due(case_tenant text, case_id text) returns boolean
  language sql stable
  as $$
    select exists (
      select from recovery r
      where r.tenant_id = case_tenant and r.recovery_id = case_id and r.record_until <= latchkey_now()
        and not exists (
          select from hold h where h.tenant_id = r.tenant_id and h.customer_id = r.customer_id and h.status = 'active')
        and not exists (
          select from ceremony c
          where c.tenant_id = r.tenant_id and c.customer_id = r.customer_id and c.kind = 'recovery' and c.outcome is null)) $$;

create function latchkey_keep_recovery_record() returns trigger
  language plpgsql
  as $$
begin
  if not latchkey_is_record_due(old.tenant_id, old.recovery_id) then
    raise exception 'the record of a recovery is kept' using errcode = 'check_violation', constraint = 'recovery_record_kept';
  end if;
  return old;
end $$;
create trigger recovery_record_kept before delete on recovery_factor for each row execute function latchkey_keep_recovery_record();
create trigger recovery_record_kept before delete on recovery_decision for each row execute function latchkey_keep_recovery_record();
grant delete on recovery_factor, recovery_decision to latchkey_app;
