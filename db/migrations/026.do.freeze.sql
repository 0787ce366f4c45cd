-- The freeze: the customer, from wherever he is, or staff stop money and sensitive changes. It ends by itself, by the owner's passkey or by staff; no
-- session ends and no epoch is raised. What counts now stands on the customer's row, which every final grant shares; what was, here.
alter table customer add column frozen_until timestamptz;

create table customer_freeze (
  tenant_id        text not null,
  freeze_id        text not null,
  customer_id      text not null,
  how              text not null check (how in ('app', 'link', 'phone_code', 'staff')),
  -- Whether a passkey on a trusted phone, or a person of the bank, stands behind it. What nobody proved is bounded in all.
  is_proved        boolean not null,
  placed_by_kind   text not null check (placed_by_kind in ('customer', 'staff')),
  placed_by        text not null,
  -- Picked by staff.
  reason           text,
  -- The notice whose link it was: each freezes once. The link itself is kept nowhere.
  message_id       text,
  placed_at        timestamptz not null,
  frozen_until     timestamptz not null,
  -- What it added to the freeze that stood before it.
  added_seconds    integer not null check (added_seconds > 0),
  released_at      timestamptz,
  released_by_kind text check (released_by_kind in ('customer', 'staff')),
  released_by      text,
  release_reason   text,
  primary key (tenant_id, freeze_id),
  foreign key (tenant_id, customer_id) references customer,
  check (frozen_until > placed_at),
  check ((how = 'staff') = (placed_by_kind = 'staff') and (how = 'staff') = (reason is not null)),
  check ((how = 'link') = (message_id is not null)),
  check (case how when 'staff' then is_proved when 'app' then true else not is_proved end),
  check ((released_at is null) = (released_by is null) and (released_at is null) = (released_by_kind is null)),
  check ((release_reason is not null) = (released_by_kind is not distinct from 'staff'))
);
create index customer_freeze_of_customer on customer_freeze (tenant_id, customer_id, placed_at);
create unique index customer_freeze_link on customer_freeze (tenant_id, message_id) where message_id is not null;

-- A freeze asked for from a phone that nobody knows: a code goes to the number if it is a customer's, and the row is there either way.
create table freeze_request (
  tenant_id    text not null references tenant,
  request_id   text not null,
  jkt          text not null,
  -- null: the number is nobody's.
  customer_id  text,
  contact_id   text,
  status       text not null check (status in ('sent', 'matched', 'exhausted')),
  wrong_count  integer not null default 0 check (wrong_count >= 0),
  frozen_until timestamptz,
  created_at   timestamptz not null,
  expires_at   timestamptz not null,
  primary key (tenant_id, request_id),
  foreign key (tenant_id, customer_id) references customer,
  check (expires_at > created_at),
  check ((customer_id is null) = (contact_id is null)),
  check ((status = 'matched') = (frozen_until is not null) and (status <> 'matched' or customer_id is not null))
);
create index freeze_request_expiry on freeze_request (tenant_id, expires_at);

-- A report of loss or theft: the device only reads until the report is lifted. A device that is reported is neither trusted nor a step from it.
alter table device
  add column reported_at timestamptz,
  add column reported_as text check (reported_as in ('lost', 'stolen')),
  add column reported_by text,
  -- What it was before, and is again when the report is lifted.
  add column restricted_from text check (restricted_from in ('untrusted', 'trusted')),
  add constraint device_report_whole check ((reported_at is null) = (reported_as is null) and (reported_at is null) = (reported_by is null)),
  add constraint device_reported_restricted check (reported_at is null or status not in ('pending', 'untrusted', 'trusted')),
  add constraint device_restricted_from check (restricted_from is null or reported_at is not null);

do $$
declare t text;
begin
  foreach t in array array['customer_freeze', 'freeze_request'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy tenant_only on %I to latchkey_app using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant())', t);
  end loop;
end $$;
grant select, insert on customer_freeze to latchkey_app;
grant update (released_at, released_by_kind, released_by, release_reason) on customer_freeze to latchkey_app;
grant select, insert, delete on freeze_request to latchkey_app;
grant update (status, wrong_count, frozen_until) on freeze_request to latchkey_app;

-- Every policy gains the numbers of the freeze, and the limits of who may ask for one without being known.
update policy set document = document
  || '{"freeze": {"seconds": 86400, "longestUnprovedSeconds": 259200, "unprovedWindowSeconds": 2592000, "linkSeconds": 604800, "requestsPerNumber": 3, "requestIntervalSeconds": 1800}}'
  || jsonb_build_object('limits', document -> 'limits' || '{"freezesOfSource": 60, "freezesOfSourceSeconds": 600, "freezesOfDevice": 20, "freezesOfDeviceSeconds": 600}');
