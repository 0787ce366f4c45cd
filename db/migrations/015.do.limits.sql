-- How often something was done lately, by whom is an HMAC. Unlogged: after a crash every count begins anew, which is what they all do when
-- their window ends. The columns are those that rate-limiter-flexible's PostgreSQL store writes, in its order; the tenant stands in the key too.
create unlogged table limit_counter (
  key       varchar(255) primary key,
  points    integer not null default 0,
  expire    bigint,
  tenant_id text not null default latchkey_tenant() references tenant
);
create index limit_counter_expire on limit_counter (tenant_id, expire);

alter table limit_counter enable row level security;
create policy tenant_only on limit_counter to latchkey_app
  using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant());
grant select, insert, update, delete on limit_counter to latchkey_app;

-- Every policy gains the numbers: none could have set them before.
update policy set document = document || '{"limits": {"startsOfSource": 120, "startsOfSourceSeconds": 600, "stepsOfDevice": 120, "stepsOfDeviceSeconds": 600, "loginsOfSource": 600, "loginsOfSourceSeconds": 60, "loginsOfDevice": 60, "loginsOfDeviceSeconds": 300, "loginsOfCredential": 60, "loginsOfCredentialSeconds": 300, "refreshesOfDevice": 120, "refreshesOfDeviceSeconds": 60, "tokensOfSource": 600, "tokensOfSourceSeconds": 60, "requestsOfDevice": 240, "requestsOfDeviceSeconds": 60, "staffLoginsOfSource": 120, "staffLoginsOfSourceSeconds": 60}}';
