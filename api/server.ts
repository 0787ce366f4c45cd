/**
 * The API process: reads the environment, wires the adapters, listens, and on SIGTERM or SIGINT answers what is under way before it goes.
 * The only file of this room that may import from everywhere.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Connection } from '@temporalio/client';
import { systemClock } from '../adapters/clock.ts';
import { openKeyringWhenItAnswers } from '../adapters/kms/keyring.ts';
import type { OpenedKeyring } from '../adapters/kms/keyring.ts';
import { masterCanaries } from '../adapters/kms/master-canaries.ts';
import { createOtpCodes } from '../adapters/kms/otp-codes.ts';
import { newId } from '../adapters/random.ts';
import { createHttpRiskEngine } from '../adapters/risk/signed-http.ts';
import { createSignatureVerifier } from '../adapters/signed-http.ts';
import { ConfigurationError, loadConfiguration } from '../configuration/configuration.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { connectDatabase, DEFAULT_MAX_CONNECTIONS } from '../db/connection.ts';
import { checkKeysUntilKnown } from '../db/key-canaries.ts';
import { createPersonalData } from '../db/personal-data.ts';
import { KeyCanaryError } from '../domain/key-canary.ts';
import { createFailPoint } from '../adapters/fail-point.ts';
import { createApiMetrics } from '../telemetry/api-metrics.ts';
import { createProcessTelemetry } from '../telemetry/process-telemetry.ts';
import type { ProcessTelemetry } from '../telemetry/process-telemetry.ts';
import { createTemporalGateway } from '../temporal/client.ts';
import { connectTemporal } from '../temporal/connection.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { payloadCanaries } from '../temporal/payload-canaries.ts';
import { PayloadEncryption } from '../temporal/payload-codec.ts';
import { currentBuildId } from '../temporal/deployment.ts';
import { buildApp } from './app.ts';
import type { AppDependencies, ReadinessCheck } from './dependencies.ts';
import { openOperationsDoor } from './frame/doors.ts';
import { createLogger } from './frame/logging.ts';
import type { LatchkeyApp } from './types.ts';
import { openWaitingRoom } from './streams/waiting-room.ts';
import type { WaitingRoom } from './streams/waiting-room.ts';

const PAGES = fileURLToPath(new URL('../dist/console', import.meta.url));
const READINESS_DEADLINE_MS = 1_000;
/** Less than what whoever stops us waits before it kills. */
const DRAIN_MS = 8_000;

