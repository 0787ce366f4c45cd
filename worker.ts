/**
 * The worker process: adapters → activities → the four Workers, and beside them the relay with its reconciler and sweeper. The relay
 * starts at once and the Workers when Temporal answers: messages and events go out while Temporal is down. It decides nothing itself.
 */
import { randomBytes } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { DataConverter } from '@temporalio/common';
import { destination } from 'pino';
import type { Logger } from 'pino';
import { createEnrollmentActivities } from './activities/enrollment.ts';
import { createIdentityActivities } from './activities/identity.ts';
import { createRevocationActivities } from './activities/revocation.ts';
import { createSessionActivities } from './activities/session.ts';
import { systemClock } from './adapters/clock.ts';
import { createSmtpSender } from './adapters/email/smtp.ts';
import { createStreamEventSink } from './adapters/events/stream.ts';
import { createHttpIdentityVerifier } from './adapters/identity/signed-http.ts';
import { createEmbeddedKms } from './adapters/kms/embedded.ts';
import { masterCanaries } from './adapters/kms/master-canaries.ts';
import { createOtpCodes } from './adapters/kms/otp-codes.ts';
import { newId } from './adapters/random.ts';
import { createHttpSmsSender } from './adapters/sms/signed-http.ts';
import { createLogger } from './api/logging.ts';
import { loadConfiguration } from './configuration/configuration.ts';
import type { Configuration } from './configuration/configuration.ts';
import { createBacklogReader } from './db/backlog.ts';
import { connectDatabase, DEFAULT_MAX_CONNECTIONS } from './db/connection.ts';
import type { Database } from './db/connection.ts';
import { createEnrollmentStore } from './db/enrollment-store.ts';
import { checkKeys, checkKeysUntilKnown } from './db/key-canaries.ts';
import { createLeadership } from './db/leadership.ts';
import { messageFacts } from './db/messages.ts';
import { createOutboxPort } from './db/outbox-port.ts';
import { backoffMs } from './db/outbox.ts';
import { createPersonalData } from './db/personal-data.ts';
import type { PersonalData } from './db/personal-data.ts';
import { createReconciliationPort } from './db/reconciliation-port.ts';
import { createRevocationStore } from './db/revocation-store.ts';
import { createSessionStore } from './db/session-lifecycle.ts';
import { createSweepPort } from './db/sweeping.ts';
import type { FailPoint } from './domain/fail-point.ts';
import { KeyCanaryError } from './domain/key-canary.ts';
import type { KeyCanary } from './domain/key-canary.ts';
import type { OtpCodes } from './domain/ports.ts';
import { tenantUrl } from './domain/tenant-url.ts';
import { createDeliveries } from './relay/deliveries.ts';
import { KINDS } from './relay/kinds.ts';
import { startLoop } from './relay/loop.ts';
import { createMessageDelivery } from './relay/messages.ts';
import { startReconciler } from './relay/reconciler.ts';
import { startRelay } from './relay/relay.ts';
import { startSweeper } from './relay/sweeper.ts';
import { createFailPoint } from './runtime/fail-point.ts';
import { exposeBacklog } from './telemetry/backlog-metrics.ts';
import { createProcessTelemetry } from './telemetry/process-telemetry.ts';
import type { ProcessTelemetry } from './telemetry/process-telemetry.ts';
import { createRelayMetrics } from './telemetry/relay-metrics.ts';
import { chooseSdkAddress, readSdkMetrics } from './telemetry/temporal-sdk-metrics.ts';
import { createTemporalGateway } from './temporal/client.ts';
import type { TemporalGateway } from './temporal/client.ts';
import { connectTemporal } from './temporal/connection.ts';
import { createDataConverter } from './temporal/data-converter.ts';
import { payloadCanaries } from './temporal/payload-canaries.ts';
import type { TaskQueue } from './temporal/queues.ts';
import { installRuntime } from './temporal/runtime-log.ts';
import { connectWorkers } from './temporal/worker-connection.ts';
import { startWorkerGroup } from './temporal/worker-group.ts';
import type { Activities, WorkerGroup } from './temporal/worker-group.ts';
import { buildWorkflows } from './temporal/workflow-bundle.ts';

/** Longer than any delivery's own deadline. */
const LEASE_MS = 30_000;
/** A tenant that was made since the start gets its canaries so much later. */
const CHECK_KEYS_EVERY_MS = 300_000;

interface Parts {
  readonly configuration: Configuration;
  readonly log: Logger;
  readonly database: Database;
  readonly personalData: PersonalData;
  readonly otpCodes: OtpCodes;
  readonly gateway: TemporalGateway;
  readonly failPoint: FailPoint;
  readonly instance: string;
  readonly dataConverter: DataConverter;
  readonly telemetry: ProcessTelemetry;
}

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
  const parts = await assemble(configuration, instance, log);
  try {
    await work(parts, stopping.signal);
  } finally {
    await parts.gateway.close();
    await parts.database.close();
    await parts.telemetry.close();
  }
  log.info({}, 'worker stopped');
}

async function assemble(
  configuration: Configuration,
  instance: string,
  log: Logger,
): Promise<Parts> {
  const { telemetry, sdkMetrics } = await startTelemetry(configuration, instance, log);
  const database = connectDatabase({
    url: configuration.database.url,
    observer: telemetry.database,
  });
  const kms = createEmbeddedKms(configuration.keys.master);
  const { namespace } = configuration.temporal;
  const dataConverter = createDataConverter({
    namespace,
    keys: configuration.keys.payload,
    onRefused: (reason) => {
      telemetry.temporal.payloadRefused(reason);
    },
  });
  const gateway = createTemporalGateway({
    connection: connectTemporal(configuration.temporal),
    namespace,
    dataConverter,
    identity: instance,
    clock: systemClock,
    metrics: telemetry.temporal,
    tracing: telemetry.tracing,
  });
  const backlog = exposeBacklog(telemetry.registry, createBacklogReader(database));
  telemetry.listen({ refresh: () => backlog.refresh(), more: sdkMetrics });
  return {
    configuration,
    log,
    database,
    gateway,
    dataConverter,
    failPoint: createFailPoint(configuration.failPoint),
    instance,
    telemetry,
    personalData: createPersonalData(kms),
    otpCodes: createOtpCodes(kms),
  };
}

