/** The pool of a process, and the facts that its transactions committed: the funnel of ceremonies, sessions, refreshes and cut-offs. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { CommittedFact } from '../db/committed-facts.ts';
import type { DatabaseObserver } from '../db/database-observer.ts';
import { ENROLLMENT_STATES } from '../domain/enrollment.ts';

/** A free connection is there at once; half a second is a pool that is too small. */
const WAIT_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2, 5];
/** From the cut-off to its receipt: the second listing alone waits half a minute. */
const SEAL_BUCKETS = [10, 30, 45, 60, 120, 300, 600, 1800];

export function createDatabaseMetrics(registry: Registry, poolSize: number): DatabaseObserver {
  const registers = [registry];
  new Gauge({
    name: 'latchkey_database_pool_connections',
    help: 'Connections that the pool of this process may open.',
    registers,
  }).set(poolSize);
  const waiting = new Gauge({
    name: 'latchkey_database_transactions_waiting',
    help: 'Transactions that have no connection yet.',
    registers,
  });
  const open = new Gauge({
    name: 'latchkey_database_transactions_open',
    help: 'Transactions that hold a connection.',
    registers,
  });
  const wait = new Histogram({
    name: 'latchkey_database_wait_seconds',
    help: 'How long transactions waited for a connection.',
    buckets: WAIT_BUCKETS,
    registers,
  });
  const errors = new Counter({
    name: 'latchkey_database_errors_total',
    help: 'Transactions that the database broke, by code: unavailable, or in conflict with another.',
    labelNames: ['code'],
    registers,
  });
  for (const code of ['database_unavailable', 'conflict'] as const) errors.inc({ code }, 0);
  const committed = createFactCounters(registers);
  return {
    asked: () => {
      waiting.inc();
    },
    began(waitedSeconds) {
      waiting.dec();
      open.inc();
      wait.observe(waitedSeconds);
    },
    ended({ code, held }) {
      (held ? open : waiting).dec();
      if (code === 'database_unavailable' || code === 'conflict') errors.inc({ code });
    },
    committed(facts) {
      for (const fact of facts) committed(fact);
    },
  };
}

function createFactCounters(registers: Registry[]): (fact: CommittedFact) => void {
  const moved = createFunnel(registers);
  const started = new Counter({
    name: 'latchkey_sessions_started_total',
    help: 'Logins granted, by the strength of the session.',
    labelNames: ['acr'],
    registers,
  });
  const ended = new Counter({
    name: 'latchkey_sessions_ended_total',
    help: 'Sessions that ended, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const refreshes = new Counter({
    name: 'latchkey_refreshes_total',
    help: 'Refresh tokens shown, by what was decided: rotate and redeliver are grants, the rest refusals.',
    labelNames: ['outcome'],
    registers,
  });
  const cutOffs = new Counter({
    name: 'latchkey_cut_offs_total',
    help: 'Customers cut off, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const sealed = new Histogram({
    name: 'latchkey_revocation_seal_seconds',
    help: 'From a cut-off to the seal of its receipt.',
    buckets: SEAL_BUCKETS,
    registers,
  });
  const alarms = new Counter({
    name: 'latchkey_revocation_alarms_total',
    help: 'Revocations whose workflow raised its alarm: not everything had closed in time.',
    registers,
  });
  return (fact) => {
    switch (fact.kind) {
      case 'ceremony_moved':
        moved(fact);
        return;
      case 'session_started':
        started.inc({ acr: fact.acr });
        return;
      case 'sessions_ended':
        ended.inc({ reason: fact.reason }, fact.count);
        return;
      case 'refresh_decided':
        refreshes.inc({ outcome: fact.outcome });
        return;
      case 'cut_off':
        cutOffs.inc({ reason: fact.reason });
        return;
      case 'revocation_sealed':
        sealed.observe(fact.afterSeconds);
        return;
      case 'revocation_alarmed':
        alarms.inc();
    }
  };
}

type Moved = Extract<CommittedFact, { readonly kind: 'ceremony_moved' }>;

/** Each step of a ceremony is begun once and done once, or the ceremony ends in it. */
function createFunnel(registers: Registry[]): (fact: Moved) => void {
  const begun = new Counter({
    name: 'latchkey_ceremony_steps_begun_total',
    help: 'Ceremonies that came to a step.',
    labelNames: ['kind', 'step'],
    registers,
  });
  const done = new Counter({
    name: 'latchkey_ceremony_steps_done_total',
    help: 'Ceremonies that left a step behind them, the last one by completing.',
    labelNames: ['kind', 'step'],
    registers,
  });
  const ended = new Counter({
    name: 'latchkey_ceremonies_ended_total',
    help: 'Ceremonies that ended, by the step they stood at, outcome and reason.',
    labelNames: ['kind', 'step', 'outcome', 'reason'],
    registers,
  });
  // From zero, so that the first of each is an increase.
  for (const step of ENROLLMENT_STATES) {
    if (step !== 'starting' && step !== 'ended') begun.inc({ kind: 'enrollment', step }, 0);
    if (step !== 'ended') done.inc({ kind: 'enrollment', step }, 0);
  }
  return ({ ceremony: kind, from, to, outcome, reason }) => {
    if (outcome !== null) ended.inc({ kind, step: from, outcome, reason: reason ?? '' });
    // A reminder moves nothing on.
    if (from === to) return;
    if (outcome === null || outcome === 'completed') done.inc({ kind, step: from });
    if (outcome === null) begun.inc({ kind, step: to });
  };
}
