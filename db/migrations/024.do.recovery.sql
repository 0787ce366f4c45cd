-- Account recovery. A request is what anybody may send about a number or an address: no customer is named, nothing is restricted, staff see nothing.
-- A case begins when a contact has answered, or staff open it with the caller on the line: a ceremony and a row here.
alter table ceremony drop constraint ceremony_kind_check;
alter table ceremony add constraint ceremony_kind_check check (kind in ('enrollment', 'step_up', 'recovery'));
alter table ceremony add constraint ceremony_recovery_state check
  (kind <> 'recovery' or state in ('starting', 'contact', 'identity', 'review', 'cooling', 'rebind', 'held', 'ended'));
-- One case at a time: whoever asks again joins it.
create unique index ceremony_open_recovery on ceremony (tenant_id, customer_id) where kind = 'recovery' and outcome is null;
-- The queue of staff: open cases by what they wait for, the oldest first.
create index ceremony_recovery_queue on ceremony (tenant_id, state, created_at) where kind = 'recovery' and outcome is null;

create table recovery (
  tenant_id              text not null,
  recovery_id            text not null,
  customer_id            text not null,
  opened_by_kind         text not null check (opened_by_kind in ('customer', 'staff')),
  -- The contact of a request, or a member of staff.
  opened_by              text not null,
  report                 text not null check (report in ('lost', 'stolen', 'broken', 'replaced')),
  reported_device_id     text,
  -- The phone that is to be bound: client and session key of whoever holds the app; null while staff alone work on it.
  client_id              text,
  jkt                    text,
  risk                   text not null check (risk in ('not_evaluated', 'low', 'medium', 'high')),
  -- As domain/recovery-policy.ts found it; later doubt only ever adds.
  contacts_required      integer not null check (contacts_required between 1 and 2),
  people_required        integer not null check (people_required between 0 and 2),
  cooling_seconds        integer not null check (cooling_seconds >= cooling_floor_seconds),
  cooling_floor_seconds  integer not null check (cooling_floor_seconds >= 0),
  review_due_at          timestamptz,
  cooling_from           timestamptz,
  held_at                timestamptz,
  -- Checks of the person that were begun before do not count: the case was sent back or released since.
  identity_from          timestamptz,
  -- Counts every change that an approval must have seen.
  revision               integer not null default 0,
  -- The member of staff who works on it.
  claimed_by             text,
  claimed_at             timestamptz,
  escalated_at           timestamptz,
  -- Where it ended well.
  new_device_id          text,
  new_credential_id      text,
  revocation_id          text,
  limited_until          timestamptz,
  primary key (tenant_id, recovery_id),
  foreign key (tenant_id, recovery_id) references ceremony,
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, client_id) references client,
  foreign key (tenant_id, reported_device_id) references device,
  foreign key (tenant_id, new_device_id) references device,
  foreign key (tenant_id, new_credential_id) references credential,
  foreign key (tenant_id, revocation_id) references revocation,
  foreign key (tenant_id, claimed_by) references staff,
  check ((client_id is null) = (jkt is null)),
  check ((claimed_by is null) = (claimed_at is null))
);

create table recovery_request (
  tenant_id    text not null references tenant,
  request_id   text not null,
  client_id    text not null,
  jkt          text not null,
  contact_kind text not null check (contact_kind in ('phone', 'email')),
  blind_index  bytea not null,
  locale       text not null,
  report       text not null check (report in ('lost', 'stolen', 'broken', 'replaced')),
  status       text not null check (status in ('sent', 'proved', 'superseded', 'exhausted')),
  -- Typed codes, and check numbers at the link: counted apart, each bounded.
  wrong_codes  integer not null default 0,
  wrong_checks integer not null default 0,
  created_at   timestamptz not null,
  expires_at   timestamptz not null,
  proved_at    timestamptz,
  recovery_id  text,
  primary key (tenant_id, request_id),
  foreign key (tenant_id, client_id) references client,
  foreign key (tenant_id, recovery_id) references recovery,
  check ((status = 'proved') = (proved_at is not null and recovery_id is not null))
);
create index recovery_request_of_contact on recovery_request (tenant_id, contact_kind, blind_index, created_at);
create index recovery_request_of_key on recovery_request (tenant_id, jkt, created_at);
create index recovery_request_expiry on recovery_request (tenant_id, expires_at);

