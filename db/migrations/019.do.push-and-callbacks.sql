-- Where a device of a customer can be told that something waits for him. The token lies under the customer's key; its index (an HMAC) lets an
-- installation that changed hands belong to the last who registered it, and to nobody else.
create table push_registration (
  tenant_id     text not null,
  device_id     text not null,
  customer_id   text not null,
  platform      text not null check (platform in ('apns', 'fcm')),
  token_index   bytea not null,
  sealed_token  bytea not null,
  registered_at timestamptz not null,
  primary key (tenant_id, device_id),
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, device_id) references device
);
create unique index push_registration_token on push_registration (tenant_id, token_index);
create index push_registration_of_customer on push_registration (tenant_id, customer_id);

-- It ends with its device, whoever revokes that and by whatever statement: nobody can forget.
create function latchkey_end_push() returns trigger language plpgsql as $$
begin
  delete from push_registration where tenant_id = new.tenant_id and device_id = new.device_id;
  return null;
end $$;
create trigger push_ends_with_device after update of status on device for each row
  when (old.status <> 'revoked' and new.status = 'revoked') execute function latchkey_end_push();

-- Where a requester wants to be told that its step-up went on. The secrets that sign lie sealed under the key-encryption key kek_id.
create table client_callback (
  tenant_id                text not null,
  client_id                text not null,
  url                      text not null,
  allows_private_addresses boolean not null default false,
  kek_id                   text not null,
  sealed_secrets           bytea not null,
  primary key (tenant_id, client_id),
  foreign key (tenant_id, client_id) references client
);

do $$
declare t text;
begin
  foreach t in array array['push_registration', 'client_callback'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy tenant_only on %I to latchkey_app using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant())', t);
  end loop;
end $$;
grant select, insert, update, delete on push_registration to latchkey_app;
grant select, insert on client_callback to latchkey_app;
