-- What services that check tokens by themselves must hear of, for as long as a token can live: who was cut off, and how far. Triggers write
-- it, in the transaction that cuts off, whoever does and by whatever statement: nobody can forget. The facts commute and may be told twice;
-- xid lets a reader know what it may have missed (db/epoch-feed.ts).
create table cut_off (
  tenant_id     text not null references tenant,
  position      bigint generated always as identity,
  xid           xid8 not null default pg_current_xact_id(),
  kind          text not null check (kind in ('customer', 'session', 'device', 'client', 'signing_key')),
  subject       text not null,
  minimum_epoch integer,
  at            timestamptz not null default latchkey_now(),
  primary key (tenant_id, position),
  check ((kind = 'customer') = (minimum_epoch is not null))
);
create index cut_off_order on cut_off (tenant_id, xid, position);
create index cut_off_age on cut_off (tenant_id, at);

alter table cut_off enable row level security;
create policy tenant_only on cut_off to latchkey_app
  using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant());
grant select, insert, delete on cut_off to latchkey_app;

-- Who is erased is cut off under every epoch there was.
create function latchkey_feed_customer() returns trigger language plpgsql as $$
begin
  insert into cut_off (tenant_id, kind, subject, minimum_epoch)
    values (new.tenant_id, 'customer', new.customer_id, new.security_epoch + (new.status = 'erased')::integer);
  return null;
end $$;
create trigger cut_off_customer after update of security_epoch, status on customer for each row
  when (new.security_epoch > old.security_epoch or (new.status = 'erased' and old.status <> 'erased'))
  execute function latchkey_feed_customer();

create function latchkey_feed_session() returns trigger language plpgsql as $$
begin
  insert into cut_off (tenant_id, kind, subject) values (new.tenant_id, 'session', new.session_id);
  return null;
end $$;
create trigger cut_off_session after update of status on session for each row
  when (old.status = 'live' and new.status <> 'live') execute function latchkey_feed_session();

-- A cut-off of the customer in the same transaction says it already.
create function latchkey_feed_said(of_tenant text, of_customer text) returns boolean language sql stable as $$
  select exists (select 1 from cut_off where tenant_id = of_tenant and xid = pg_current_xact_id()
    and kind = 'customer' and subject = of_customer)
$$;

-- Any step down, a restriction too: what a token says of its device is no longer so.
create function latchkey_feed_device() returns trigger language plpgsql as $$
begin
  if not latchkey_feed_said(new.tenant_id, new.customer_id) then
    insert into cut_off (tenant_id, kind, subject) values (new.tenant_id, 'device', new.device_id);
  end if;
  return null;
end $$;
create trigger cut_off_device after update of status on device for each row
  when (old.status <> new.status and (old.status = 'trusted' or new.status in ('restricted', 'suspended', 'revoked')))
  execute function latchkey_feed_device();

-- No token names its passkey: the sessions that began with it are told.
create function latchkey_feed_credential() returns trigger language plpgsql as $$
begin
  if not latchkey_feed_said(new.tenant_id, new.customer_id) then
    insert into cut_off (tenant_id, kind, subject)
      select tenant_id, 'session', session_id from session
      where tenant_id = new.tenant_id and customer_id = new.customer_id and status = 'live' and credential_id = new.credential_id;
  end if;
  return null;
end $$;
create trigger cut_off_credential after update of status on credential for each row
  when (old.status = 'active' and new.status <> 'active') execute function latchkey_feed_credential();

create function latchkey_feed_client() returns trigger language plpgsql as $$
begin
  insert into cut_off (tenant_id, kind, subject) values (new.tenant_id, 'client', new.client_id);
  return null;
end $$;
create trigger cut_off_client after update of status on client for each row
  when (old.status = 'active' and new.status <> 'active') execute function latchkey_feed_client();

-- After an emergency rotation a service must not trust its copy of the keys any longer.
create function latchkey_feed_signing_key() returns trigger language plpgsql as $$
begin
  insert into cut_off (tenant_id, kind, subject) values (new.tenant_id, 'signing_key', new.key_id);
  return null;
end $$;
create trigger cut_off_signing_key after update of retired_at on signing_key for each row
  when (old.retired_at is null and new.retired_at is not null and new.purpose = 'access_token')
  execute function latchkey_feed_signing_key();
