-- A tenant's own types of action, beside the built-in ones: written by the owner from the tenant's file, each change a version that is kept, because
-- receipts and open step-ups name the one that was signed.
create table action_type (
  tenant_id   text not null references tenant,
  name        text not null check (name ~ '^[a-z]+(_[a-z]+)*$' and length(name) <= 40),
  version     integer not null check (version >= 1),
  -- Members and templates, as domain/action-types.ts has them.
  definition  jsonb not null,
  created_at  timestamptz not null default latchkey_now(),
  primary key (tenant_id, name, version)
);
alter table action_type enable row level security;
create policy tenant_only on action_type to latchkey_app using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant());
grant select, insert on action_type to latchkey_app;
