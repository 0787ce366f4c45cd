-- One canary for each key that this tenant's data was ever sealed under, and indexes for what operators watch.
create table key_canary (
  tenant_id  text not null references tenant,
  purpose    text not null check (purpose in ('payload', 'master', 'index')),
  kid        text not null,
  sealed     bytea not null,
  created_at timestamptz not null default latchkey_now(),
  -- Nothing is left under the key: it need not be there any more.
  retired_at timestamptz,
  primary key (tenant_id, purpose, kid)
);
alter table key_canary enable row level security;
create policy tenant_only on key_canary to latchkey_app
  using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant());
grant select, insert on key_canary to latchkey_app;
grant update (retired_at) on key_canary to latchkey_app;

create index outbox_dead on outbox (tenant_id, topic) where status = 'dead';
create index ceremony_open_step on ceremony (tenant_id, kind, state) where outcome is null;
