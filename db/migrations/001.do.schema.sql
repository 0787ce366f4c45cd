-- Latchkey's tables. Run by the owner; the application connects as latchkey_app, which owns nothing, bypasses nothing
-- and sees only the tenant that its transaction has bound with set_config('latchkey.tenant', …, true).

create function latchkey_now() returns timestamptz
  language sql volatile parallel restricted
  as $$ select clock_timestamp() $$;

create function latchkey_tenant() returns text
  language sql stable parallel safe
  as $$ select nullif(current_setting('latchkey.tenant', true), '') $$;

-- Ids of rows that only the database names: prefix and UUIDv7 (RFC 9562 section 5.7), as domain/ids.ts makes them.
create function latchkey_id(prefix text) returns text
  language sql volatile parallel restricted
  as $$
    select prefix || '_' || lpad(to_hex(floor(extract(epoch from latchkey_now()) * 1000)::bigint), 12, '0') || '7'
      || substr(replace(gen_random_uuid()::text, '-', ''), 14)
  $$;

create table tenant (
  tenant_id   text primary key,
  slug        text not null unique check (slug ~ '^[a-z][a-z0-9-]{0,62}$'),
  name        text not null,
  rp_id       text not null,
  origins     text[] not null check (cardinality(origins) > 0),
  created_at  timestamptz not null default latchkey_now()
);

create table policy (
  tenant_id    text not null references tenant,
  version      integer not null check (version > 0),
  document     jsonb not null,
  prepared_by  text not null,
  approved_by  text not null check (approved_by <> prepared_by),
  activated_at timestamptz not null default latchkey_now(),
  primary key (tenant_id, version)
);

create table client (
  tenant_id       text not null references tenant,
  client_id       text not null,
  kind            text not null check (kind in ('app', 'machine')),
  name            text not null,
  status          text not null default 'active' check (status in ('active', 'disabled')),
  scopes          text[] not null default '{}',
  allowed_origins text[] not null default '{}',
  native_app_ids  text[] not null default '{}',
  jwks            jsonb,
  created_at      timestamptz not null default latchkey_now(),
  primary key (tenant_id, client_id),
  check ((kind = 'machine') = (jwks is not null))
);

-- A natural person, known by the blind index of the proofed document: one person never gets two customers by two numbers.
create table person (
  tenant_id      text not null references tenant,
  person_id      text not null,
  identity_index bytea not null,
  evidence_id    text not null,
  created_at     timestamptz not null default latchkey_now(),
  primary key (tenant_id, person_id),
  unique (tenant_id, identity_index)
);

create table customer (
  tenant_id       text not null references tenant,
  customer_id     text not null,
  status          text not null check (status in ('prospect', 'active', 'erased')),
  person_id       text,
  locale          text not null,
  security_epoch  integer not null default 1 check (security_epoch > 0),
  epoch_raised_at timestamptz,
  cut_off_seq     bigint not null default 0,
  created_at      timestamptz not null default latchkey_now(),
  activated_at    timestamptz,
  primary key (tenant_id, customer_id),
  foreign key (tenant_id, person_id) references person
);
create unique index customer_person on customer (tenant_id, person_id) where status = 'active';

-- The key that seals one customer's personal data, itself sealed under the key-encryption key kek_id.
-- Erasing a person is destroying this row's key.
create table customer_key (
  tenant_id    text not null,
  customer_id  text not null,
  kek_id       text not null,
  sealed_key   bytea,
  destroyed_at timestamptz,
  primary key (tenant_id, customer_id),
  foreign key (tenant_id, customer_id) references customer,
  check ((sealed_key is null) = (destroyed_at is not null))
);

create table contact (
  tenant_id    text not null,
  contact_id   text not null,
  customer_id  text not null,
  kind         text not null check (kind in ('phone', 'email')),
  status       text not null check (status in ('unproved', 'proved', 'replaced')),
  blind_index  bytea not null,
  sealed_value bytea not null,
  created_at   timestamptz not null default latchkey_now(),
  proved_at    timestamptz,
  primary key (tenant_id, contact_id),
  foreign key (tenant_id, customer_id) references customer
);
create unique index contact_proved on contact (tenant_id, kind, blind_index) where status = 'proved';
create index contact_of_customer on contact (tenant_id, customer_id);

