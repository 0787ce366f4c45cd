-- How often codes were asked for a number lately, as one instant: until free_at what was asked so far is remembered. It counts numbers that
-- belong to nobody as well, and outlives the erasure of a prospect, or starting over would reset it. The index is of a kind of its
-- own, so that no row leads to a contact; a row past its instant says nothing and is swept.
create table number_limit (
  tenant_id    text not null references tenant,
  number_index bytea not null,
  free_at      timestamptz not null,
  primary key (tenant_id, number_index)
);
create index number_limit_free on number_limit (tenant_id, free_at);

alter table number_limit enable row level security;
create policy tenant_only on number_limit to latchkey_app
  using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant());
grant select, insert, update, delete on number_limit to latchkey_app;

-- Every policy gains the two numbers: none could have set them before.
update policy set document = jsonb_set(document, '{enrollment}',
  document -> 'enrollment' || '{"startsPerNumber": 6, "startIntervalSeconds": 3600}');
