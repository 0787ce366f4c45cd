-- A step-up is a ceremony that a requester asked for: no app's key began it, and its customer may answer from any trusted device.
alter table ceremony drop constraint ceremony_kind_check;
alter table ceremony add constraint ceremony_kind_check check (kind in ('enrollment', 'step_up'));
alter table ceremony alter column client_id drop not null, alter column jkt drop not null;
alter table ceremony add constraint ceremony_enrollment_caller check (kind <> 'enrollment' or (client_id is not null and jkt is not null));
alter table ceremony add constraint ceremony_step_up_state check
  (kind <> 'step_up' or state in ('starting', 'open', 'second_factor', 'approved', 'ended'));

-- `kind:id` of who asked for a step-up. One answer at a time is waited for, whoever asks in parallel.
alter table ceremony add column requester text;
alter table ceremony add constraint ceremony_requester check ((kind = 'step_up') = (requester is not null));
create unique index ceremony_pending_step_up on ceremony (tenant_id, customer_id, requester)
  where kind = 'step_up' and state in ('starting', 'open', 'second_factor');
create index ceremony_refused_step_up on ceremony (tenant_id, customer_id, requester, ended_at)
  where kind = 'step_up' and outcome = 'denied';
create index ceremony_step_up_of_customer on ceremony (tenant_id, customer_id, created_at) where kind = 'step_up';

create table step_up (
  tenant_id           text not null,
  step_up_id          text not null,
  customer_id         text not null,
  requester_kind      text not null check (requester_kind in ('client', 'staff', 'login')),
  requester_id        text not null,
  action_type         text not null,
  -- The canonical action, the requester's reference and name, under the customer's key.
  sealed_request      bytea not null,
  -- HMAC of the reference: a newer request for the same one supersedes.
  reference_index     bytea not null,
  -- What the requester named; null where any trusted device may answer.
  session_id          text,
  device_id           text,
  credential_id       text,
  at_least            text check (at_least in ('latchkey:3', 'latchkey:4')),
  required            text not null check (required in ('latchkey:3', 'latchkey:4')),
  delay_seconds       integer not null default 0 check (delay_seconds >= 0),
  -- What it adds to the day's total, and the total with it; null where the action moves no money.
  spend_currency      text,
  spend_day           date,
  spend_minor         numeric(30),
  day_total_minor     numeric(30),
  -- As it was opened last: by whom, and what they were sent.
  opened_device_id    text,
  opened_session_id   text,
  opened_as           bytea,
  opened_at           timestamptz,
  sealed_preimage     bytea,
  challenge           bytea check (octet_length(challenge) = 32),
  -- Who approved with what.
  approved_device_id  text,
  approved_session_id text,
  approved_credential text,
  risk                text,
  proved_at           timestamptz,
  approved_at         timestamptz,
  consumable_at       timestamptz,
  consume_by          timestamptz,
  consumed_at         timestamptz,
  receipt_id          text,
  primary key (tenant_id, step_up_id),
  foreign key (tenant_id, step_up_id) references ceremony,
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, session_id) references session,
  foreign key (tenant_id, device_id) references device,
  foreign key (tenant_id, approved_device_id) references device,
  foreign key (tenant_id, approved_credential) references credential,
  check ((challenge is null) = (sealed_preimage is null)),
  check ((approved_at is null) = (consume_by is null)),
  check (consumed_at is null or approved_at is not null),
  check ((spend_currency is null) = (spend_minor is null) and (spend_currency is null) = (spend_day is null))
);

-- What a customer was asked for on one day (UTC) in one currency, whatever it took to approve it: splitting an amount does not evade a threshold.
create table step_up_spend (
  tenant_id   text not null,
  customer_id text not null,
  currency    text not null check (currency ~ '^[A-Z]{3}$'),
  day         date not null,
  total_minor numeric(30) not null check (total_minor >= 0),
  primary key (tenant_id, customer_id, currency, day),
  foreign key (tenant_id, customer_id) references customer
);
create index step_up_spend_day on step_up_spend (tenant_id, day);

-- What proves an approval, sealed under the customer's key: written once, never changed.
create table step_up_evidence (
  tenant_id   text not null,
  step_up_id  text not null,
  factor      text not null check (factor in ('keys', 'code')),
  customer_id text not null,
  sealed      bytea not null,
  audit_id    text not null,
  recorded_at timestamptz not null,
  primary key (tenant_id, step_up_id, factor),
  foreign key (tenant_id, step_up_id) references step_up,
  foreign key (tenant_id, customer_id) references customer
);

do $$
declare t text;
begin
  foreach t in array array['step_up', 'step_up_spend', 'step_up_evidence'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy tenant_only on %I to latchkey_app using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant())', t);
  end loop;
end $$;
grant select, insert, update on step_up to latchkey_app;
grant select, insert, update, delete on step_up_spend to latchkey_app;
grant select, insert on step_up_evidence to latchkey_app;
