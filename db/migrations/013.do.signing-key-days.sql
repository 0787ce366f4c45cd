-- One delegated key a tenant, purpose and day (docs/decisions/0020-signing-keys.md); a retired one keeps its public half alone.
update signing_key set sealed_private = '' where retired_at is not null;
alter table signing_key
  add column day date not null generated always as ((active_from at time zone 'UTC')::date) stored,
  add column retire_reason text check (retire_reason in ('rotated', 'emergency'));
update signing_key set retire_reason = 'rotated' where retired_at is not null;
alter table signing_key
  add constraint signing_key_retired check ((retired_at is null) = (retire_reason is null)),
  add constraint signing_key_private check ((retired_at is null) = (length(sealed_private) > 0));
create unique index signing_key_day on signing_key (tenant_id, purpose, day) where retired_at is null;
grant update (retire_reason, sealed_private) on signing_key to latchkey_app;