create table device (
  tenant_id         text not null,
  device_id         text not null,
  customer_id       text not null,
  client_id         text not null,
  status            text not null check (status in ('pending', 'untrusted', 'trusted', 'restricted', 'suspended', 'revoked')),
  name              text not null,
  platform          text not null,
  session_jkt       text not null,
  session_jwk       jsonb not null,
  approval_jkt      text not null,
  approval_jwk      jsonb not null,
  attestation_level text not null check (attestation_level in ('software', 'hardware')),
  created_at        timestamptz not null default latchkey_now(),
  trusted_at        timestamptz,
  ended_at          timestamptz,
  suspended_by      text,
  suspended_from    text,
  primary key (tenant_id, device_id),
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, client_id) references client,
  check (session_jkt <> approval_jkt)
);
create unique index device_session_key on device (tenant_id, session_jkt) where status <> 'revoked';
create index device_of_customer on device (tenant_id, customer_id);

create table credential (
  tenant_id          text not null,
  credential_id      text not null,
  customer_id        text not null,
  device_id          text not null,
  webauthn_id        text not null,
  public_key         bytea not null,
  user_handle        bytea not null,
  sign_count         bigint not null,
  transports         text[] not null default '{}',
  aaguid             text not null,
  attestation_format text not null,
  backup_eligible    boolean not null,
  backed_up          boolean not null,
  status             text not null check (status in ('active', 'suspended', 'revoked')),
  created_at         timestamptz not null default latchkey_now(),
  last_used_at       timestamptz,
  suspended_by       text,
  primary key (tenant_id, credential_id),
  unique (tenant_id, webauthn_id),
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, device_id) references device
);
create index credential_of_customer on credential (tenant_id, customer_id);

create table revocation (
  tenant_id          text not null,
  revocation_id      text not null,
  customer_id        text not null,
  status             text not null check (status in ('running', 'sealed')),
  reason             text not null,
  requested_by       text not null,
  old_epoch          integer not null,
  new_epoch          integer not null check (new_epoch > old_epoch),
  effective_at       timestamptz not null,
  last_token_dies_at timestamptz not null,
  devices            integer not null,
  credentials        integer not null,
  sessions_ended     integer,
  ceremonies_ended   integer,
  rows_ended_at      timestamptz,
  sealed_at          timestamptz,
  receipt            jsonb,
  workflows_closed_at timestamptz,
  alarmed_at         timestamptz,
  heal_count         integer not null default 0,
  workflow_closed_at timestamptz,
  primary key (tenant_id, revocation_id),
  foreign key (tenant_id, customer_id) references customer,
  check ((status = 'sealed') = (receipt is not null))
);
create index revocation_open on revocation (tenant_id, revocation_id) where workflow_closed_at is null;

create table hold (
  tenant_id     text not null,
  hold_id       text not null,
  customer_id   text not null,
  revocation_id text not null,
  status        text not null check (status in ('active', 'released')),
  reason        text not null,
  placed_by     text not null,
  placed_at     timestamptz not null,
  released_by   text,
  released_at   timestamptz,
  primary key (tenant_id, hold_id),
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, revocation_id) references revocation,
  check ((status = 'released') = (released_at is not null and released_by is not null))
);
create unique index hold_active on hold (tenant_id, customer_id) where status = 'active';

-- One row is a session and its refresh token family. Only hashes of tokens are at rest.
create table session (
  tenant_id          text not null,
  session_id         text not null,
  customer_id        text not null,
  device_id          text,
  credential_id      text not null,
  client_id          text not null,
  status             text not null check (status in ('live', 'ended')),
  end_reason         text check (end_reason in ('expired_idle', 'expired_absolute', 'logged_out', 'ended_by_customer', 'superseded', 'revoked', 'reuse_detected')),
  epoch              integer not null,
  jkt                text not null,
  acr                text not null,
  amr                text[] not null,
  auth_time          timestamptz not null,
  scopes             text[] not null,
  risk               text not null,
  generation         integer not null default 0,
  current_hash       bytea not null,
  previous_hash      bytea,
  salt               bytea not null,
  key_id             text not null,
  request_hash       bytea,
  redeliveries       integer not null default 0,
  troubled           integer not null default 0,
  policy_version     integer not null,
  started_at         timestamptz not null,
  last_seen_at       timestamptz not null,
  idle_deadline      timestamptz not null,
  absolute_deadline  timestamptz not null,
  ended_at           timestamptz,
  revocation_id      text,
  heal_count         integer not null default 0,
  workflow_closed_at timestamptz,
  primary key (tenant_id, session_id),
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, device_id) references device,
  foreign key (tenant_id, credential_id) references credential,
  foreign key (tenant_id, client_id) references client,
  check ((status = 'ended') = (ended_at is not null and end_reason is not null)),
  check (idle_deadline <= absolute_deadline)
);
create index session_live_of_customer on session (tenant_id, customer_id) where status = 'live';
create index session_open_workflow on session (tenant_id, session_id) where workflow_closed_at is null;
create index session_due on session (tenant_id, idle_deadline) where status = 'live';