-- The factor ledger: what was proved, how, when, by whom. Written once; what stops counting is marked, never taken away.
create table recovery_factor (
  tenant_id             text not null,
  factor_id             text not null,
  recovery_id           text not null,
  customer_id           text not null,
  method                text not null check (method in ('email_link', 'email_code', 'sms_link', 'sms_code', 'call_back', 'liveness', 'branch', 'video', 'document', 'verified_call', 'passkey')),
  handset               text,
  epoch                 integer not null,
  on_reported_handset   boolean not null default false,
  -- The request, attempt, step-up or document that shows it.
  evidence_id           text not null,
  recorded_by_kind      text not null check (recorded_by_kind in ('customer', 'vendor', 'staff')),
  recorded_by           text not null,
  recorded_employee     text,
  recorded_at           timestamptz not null,
  confirmed_by          text,
  confirmed_employee    text,
  confirmed_at          timestamptz,
  voided_at             timestamptz,
  primary key (tenant_id, factor_id),
  unique (tenant_id, recovery_id, method, evidence_id),
  foreign key (tenant_id, recovery_id) references recovery,
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, confirmed_by) references staff,
  check ((recorded_by_kind = 'staff') = (recorded_employee is not null)),
  check ((confirmed_by is null) = (confirmed_at is null) and (confirmed_by is null) = (confirmed_employee is null)),
  constraint recovery_factor_two_people check (
    confirmed_by is null
    or (recorded_by_kind = 'staff' and confirmed_by <> recorded_by and not latchkey_same_person(confirmed_employee, recorded_employee)))
);
create index recovery_factor_of_case on recovery_factor (tenant_id, recovery_id);

-- Who looked at a case as it stood and what they said; an edit of the case since makes an approval void.
create table recovery_decision (
  tenant_id    text not null,
  decision_id  text not null,
  recovery_id  text not null,
  kind         text not null check (kind in ('approve', 'refuse', 'send_back', 'release')),
  revision     integer not null,
  reason       text not null,
  staff_id     text not null,
  employee     text not null,
  decided_at   timestamptz not null,
  voided_at    timestamptz,
  primary key (tenant_id, decision_id),
  foreign key (tenant_id, recovery_id) references recovery,
  foreign key (tenant_id, staff_id) references staff
);
-- One natural person approves once.
create unique index recovery_decision_person on recovery_decision (tenant_id, recovery_id, lower(employee))
  where kind = 'approve' and voided_at is null;

-- Codes and vendor checks of a recovery are attempts as an enrollment's are.
alter table step_attempt drop constraint step_attempt_method_check;
alter table step_attempt add constraint step_attempt_method_check
  check (method in ('sms_otp', 'email_otp', 'identity_vendor', 'liveness_vendor'));
-- Of a liveness check: the key it is bound to, when the vendor's session ends, and the figures that the policy judged. No picture, ever.
alter table step_attempt
  add column jkt text,
  add column vendor_expires_at timestamptz,
  add column liveness_confidence numeric(6, 3),
  add column match_confidence numeric(6, 3);

do $$
declare t text;
begin
  foreach t in array array['recovery', 'recovery_request', 'recovery_factor', 'recovery_decision'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy tenant_only on %I to latchkey_app using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant())', t);
  end loop;
end $$;
grant select, insert, update on recovery to latchkey_app;
grant select, insert, delete on recovery_request to latchkey_app;
grant update (status, wrong_codes, wrong_checks, proved_at, recovery_id) on recovery_request to latchkey_app;
grant select, insert on recovery_factor, recovery_decision to latchkey_app;
grant update (on_reported_handset, confirmed_by, confirmed_employee, confirmed_at, voided_at) on recovery_factor to latchkey_app;
grant update (voided_at) on recovery_decision to latchkey_app;

-- Every policy gains the numbers of recovery: none could have set them before.
update policy set document = document || '{"recovery":{"linkSeconds":900,"contactSeconds":86400,"identitySeconds":259200,"maxLivenessAttempts":5,"minLivenessConfidence":90,"minMatchConfidence":95,"reviewSeconds":604800,"reviewSlaSeconds":14400,"peopleLow":1,"peopleMedium":2,"peopleHigh":2,"coolingLowSeconds":3600,"coolingMediumSeconds":86400,"coolingHighSeconds":259200,"coolingFloorSeconds":900,"recentChangeSeconds":2592000,"recentChangeFloorSeconds":86400,"rebindSeconds":259200,"abandonSeconds":1814400,"maxUpdates":100,"limitedSeconds":259200,"objectionSeconds":2592000,"requestsPerContact":5,"requestIntervalSeconds":3600,"recordSeconds":220752000}}';
