/**
 * The worker process from its start to its end: the relay at once, the four Workers when Temporal answers, so that messages and events go out
 * while it is down. What they are made of is in worker/. It decides nothing itself.
 */
import { randomBytes } from 'node:crypto';
import { destination } from 'pino';
import { createLogger } from './api/frame/logging.ts';
import { loadConfiguration } from './configuration/configuration.ts';
import { checkKeysUntilKnown } from './db/key-canaries.ts';
import { KeyCanaryError } from './domain/key-canary.ts';
import { connectWorkers } from './temporal/worker-connection.ts';
import { startWorkerGroup } from './temporal/worker-group.ts';
import type { WorkerGroup } from './temporal/worker-group.ts';
import { buildWorkflows } from './temporal/workflow-bundle.ts';
import { createActivities } from './worker/activities.ts';
import { createRequesterWorker } from './worker/nexus.ts';
import { assemble, canariesOf } from './worker/parts.ts';
import type { WorkerParts } from './worker/parts.ts';
import { startRelayParts } from './worker/relay.ts';

async function main(): Promise<void> {
  const configuration = loadConfiguration(process.env);
  // Never the host name: identities stand in every history.
  const instance = `worker-${randomBytes(6).toString('hex')}`;
  // Standard output carries the events.
  const log = createLogger({
    level: configuration.logLevel,
    instance,
    destination: destination(2),
  });
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'worker stops');
      stopping.abort();
    });
  }
  const parts = await assemble(configuration, { instance, log, signal: stopping.signal });
  if (parts === undefined) return;
  try {
    await work(parts, stopping.signal);
  } finally {
    await parts.gateway.close();
    await parts.database.close();
    await parts.telemetry.close();
  }
  log.info({}, 'worker stopped');
}

async function work(parts: WorkerParts, signal: AbortSignal): Promise<void> {
  const { configuration, log, telemetry } = parts;
  // Before anything is sealed or opened: a key that is missing would lose what is written under another.
  if (!(await keysAreRight(parts, signal))) return;
  const relay = startRelayParts(parts);
  const workflows = await buildWorkflows();
  const buildId = configuration.buildId ?? workflows.buildId;
  const native = await connectWorkers(configuration.temporal, {
    signal,
    onRefused: (error) => {
      log.warn({ err: error }, 'Temporal does not answer yet');
    },
  });
  if (native !== undefined) {
    const common = {
      connection: native,
      namespace: configuration.temporal.namespace,
      workflows,
      log,
      buildId,
      failPoint: parts.failPoint,
      identity: parts.instance,
      metrics: telemetry.temporal,
      tracing: telemetry.tracing,
    };
    const group = await startWorkerGroup({
      ...common,
      dataConverter: parts.dataConverter,
      activities: createActivities(parts),
      beside: [await createRequesterWorker(parts, common)],
    });
    log.info({ buildId }, 'worker ready');
    await runUntilStopped(group, signal);
    await native.close();
  }
  await relay.stop();
}

/** @throws KeyCanaryError. false: told to stop before the database had said. */
async function keysAreRight(
  { configuration: { keys }, database, log, telemetry }: WorkerParts,
  signal: AbortSignal,
): Promise<boolean> {
  const isKnown = await checkKeysUntilKnown(database, canariesOf(keys), {
    signal,
    onUnknown: (error) => {
      log.warn({ err: error }, 'the database cannot say yet whether the keys are right');
    },
  });
  telemetry.keysChecked.set(isKnown ? 1 : 0);
  return isKnown;
}

/** Rejects when a Worker failed for good: the process ends and whoever runs it starts another. */
async function runUntilStopped(group: WorkerGroup, signal: AbortSignal): Promise<void> {
  const stop = () => {
    group.shutdown();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  await group.stopped;
}

try {
  await main();
} catch (error) {
  // What an operator must read stands alone; a defect keeps its stack.
  if (!(error instanceof KeyCanaryError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
// Everything is closed, yet Temporal's native runtime may keep the process: measured, for longer than 15 s when it is stopped right after its start.
process.exit();