create table ceremony (
  tenant_id          text not null,
  ceremony_id        text not null,
  kind               text not null check (kind in ('enrollment')),
  customer_id        text not null,
  client_id          text not null,
  jkt                text not null,
  state              text not null,
  outcome            text check (outcome in ('completed', 'expired', 'cancelled', 'denied', 'revoked')),
  reason             text,
  seq                integer not null default 0,
  epoch              integer not null,
  policy_version     integer not null,
  locale             text not null,
  step_deadline      timestamptz,
  deadline           timestamptz not null,
  reminder_at        timestamptz,
  created_at         timestamptz not null,
  ended_at           timestamptz,
  device_id          text,
  revocation_id      text,
  heal_count         integer not null default 0,
  workflow_closed_at timestamptz,
  primary key (tenant_id, ceremony_id),
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, client_id) references client,
  foreign key (tenant_id, policy_version) references policy (tenant_id, version),
  check ((outcome is null) = (ended_at is null)),
  check (kind <> 'enrollment' or state in ('starting', 'phone', 'identity', 'identity_check', 'email', 'email_code', 'passkey', 'ended')),
  check ((state = 'ended') = (outcome is not null))
);
create index ceremony_open_of_customer on ceremony (tenant_id, customer_id) where outcome is null;
create index ceremony_open_workflow on ceremony (tenant_id, ceremony_id) where workflow_closed_at is null;
create index ceremony_of_key on ceremony (tenant_id, jkt, created_at);

-- One try at one step: a code that was sent (the code itself is derived from attempt_id, never stored) or a vendor's check.
create table step_attempt (
  tenant_id        text not null,
  attempt_id       text not null,
  ceremony_id      text not null,
  step             text not null,
  method           text not null check (method in ('sms_otp', 'email_otp', 'identity_vendor')),
  status           text not null check (status in ('open', 'matched', 'superseded', 'exhausted', 'failed')),
  contact_id       text,
  wrong_count      integer not null default 0,
  created_at       timestamptz not null,
  expires_at       timestamptz not null,
  resend_after     timestamptz,
  vendor_reference text,
  evidence_id      text,
  verdict          text,
  sealed_detail    bytea,
  primary key (tenant_id, attempt_id),
  foreign key (tenant_id, ceremony_id) references ceremony,
  foreign key (tenant_id, contact_id) references contact on delete set null (contact_id)
);
create index step_attempt_of_ceremony on step_attempt (tenant_id, ceremony_id, step);
create unique index step_attempt_open on step_attempt (tenant_id, ceremony_id, step) where status = 'open';

-- What an authenticated caller handed in for one step, sealed under the customer's key until an activity has used it.
create table step_submission (
  tenant_id      text not null,
  submission_id  text not null,
  ceremony_id    text not null,
  step           text not null,
  sealed_payload bytea,
  outcome        text,
  created_at     timestamptz not null,
  not_after      timestamptz not null,
  used_at        timestamptz,
  primary key (tenant_id, submission_id),
  foreign key (tenant_id, ceremony_id) references ceremony,
  check (used_at is null or (sealed_payload is null and outcome is not null))
);

create table spent_challenge (
  tenant_id      text not null references tenant,
  challenge_hash bytea not null,
  expires_at     timestamptz not null,
  primary key (tenant_id, challenge_hash)
);
create index spent_challenge_expiry on spent_challenge (tenant_id, expires_at);

-- Replay memory of DPoP proofs: a fixed ring, slot = minute of the proof's iat modulo 16. Emptied by latchkey_empty_dpop_slots().
create table dpop_jti (
  tenant_id text not null,
  slot      smallint not null,
  jti_hash  bytea not null,
  seen_at   timestamptz not null,
  primary key (slot, tenant_id, jti_hash)
) partition by list (slot);

create table outbox (
  tenant_id    text not null references tenant,
  outbox_id    text not null default latchkey_id('out'),
  position     bigint generated always as identity,
  topic        text not null,
  subject      text not null,
  payload      jsonb not null,
  status       text not null default 'pending' check (status in ('pending', 'delivered', 'dead')),
  attempts     integer not null default 0,
  not_before   timestamptz not null default latchkey_now(),
  leased_until timestamptz,
  leased_by    text,
  error_code   text,
  created_at   timestamptz not null default latchkey_now(),
  delivered_at timestamptz,
  primary key (tenant_id, outbox_id)
);
create index outbox_pending on outbox (tenant_id, not_before, position) where status = 'pending';
create index outbox_head on outbox (tenant_id, topic, subject, position) where status = 'pending';

