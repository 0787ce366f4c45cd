-- A refresh changes no column that an index holds: its row's new version stays on its page and no index grows (heap-only updates), for which
-- every page keeps some room. What the sweep looks for is not the deadline, which each refresh moves, but when a session is worth looking at: no
-- earlier than it can be due under one version of the policy. Refreshes push a deadline out, never in; only the sweep writes this.
drop index session_due;
alter table session
  add column sweep_policy integer not null default 0,
  add column sweep_at timestamptz not null default '-infinity';
alter table session set (fillfactor = 80);
create index session_sweep on session (tenant_id, sweep_policy, sweep_at) where status = 'live';
