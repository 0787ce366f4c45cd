/** Calls to Temporal, its breaker, activities and payloads that were not taken. What the SDK counts itself is in temporal-sdk-metrics.ts. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { BreakerState, TemporalMetrics } from '../temporal/metrics.ts';

/** Up to the deadline of a call (3 s); an activity may heartbeat for longer. */
const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10];
/** Of temporal/payload-codec.ts; from zero, so that the first of each is an increase. */
const REFUSALS = [
  'unknown key',
  'not encrypted',
  'bound to another workflow',
  'form',
  'not authentic',
] as const;
const BREAKER_STATES: readonly BreakerState[] = ['closed', 'half_open', 'open'];

export function createTemporalMetrics(registry: Registry): TemporalMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: 'latchkey_temporal_calls_total',
    help: 'Calls to Temporal, by method and outcome: ok, or a code of the error table.',
    labelNames: ['method', 'outcome'],
    registers,
  });
  const callSeconds = new Histogram({
    name: 'latchkey_temporal_call_duration_seconds',
    help: 'How long calls to Temporal took, refused ones included.',
    labelNames: ['method'],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  const breaker = new Gauge({
    name: 'latchkey_temporal_breaker',
    help: 'The circuit breaker before Temporal: 1 at the state it is in.',
    labelNames: ['state'],
    registers,
  });
  const activities = new Counter({
    name: 'latchkey_activities_total',
    help: 'Activities that ended, by type and outcome: refused is an answer, failed a fault that is tried again.',
    labelNames: ['activity', 'outcome'],
    registers,
  });
  const activitySeconds = new Histogram({
    name: 'latchkey_activity_duration_seconds',
    help: 'How long activities took, by type.',
    labelNames: ['activity'],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  const payloads = new Counter({
    name: 'latchkey_payload_refusals_total',
    help: 'Payloads that were not taken: not encrypted by us, of another workflow, or under a key that is not configured.',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of REFUSALS) payloads.inc({ reason }, 0);
  return {
    called(method, outcome, seconds) {
      calls.inc({ method, outcome });
      callSeconds.observe({ method }, seconds);
    },
    breakerIs(state) {
      for (const one of BREAKER_STATES) breaker.set({ state: one }, one === state ? 1 : 0);
    },
    activityEnded(activity, outcome, seconds) {
      activities.inc({ activity, outcome });
      activitySeconds.observe({ activity }, seconds);
    },
    payloadRefused: (reason) => {
      payloads.inc({ reason });
    },
  };
}