create table audit (
  tenant_id    text not null references tenant,
  audit_id     text not null default latchkey_id('aud'),
  position     bigint generated always as identity,
  at           timestamptz not null default latchkey_now(),
  actor_kind   text not null check (actor_kind in ('customer', 'machine', 'vendor', 'system', 'operator')),
  actor_id     text not null,
  action       text not null,
  subject_kind text not null,
  subject_id   text not null,
  customer_id  text,
  ceremony_id  text,
  detail       jsonb not null default '{}',
  primary key (tenant_id, audit_id)
);
create index audit_position on audit (tenant_id, position);
create index audit_of_customer on audit (tenant_id, customer_id, position);
create index audit_of_ceremony on audit (tenant_id, ceremony_id, position);

-- A digest of the request and a reference to its outcome; never an answer with tokens, codes or links.
create table idempotency (
  tenant_id   text not null references tenant,
  caller      text not null,
  operation   text not null,
  key_hash    bytea not null,
  body_hash   bytea not null,
  reference   text,
  status      integer,
  created_at  timestamptz not null default latchkey_now(),
  expires_at  timestamptz not null,
  primary key (tenant_id, caller, operation, key_hash)
);
create index idempotency_expiry on idempotency (tenant_id, expires_at);

create table signing_key (
  tenant_id      text not null references tenant,
  key_id         text not null,
  purpose        text not null check (purpose in ('access_token', 'id_token', 'receipt')),
  public_jwk     jsonb not null,
  kek_id         text not null,
  sealed_private bytea not null,
  created_at     timestamptz not null default latchkey_now(),
  active_from    timestamptz not null,
  retired_at     timestamptz,
  primary key (tenant_id, key_id)
);
create index signing_key_purpose on signing_key (tenant_id, purpose, active_from);

do $$
declare slot_number integer;
begin
  for slot_number in 0..15 loop
    execute format('create unlogged table dpop_jti_%s partition of dpop_jti for values in (%s)', slot_number, slot_number);
  end loop;
  execute 'create unlogged table dpop_jti_default partition of dpop_jti default';
end $$;

-- Row-level security on every table and partition, held by the test that walks pg_class.
do $$
declare t record;
begin
  for t in
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = current_schema() and c.relkind in ('r', 'p') and c.relname <> 'schemaversion'
  loop
    execute format('alter table %I enable row level security', t.relname);
    execute format('create policy tenant_only on %I to latchkey_app using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant())', t.relname);
  end loop;
end $$;

grant usage on schema public to latchkey_app;
grant select, insert, update on
  customer, customer_key, contact, device, credential, revocation, hold, session, ceremony, step_attempt, step_submission, outbox, idempotency
  to latchkey_app;
grant select, insert on tenant, policy, client, person, audit, signing_key, spent_challenge, dpop_jti to latchkey_app;
grant update (retired_at) on signing_key to latchkey_app;
grant delete on spent_challenge, idempotency, contact, outbox to latchkey_app;

-- The only doors past row-level security. Each answers one narrow question.
create function latchkey_tenants() returns table (tenant_id text, slug text)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select t.tenant_id, t.slug from tenant t order by t.tenant_id $$;

create function latchkey_empty_dpop_slots(kept_minutes integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  this_minute bigint := floor(extract(epoch from latchkey_now()) / 60);
  emptied integer := 0;
  slot_number integer;
  busy boolean;
begin
  if kept_minutes < 2 or kept_minutes > 6 then
    raise exception 'kept_minutes must be 2 to 6';
  end if;
  for slot_number in 0..15 loop
    -- Keep every slot within kept_minutes of now on either side: a proof may be dated slightly ahead.
    if least((slot_number - this_minute % 16 + 16) % 16, (this_minute % 16 - slot_number + 16) % 16) > kept_minutes then
      execute format('select exists (select 1 from dpop_jti_%s)', slot_number) into busy;
      if busy then
        execute format('truncate dpop_jti_%s', slot_number);
        emptied := emptied + 1;
      end if;
    end if;
  end loop;
  return emptied;
end $$;

revoke all on function latchkey_tenants(), latchkey_empty_dpop_slots(integer) from public;
grant execute on function latchkey_tenants(), latchkey_empty_dpop_slots(integer) to latchkey_app;

-- Database start: DPoP proofs older than it are refused, because unlogged tables are empty after a crash. The death of one backend is a crash
-- too, and leaves pg_postmaster_start_time() as it was: the server's counters, which recovery throws away, tell (measured on PostgreSQL 18).
create function latchkey_started_at() returns timestamptz
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select greatest(pg_postmaster_start_time(), (select stats_reset from pg_stat_wal)) $$;
revoke all on function latchkey_started_at() from public;
grant execute on function latchkey_started_at() to latchkey_app;
