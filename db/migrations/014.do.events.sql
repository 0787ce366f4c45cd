-- Events get their number from the relay when it first sees them committed (docs/decisions/0021-order-of-events.md), and each sink its own row.
create sequence outbox_event_sequence as bigint;
grant usage on sequence outbox_event_sequence to latchkey_app;

alter table outbox add column event_sequence bigint;
create index outbox_unnumbered on outbox (tenant_id, position) where topic = 'event' and status = 'pending';

create table event_delivery (
  tenant_id    text not null references tenant,
  outbox_id    text not null,
  sink         text not null,
  subject      text not null,
  sequence     bigint not null,
  status       text not null default 'pending' check (status in ('pending', 'delivered', 'dead')),
  attempts     integer not null default 0,
  not_before   timestamptz not null default latchkey_now(),
  -- Tried again until then, and parked after.
  give_up_at   timestamptz not null,
  leased_until timestamptz,
  leased_by    text,
  error_code   text,
  delivered_at timestamptz,
  primary key (tenant_id, outbox_id, sink),
  foreign key (tenant_id, outbox_id) references outbox on delete cascade
);
create index event_delivery_head on event_delivery (tenant_id, sink, subject, sequence) where status = 'pending';
create index event_delivery_pending on event_delivery (tenant_id, sink, sequence) where status = 'pending';
create index event_delivery_dead on event_delivery (tenant_id, outbox_id) where status = 'dead';

-- A receiver that said it is gone for good gets nothing more until an operator says so; what is for it waits.
create table event_sink_stop (
  tenant_id  text not null references tenant,
  sink       text not null,
  reason     text not null,
  stopped_at timestamptz not null default latchkey_now(),
  primary key (tenant_id, sink)
);

do $$
declare t text;
begin
  foreach t in array array['event_delivery', 'event_sink_stop'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy tenant_only on %I to latchkey_app using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant())', t);
  end loop;
end $$;
grant select, insert, update on event_delivery to latchkey_app;
grant select, insert, delete on event_sink_stop to latchkey_app;
