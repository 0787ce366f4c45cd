/**
 * The metrics of one process: a registry with what Node tells of itself (event loop, memory, garbage collection) in the names that the field's
 * dashboards know. Ours begin with `latchkey_`. Labels are from closed sets: never an id, an address or a text from outside.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';

/** How finely the event loop's delay is sampled; finer costs more than it tells. */
const EVENT_LOOP_PRECISION_MS = 20;

export function createRegistry(process: 'api' | 'worker'): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ process });
  collectDefaultMetrics({
    register: registry,
    eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS,
  });
  return registry;
}
