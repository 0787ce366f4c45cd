/**
 * Everything one process tells of itself, made from its configuration: counters always, a door for them and a tracer only when they are asked
 * for. For the wiring of API and worker; it knows no room's insides.
 */
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { DatabaseObserver } from '../db/database-observer.ts';
import type { Tracing } from '../domain/tracing.ts';
import type { TemporalMetrics } from '../temporal/metrics.ts';
import { createDatabaseMetrics } from './database-metrics.ts';
import { serveMetrics } from './metrics-server.ts';
import type { MetricsServerOptions } from './metrics-server.ts';
import { createRegistry } from './registry.ts';
import { createTemporalMetrics } from './temporal-metrics.ts';

export interface ProcessTelemetryOptions {
  readonly process: 'api' | 'worker';
  readonly instance: string;
  readonly poolSize: number;
  readonly metrics?: { readonly host: string; readonly port: number };
  readonly traces?: {
    readonly endpoint: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly ratio: number;
  };
  readonly log: MetricsServerOptions['log'];
}

export interface ProcessTelemetry {
  readonly registry: Registry;
  readonly database: DatabaseObserver;
  readonly temporal: TemporalMetrics;
  readonly tracing: Tracing | undefined;
  /** 1 once the keys were held against their canaries. */
  readonly keysChecked: { set(value: 0 | 1): void };
  /** Told of every call of the key management that leaves the process. */
  readonly kms: { called(operation: string, outcome: string): void };
  /** Opens the door, when there is to be one. */
  listen(sources?: Pick<MetricsServerOptions, 'refresh' | 'more'>): void;
  close(): Promise<void>;
}

export async function createProcessTelemetry(
  options: ProcessTelemetryOptions,
): Promise<ProcessTelemetry> {
  const { metrics, log } = options;
  const registry = createRegistry(options.process);
  const tracing = await loadTracing(options);
  let close: (() => Promise<void>) | undefined;
  const kmsCalls = new Counter({
    name: 'latchkey_kms_calls_total',
    help: 'Calls of the key management, by operation and outcome: ok, refused, unavailable.',
    labelNames: ['operation', 'outcome'],
    registers: [registry],
  });
  return {
    registry,
    database: createDatabaseMetrics(registry, options.poolSize),
    temporal: createTemporalMetrics(registry),
    tracing,
    keysChecked: new Gauge({
      name: 'latchkey_keys_checked',
      help: 'Whether this process has held its keys against their canaries: 1, or 0 while the database cannot say.',
      registers: [registry],
    }),
    kms: {
      called: (operation, outcome) => {
        kmsCalls.inc({ operation, outcome });
      },
    },
    listen(sources = {}) {
      if (metrics === undefined) return;
      const server = serveMetrics({ ...metrics, ...sources, registry, log });
      close = () => server.close();
    },
    close: async () => {
      // A collector that is gone must not keep a process from its end.
      await Promise.allSettled([close?.(), tracing?.close()]);
    },
  };
}

async function loadTracing({
  traces,
  process,
  instance,
}: ProcessTelemetryOptions): Promise<Tracing | undefined> {
  if (traces === undefined) return undefined;
  const { createTracing } = await import('./tracing.ts');
  return createTracing({ ...traces, instance, serviceName: `latchkey-${process}` });
}
