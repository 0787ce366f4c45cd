-- Roles for services that decide by them: names that mean something to the bank and nothing to Latchkey. At most 16 each.
alter table customer add column roles text[] not null default '{}'
  check (cardinality(roles) <= 16 and array_to_string(roles, ' ', '*') ~ '^([a-z][a-z0-9_:.-]{0,63}( [a-z][a-z0-9_:.-]{0,63})*)?$');
alter table client add column roles text[] not null default '{}'
  check (cardinality(roles) <= 16 and array_to_string(roles, ' ', '*') ~ '^([a-z][a-z0-9_:.-]{0,63}( [a-z][a-z0-9_:.-]{0,63})*)?$');