async function main(): Promise<void> {
  const given = loadConfiguration(process.env);
  // Never the host name: identities stand in every history.
  const instance = `api-${randomBytes(6).toString('hex')}`;
  const logger = createLogger({ level: given.logLevel, instance });
  const telemetry = await createProcessTelemetry({
    process: 'api',
    instance,
    poolSize: DEFAULT_MAX_CONNECTIONS,
    log: logger,
    ...given.telemetry,
  });
  const { keys, kms, signer } = await openKeys(given, logger, telemetry);
  const configuration = { ...given, keys };
  const connection = connectTemporal(configuration.temporal);
  const deps = wire(configuration, { instance, logger, connection, telemetry, kms, signer });
  const app = await buildApp(deps);
  const stopping = new AbortController();
  const close = async () => {
    stopping.abort();
    // Streams end only when told; what is still under way then has had its time.
    const deadline = setTimeout(() => {
      for (const server of [app.server, app.operationsDoor]) server.closeAllConnections();
    }, DRAIN_MS);
    await app.close();
    clearTimeout(deadline);
    await Promise.allSettled([deps.database.close(), deps.temporal.close()]);
    await telemetry.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) return;
      logger.info({ signal }, 'api stops');
      close().catch((error: unknown) => {
        logger.error({ err: error }, 'api did not stop cleanly');
        process.exitCode = 1;
      });
    });
  }
  try {
    await listenWithRightKeys(configuration, app, { deps, telemetry, signal: stopping.signal });
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits for the KMS with a door that says so. A signal ends the process at once: nothing is under way yet. */
async function openKeys(
  { keys, http }: Configuration,
  logger: AppDependencies['logger'],
  telemetry: ProcessTelemetry,
): Promise<OpenedKeyring> {
  let room: WaitingRoom | undefined;
  const opened = await openKeyringWhenItAnswers(keys, {
    signal: new AbortController().signal,
    observer: telemetry.kms,
    onAway: async (error) => {
      logger.warn({ err: error }, 'the KMS does not open the keys yet');
      const missing = { name: 'kms', detail: 'does not open the keys' };
      room ??= await openWaitingRoom({ host: http.host, port: http.port, missing });
    },
  });
  await room?.close();
  if (opened === undefined) throw new TypeError('nobody told it to stop');
  return opened;
}

/**
 * Listens once the database has said that the keys are right, or cannot say: then nothing can be answered with them either, and the check
 * goes on beside. @throws KeyCanaryError, also later.
 */
async function listenWithRightKeys(
  configuration: Configuration,
  app: LatchkeyApp,
  {
    deps: { database, logger },
    telemetry,
    signal,
  }: {
    readonly deps: AppDependencies;
    readonly telemetry: ProcessTelemetry;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { keys, http, operations } = configuration;
  const cannotSay = Promise.withResolvers<void>();
  const checked = checkKeysUntilKnown(
    database,
    [...payloadCanaries(keys.payload), ...masterCanaries(keys.master)],
    {
      signal,
      onUnknown: (error) => {
        logger.warn({ err: error }, 'the database cannot say yet whether the keys are right');
        cannotSay.resolve();
      },
    },
  ).then((isKnown) => {
    telemetry.keysChecked.set(isKnown ? 1 : 0);
  });
  await Promise.race([checked, cannotSay.promise]);
  await app.listen({ host: http.host, port: http.port });
  telemetry.listen();
  logger.info({ host: http.host, port: http.port }, 'api listens');
  if (operations !== undefined) {
    await openOperationsDoor(app, operations);
    logger.info({ host: operations.host, port: operations.port }, 'operations door listens');
  }
  await checked;
}

function wire(
  configuration: Configuration,
  {
    instance,
    logger,
    connection,
    telemetry,
    kms,
    signer,
  }: {
    readonly instance: string;
    readonly logger: AppDependencies['logger'];
    readonly connection: Connection;
    readonly telemetry: ProcessTelemetry;
    readonly kms: OpenedKeyring['kms'];
    readonly signer: OpenedKeyring['signer'];
  },
): AppDependencies {
  const { namespace } = configuration.temporal;
  const { tracing, temporal: metrics } = telemetry;
  const onRefused = (reason: string) => {
    metrics.payloadRefused(reason);
  };
  const isDevelopment = configuration.mode === 'development';
  return {
    configuration,
    database: connectDatabase({
      url: configuration.database.url,
      observer: telemetry.database,
    }),
    temporal: createTemporalGateway({
      connection,
      namespace,
      dataConverter: createDataConverter({
        namespace,
        keys: configuration.keys.payload,
        onRefused,
      }),
      metrics,
      tracing,
      identity: instance,
      clock: systemClock,
    }),
    kms,
    personalData: createPersonalData(kms),
    otpCodes: createOtpCodes(kms),
    receiptSigner: signer,
    identitySignatures: createSignatureVerifier({
      secret: configuration.identity.secret,
      clock: systemClock,
    }),
    ...livenessSignatures(configuration),
    // Without an engine nothing is asked: a login has no time for a question whose answer is known.
    ...(configuration.risk === undefined
      ? {}
      : { riskEngine: createHttpRiskEngine({ ...configuration.risk, clock: systemClock }) }),
    clock: systemClock,
    newId,
    logger,
    failPoint: createFailPoint(configuration.failPoint),
    metrics: createApiMetrics(telemetry.registry),
    ...(tracing === undefined ? {} : { tracing }),
    readiness: [workerCheck(connection, namespace)],
    ...(isDevelopment && existsSync(PAGES) ? { pagesDirectory: PAGES } : {}),
    ...(existsSync(PAGES) ? { operationsPagesDirectory: PAGES } : {}),
    payloadCodec: new PayloadEncryption({ namespace, keys: configuration.keys.payload }),
  };
}

/** A vendor that is asked (Rekognition) sends nothing. */
function livenessSignatures({
  liveness,
}: Configuration): Pick<AppDependencies, 'livenessSignatures'> {
  if (liveness?.vendor !== 'signed-http') return {};
  const { secret } = liveness;
  return { livenessSignatures: createSignatureVerifier({ secret, clock: systemClock }) };
}

/** Nothing runs before a worker's build is current (TEMPORAL.md, Versions). */
function workerCheck(connection: Connection, namespace: string): ReadinessCheck {
  return {
    name: 'worker',
    detail: 'no build of the workers is current',
    isReady: async () => {
      const buildId = await connection.withDeadline(
        systemClock.nowMs() + READINESS_DEADLINE_MS,
        () => currentBuildId(connection, namespace),
      );
      return buildId !== undefined;
    },
  };
}

try {
  await main();
} catch (error) {
  const isForOperators = error instanceof ConfigurationError || error instanceof KeyCanaryError;
  const text = isForOperators ? error.message : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