/** The SDK counts by itself, and is told where before anything connects. */
async function startTelemetry(configuration: Configuration, instance: string, log: Logger) {
  const isExposed = configuration.telemetry.metrics !== undefined;
  const metricsAddress = isExposed ? await chooseSdkAddress() : undefined;
  installRuntime(log, { metricsAddress });
  const telemetry = await createProcessTelemetry({
    process: 'worker',
    instance,
    poolSize: DEFAULT_MAX_CONNECTIONS,
    log,
    ...configuration.telemetry,
  });
  const sdkMetrics = () =>
    metricsAddress === undefined ? Promise.resolve('') : readSdkMetrics(metricsAddress);
  return { telemetry, sdkMetrics };
}

async function work(parts: Parts, signal: AbortSignal): Promise<void> {
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
    const group = await startWorkerGroup({
      connection: native,
      namespace: configuration.temporal.namespace,
      workflows,
      dataConverter: parts.dataConverter,
      activities: createActivities(parts),
      log,
      buildId,
      failPoint: parts.failPoint,
      identity: parts.instance,
      metrics: telemetry.temporal,
      tracing: telemetry.tracing,
    });
    log.info({ buildId }, 'worker ready');
    await runUntilStopped(group, signal);
    await native.close();
  }
  await relay.stop();
}

function canariesOf({ payload, master }: Configuration['keys']): readonly KeyCanary[] {
  return [...payloadCanaries(payload), ...masterCanaries(master)];
}

/** @throws KeyCanaryError. false: told to stop before the database had said. */
async function keysAreRight(
  { configuration: { keys }, database, log, telemetry }: Parts,
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

function createActivities(parts: Parts): Readonly<Record<TaskQueue, Activities>> {
  const { configuration, database, personalData, otpCodes, gateway } = parts;
  const enrollments = createEnrollmentStore(database, { personalData, newId, otpCodes });
  return {
    sessions: createSessionActivities({ store: createSessionStore(database) }),
    ceremonies: createEnrollmentActivities({ store: enrollments }),
    revocations: createRevocationActivities({
      store: createRevocationStore(database),
      bell: {
        ring: (tenantId, { kind, id, healCount }, signalId) =>
          KINDS[kind].wake(gateway, { tenantId, id, healCount }, signalId),
      },
      heartbeat: {
        beat: (details) => {
          Context.current().heartbeat(details);
        },
        pause: (milliseconds) => Context.current().sleep(milliseconds),
      },
      nowMs: () => systemClock.nowMs(),
    }),
    vendors: createIdentityActivities({
      store: enrollments,
      verifier: createHttpIdentityVerifier({ ...configuration.identity, clock: systemClock }),
      callbackUrl: (tenantId) => identityCallbackUrl(parts, tenantId),
    }),
  };
}

async function identityCallbackUrl(
  { configuration, database }: Parts,
  tenantId: string,
): Promise<string> {
  const slug = (await database.tenants()).find((tenant) => tenant.tenantId === tenantId)?.slug;
  if (slug === undefined) throw new TypeError('an activity of a tenant that is not there');
  return `${tenantUrl(configuration.http, slug)}/vendors/identity/results`;
}

function startRelayParts(parts: Parts): { stop(): Promise<void> } {
  const { configuration, log, database, personalData, gateway, instance } = parts;
  const metrics = createRelayMetrics(parts.telemetry.registry, systemClock);
  const rows = createReconciliationPort(database);
  const leadership = createLeadership(configuration.database.url);
  const deliver = createDeliveries({
    calls: gateway,
    rows,
    clock: systemClock,
    events: createStreamEventSink(process.stdout),
    deliverMessage: createMessageDelivery({
      facts: (tenantId, channel, payload) =>
        database.tenant(tenantId, (tx) =>
          messageFacts(tx, personalData, { tenantId, channel, payload }),
        ),
      otpCodes: parts.otpCodes,
      sms: createHttpSmsSender({ ...configuration.sms, clock: systemClock }),
      email: createSmtpSender(configuration.email),
    }),
  });
  const relay = startRelay({
    outbox: createOutboxPort(database, { claimer: instance, leaseMs: LEASE_MS }),
    failPoint: parts.failPoint,
    deliver,
    backoffMs,
    metrics,
    log,
  });
  const reconciler = startReconciler({
    rows,
    leadership,
    metrics,
    log,
    calls: gateway,
    clock: systemClock,
  });
  const sweeps = createSweepPort(database, personalData);
  const sweeper = startSweeper({ sweeps, leadership, metrics, log });
  const keys = startLoop({ name: 'keys', everyMs: CHECK_KEYS_EVERY_MS, metrics, log }, async () => {
    parts.telemetry.keysChecked.set(0);
    await checkKeys(database, canariesOf(configuration.keys));
    parts.telemetry.keysChecked.set(1);
    return undefined;
  });
  return {
    async stop() {
      await Promise.all([relay.stop(), reconciler.stop(), sweeper.stop(), keys.stop()]);
      await leadership.close();
      log.info({}, 'relay stopped');
    },
  };
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
