-- What staff decide: a release of a hold is asked for by one person and approved by another. Natural persons are compared, by employee id as the
-- directory spells it: two accounts of one person are one person, whatever the case of a letter.
create function latchkey_same_person(one text, other text) returns boolean
  language sql immutable parallel safe
  as $$ select lower(one) = lower(other) $$;

create table approval (
  tenant_id         text not null references tenant,
  approval_id       text not null,
  hold_id           text not null,
  customer_id       text not null,
  reason            text not null,
  status            text not null check (status in ('pending', 'approved', 'declined', 'expired', 'void')),
  -- Over the hold and all that its release would reinstate, as it stood when it was asked for.
  state_hash        bytea not null,
  prepared_by       text not null,
  prepared_employee text not null,
  prepared_at       timestamptz not null,
  expires_at        timestamptz not null,
  decided_by        text,
  decided_employee  text,
  decided_at        timestamptz,
  primary key (tenant_id, approval_id),
  foreign key (tenant_id, hold_id) references hold,
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, prepared_by) references staff,
  foreign key (tenant_id, decided_by) references staff,
  check ((status = 'pending') = (decided_at is null)),
  check ((status = 'approved' or status = 'declined') = (decided_by is not null and decided_employee is not null)),
  constraint approval_four_eyes check (
    status <> 'approved' or (decided_by <> prepared_by and not latchkey_same_person(decided_employee, prepared_employee)))
);
create unique index approval_pending on approval (tenant_id, hold_id) where status = 'pending';

alter table approval enable row level security;
create policy tenant_only on approval to latchkey_app
  using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant());
grant select, insert on approval to latchkey_app;
-- What was asked for, by whom and until when, stays as it was written.
grant update (status, decided_by, decided_employee, decided_at) on approval to latchkey_app;

-- How often a member of staff looked for customers lately, as one instant (db/staff-desk.ts). It goes with the account, not with a session of it.
alter table staff add column search_free_at timestamptz;
grant update (search_free_at) on staff to latchkey_app;

alter table session drop constraint session_end_reason_check;
alter table session add constraint session_end_reason_check check (end_reason in
  ('expired_idle', 'expired_absolute', 'logged_out', 'ended_by_customer', 'ended_by_staff', 'superseded', 'revoked', 'reuse_detected'));

-- Every policy gains the numbers: none could have set them before.
update policy set document = document
  || '{"approval": {"ttlSeconds": 3600}, "staffSearch": {"searchesAtOnce": 20, "intervalSeconds": 15}}';
