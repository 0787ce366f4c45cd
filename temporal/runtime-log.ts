/** Temporal's own logging through the process's logger, workflow code's included; without it the SDK writes to stderr in a form of its own. */
import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import type { LogLevel } from '@temporalio/worker';

export type TemporalLog = Readonly<
  Record<
    'debug' | 'info' | 'warn' | 'error',
    (fields: Readonly<Record<string, unknown>>, message: string) => void
  >
>;

const METHOD: { readonly [L in LogLevel]: keyof TemporalLog } = {
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** Once a process, before anything connects. Signals are the process's own business: the SDK handles none. */
/** `metricsAddress`: where the SDK exposes its own counters, loopback only; left out, nowhere. */
export function installRuntime(
  log: TemporalLog,
  {
    level = 'WARN',
    metricsAddress,
  }: { level?: LogLevel; metricsAddress?: string | undefined } = {},
): void {
  Runtime.install({
    logger: new DefaultLogger(level, ({ level: entryLevel, message, meta }) => {
      log[METHOD[entryLevel]]({ ...meta }, message);
    }),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
      ...(metricsAddress === undefined
        ? {}
        : {
            metrics: {
              prometheus: {
                bindAddress: metricsAddress,
                countersTotalSuffix: true,
                unitSuffix: true,
                useSecondsForDurations: true,
              },
            },
          }),
    },
  });
}
