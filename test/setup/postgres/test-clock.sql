-- Only in test databases: a transaction may bring its own time (connectDatabase's testNowMs), so that deadlines move with the
-- time-skipping server, which does not move PostgreSQL's clock. Without one it is the machine's time, as in production.
create or replace function latchkey_now() returns timestamptz
  language sql volatile parallel restricted
  as $$ select coalesce(nullif(current_setting('latchkey.now', true), '')::timestamptz, clock_timestamp()) $$;
