/**
 * The API process: reads the environment, wires the adapters, listens, and on SIGTERM or SIGINT answers what is under way before it goes.
 * The only file of this room that may import from everywhere.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Connection } from '@temporalio/client';
import { systemClock } from '../adapters/clock.ts';
import { createEmbeddedKms } from '../adapters/kms/embedded.ts';
import { createOtpCodes } from '../adapters/kms/otp-codes.ts';
import { newId } from '../adapters/random.ts';
import { createSignatureVerifier } from '../adapters/signed-http.ts';
import { ConfigurationError, loadConfiguration } from '../configuration/configuration.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { connectDatabase } from '../db/connection.ts';
import { createPersonalData } from '../db/personal-data.ts';
import { createFailPoint } from '../runtime/fail-point.ts';
import { connectTemporal, createTemporalGateway } from '../temporal/client.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { currentBuildId } from '../temporal/deployment.ts';
import { buildApp } from './app.ts';
import type { AppDependencies, ReadinessCheck } from './dependencies.ts';
import { openOperationsDoor } from './doors.ts';
import { createLogger } from './logging.ts';

const PAGES = fileURLToPath(new URL('../dist/console', import.meta.url));
const READINESS_DEADLINE_MS = 1_000;
/** Less than what whoever stops us waits before it kills. */
const DRAIN_MS = 8_000;

async function main(): Promise<void> {
  const configuration = loadConfiguration(process.env);
  // Never the host name: identities stand in every history.
  const instance = `api-${randomBytes(6).toString('hex')}`;
  const logger = createLogger({ level: configuration.logLevel, instance });
  const connection = connectTemporal(configuration.temporal);
  const deps = wire(configuration, { instance, logger, connection });
  const app = await buildApp(deps);
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      logger.info({ signal }, 'api stops');
      const stop = async () => {
        // Streams end only when told; what is still under way then has had its time.
        const deadline = setTimeout(() => {
          for (const server of [app.server, app.operationsDoor]) server.closeAllConnections();
        }, DRAIN_MS);
        await app.close();
        clearTimeout(deadline);
        await Promise.allSettled([deps.database.close(), deps.temporal.close()]);
      };
      stop().catch((error: unknown) => {
        logger.error({ err: error }, 'api did not stop cleanly');
        process.exitCode = 1;
      });
    });
  }
  const { host, port } = configuration.http;
  await app.listen({ host, port });
  logger.info({ host, port }, 'api listens');
  const { operations } = configuration;
  if (operations === undefined) return;
  await openOperationsDoor(app, operations);
  logger.info({ host: operations.host, port: operations.port }, 'operations door listens');
}

function wire(
  configuration: Configuration,
  {
    instance,
    logger,
    connection,
  }: {
    readonly instance: string;
    readonly logger: AppDependencies['logger'];
    readonly connection: Connection;
  },
): AppDependencies {
  const { namespace } = configuration.temporal;
  const kms = createEmbeddedKms(configuration.keys.master);
  const isDevelopment = configuration.mode === 'development';
  return {
    configuration,
    database: connectDatabase({ url: configuration.database.url }),
    temporal: createTemporalGateway({
      connection,
      namespace,
      dataConverter: createDataConverter({ namespace, keys: configuration.keys.payload }),
      identity: instance,
      clock: systemClock,
    }),
    kms,
    personalData: createPersonalData(kms),
    otpCodes: createOtpCodes(kms),
    identitySignatures: createSignatureVerifier({
      secret: configuration.identity.secret,
      clock: systemClock,
    }),
    clock: systemClock,
    newId,
    logger,
    failPoint: createFailPoint(configuration.failPoint),
    readiness: [workerCheck(connection, namespace)],
    ...(isDevelopment && existsSync(PAGES) ? { pagesDirectory: PAGES } : {}),
  };
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
  const text = error instanceof ConfigurationError ? error.message : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
}
