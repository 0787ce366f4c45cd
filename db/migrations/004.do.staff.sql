-- Staff as their own identity provider knows them, and their sessions at the operations door. A person is one row an issuer and subject;
-- roles are those of the latest login. Only hashes of session tokens are at rest.
create table staff (
  tenant_id     text not null references tenant,
  staff_id      text not null,
  issuer        text not null,
  subject       text not null,
  -- What four eyes compare: two accounts of one person have one employee id.
  employee_id   text not null check (employee_id ~ '^[A-Za-z0-9._-]{1,64}$'),
  name          text not null,
  roles         text[] not null,
  created_at    timestamptz not null,
  last_login_at timestamptz not null,
  primary key (tenant_id, staff_id),
  unique (tenant_id, issuer, subject),
  check (roles <@ '{agent,supervisor,auditor,administrator}'::text[])
);

create table staff_session (
  tenant_id         text not null,
  staff_session_id  text not null,
  staff_id          text not null,
  kind              text not null check (kind in ('browser', 'cli')),
  status            text not null check (status in ('live', 'ended')),
  end_reason        text check (end_reason in ('logged_out', 'expired', 'superseded', 'roles_removed')),
  token_hash        bytea not null,
  roles             text[] not null,
  acr               text,
  auth_time         timestamptz not null,
  started_at        timestamptz not null,
  last_seen_at      timestamptz not null,
  idle_deadline     timestamptz not null,
  absolute_deadline timestamptz not null,
  ended_at          timestamptz,
  primary key (tenant_id, staff_session_id),
  unique (tenant_id, token_hash),
  foreign key (tenant_id, staff_id) references staff,
  check (cardinality(roles) > 0 and roles <@ '{agent,supervisor,auditor,administrator}'::text[]),
  check ((status = 'ended') = (ended_at is not null and end_reason is not null)),
  check (idle_deadline <= absolute_deadline)
);
create index staff_session_live on staff_session (tenant_id, staff_id, started_at) where status = 'live';
create index staff_session_due on staff_session (tenant_id, idle_deadline) where status = 'live';

alter table staff enable row level security;
create policy tenant_only on staff to latchkey_app
  using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant());
alter table staff_session enable row level security;
create policy tenant_only on staff_session to latchkey_app
  using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant());
grant select, insert on staff, staff_session to latchkey_app;
grant update (employee_id, name, roles, last_login_at) on staff to latchkey_app;
grant update (status, end_reason, ended_at, last_seen_at, idle_deadline) on staff_session to latchkey_app;

alter table audit drop constraint audit_actor_kind_check;
alter table audit add constraint audit_actor_kind_check
  check (actor_kind in ('customer', 'machine', 'vendor', 'system', 'operator', 'staff'));
