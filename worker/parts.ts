/** What everything in the worker process works with, made once at its start: configuration, database, keys, the way to Temporal, telemetry. */
import type { Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { Logger } from 'pino';
import { systemClock } from '../adapters/clock.ts';
import { openKeyringWhenItAnswers } from '../adapters/kms/keyring.ts';
import { masterCanaries } from '../adapters/kms/master-canaries.ts';
import { createOtpCodes } from '../adapters/kms/otp-codes.ts';
import { createLivenessChecker } from '../adapters/liveness/checker.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { createBacklogReader } from '../db/backlog.ts';
import { readKeyAges } from '../db/key-ages.ts';
import { connectDatabase, DEFAULT_MAX_CONNECTIONS } from '../db/connection.ts';
import type { Database } from '../db/connection.ts';
import { createPersonalData } from '../db/personal-data.ts';
import type { PersonalData } from '../db/personal-data.ts';
import type { FailPoint } from '../domain/fail-point.ts';
import type { KeyCanary } from '../domain/key-canary.ts';
import type { KeyManagement, LastingSigner, LivenessChecker, OtpCodes } from '../domain/ports.ts';
import { createFailPoint } from '../adapters/fail-point.ts';
import { exposeBacklog } from '../telemetry/backlog-metrics.ts';
import { exposeKeyAges } from '../telemetry/key-metrics.ts';
import { createProcessTelemetry } from '../telemetry/process-telemetry.ts';
import type { ProcessTelemetry } from '../telemetry/process-telemetry.ts';
import { chooseSdkAddress, readSdkMetrics } from '../telemetry/temporal-sdk-metrics.ts';
import { createTemporalGateway } from '../temporal/client.ts';
import type { TemporalGateway } from '../temporal/client.ts';
import { connectTemporal } from '../temporal/connection.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { payloadCanaries } from '../temporal/payload-canaries.ts';
import { installRuntime } from '../temporal/runtime-log.ts';

export interface WorkerParts {
  readonly configuration: Configuration;
  readonly log: Logger;
  readonly database: Database;
  readonly kms: KeyManagement;
  /** Of receipts. */
  readonly signer: LastingSigner;
  readonly personalData: PersonalData;
  readonly otpCodes: OtpCodes;
  readonly liveness: LivenessChecker;
  readonly connection: Connection;
  readonly gateway: TemporalGateway;
  readonly failPoint: FailPoint;
  readonly instance: string;
  readonly dataConverter: DataConverter;
  readonly telemetry: ProcessTelemetry;
}

export interface WorkerStart {
  readonly instance: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Nothing is connected to yet but what the metrics need and what opens the keys; undefined when told to stop before they were open. */
export async function assemble(
  given: Configuration,
  { instance, log, signal }: WorkerStart,
): Promise<WorkerParts | undefined> {
  const { telemetry, sdkMetrics } = await startTelemetry(given, instance, log);
  const opened = await openKeyringWhenItAnswers(given.keys, {
    signal,
    observer: telemetry.kms,
    onAway: (error) => {
      log.warn({ err: error }, 'the KMS does not open the keys yet');
    },
  });
  if (opened === undefined) {
    await telemetry.close();
    return undefined;
  }
  const { kms, signer } = opened;
  const configuration = { ...given, keys: opened.keys };
  const database = connectDatabase({
    url: configuration.database.url,
    observer: telemetry.database,
  });
  const { namespace } = configuration.temporal;
  const dataConverter = createDataConverter({
    namespace,
    keys: configuration.keys.payload,
    onRefused: (reason) => {
      telemetry.temporal.payloadRefused(reason);
    },
  });
  const connection = connectTemporal(configuration.temporal);
  const gateway = createTemporalGateway({
    connection,
    namespace,
    dataConverter,
    identity: instance,
    clock: systemClock,
    metrics: telemetry.temporal,
    tracing: telemetry.tracing,
  });
  const backlog = exposeBacklog(telemetry.registry, createBacklogReader(database));
  const keyAges = exposeKeyAges(telemetry.registry, () => readKeyAges(database));
  const refresh = async () => {
    await Promise.all([backlog.refresh(), keyAges.refresh()]);
  };
  telemetry.listen({ refresh, more: sdkMetrics });
  return {
    configuration,
    log,
    database,
    kms,
    signer,
    connection,
    gateway,
    dataConverter,
    failPoint: createFailPoint(configuration.failPoint),
    instance,
    telemetry,
    personalData: createPersonalData(kms),
    otpCodes: createOtpCodes(kms),
    liveness: createLivenessChecker(configuration.liveness, { clock: systemClock }),
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

/** Of every key that this process may seal or open with. */
export function canariesOf({ payload, master }: Configuration['keys']): readonly KeyCanary[] {
  return [...payloadCanaries(payload), ...masterCanaries(master)];
}
