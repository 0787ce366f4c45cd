-- The public halves of the keys that sign receipts: kept for ever, each with the time in which its signatures count. Private halves never leave the KMS.
create table receipt_key (
  tenant_id   text not null references tenant,
  -- The key's thumbprint (RFC 7638).
  key_id      text not null,
  public_jwk  jsonb not null,
  valid_from  timestamptz not null,
  -- Set once, when another key began to sign; never taken back.
  valid_until timestamptz check (valid_until > valid_from),
  primary key (tenant_id, key_id)
);

-- One a step-up, sealed under the customer's key: with the key gone, so is the receipt.
create table receipt (
  tenant_id   text not null,
  receipt_id  text not null,
  step_up_id  text not null,
  customer_id text not null,
  key_id      text not null,
  sealed      bytea not null,
  sealed_at   timestamptz not null,
  primary key (tenant_id, receipt_id),
  unique (tenant_id, step_up_id),
  foreign key (tenant_id, step_up_id) references step_up,
  foreign key (tenant_id, customer_id) references customer,
  foreign key (tenant_id, key_id) references receipt_key
);

do $$
declare t text;
begin
  foreach t in array array['receipt_key', 'receipt'] loop
    execute format('alter table %I enable row level security', t);
    execute format('create policy tenant_only on %I to latchkey_app using (tenant_id = latchkey_tenant()) with check (tenant_id = latchkey_tenant())', t);
  end loop;
end $$;
grant select, insert on receipt_key, receipt to latchkey_app;
grant update (valid_until) on receipt_key to latchkey_app;
