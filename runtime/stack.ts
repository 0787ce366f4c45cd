/**
 * A whole Latchkey on one machine: every server that the environment does not name is started here, the API and the worker beside
 * them as processes of their own. Shared by `npm start`, the browser tests and the fault tests; refuses production.
 */
import { mkdir } from 'node:fs/promises';
import { systemClock } from '../adapters/clock.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import type { Configuration } from '../configuration/configuration.ts';
import {
  bootstrapDemoTenant,
  DEMO_APP_CLIENT,
  DEMO_FRAUD_CLIENT,
  DEMO_SLUG,
} from '../db/bootstrap.ts';
import { migrate } from '../db/migrate.ts';
import { createCeremonyBuilds } from './ceremony-build.ts';
import type { CeremonyBuilds } from './ceremony-build.ts';
import { DEMO_GATEWAY, demoEnvironment } from './demo-environment.ts';
import { openDemoTime } from './demo-time.ts';
import type { DemoTime } from './demo-time.ts';
import { DEMO_RISK_SECRET, demoBankJwks, demoFraudJwks, demoPaymentsJwks } from './demo-secrets.ts';
import type { IdentityVendor } from './identity-vendor.ts';
import type { Inbox } from './inbox.ts';
import { errorLine, startApi, startWorker } from './latchkey-processes.ts';
import type { LivenessVendor } from './liveness-vendor.ts';
import type { LocalServer } from './local-http.ts';
import type { ManagedProcess } from './managed-process.ts';
import type { Parts } from './parts.ts';
import { startPhoneLine } from './phone-line.ts';
import type { PhoneLine } from './phone-line.ts';
import { describeTakenPort, findFreePort, isPortTaken } from './ports.ts';
import { waitUntilReady } from './readiness.ts';
import type { StackOptions } from './stack-options.ts';
import { StackParts } from './stack-parts.ts';
import { startDatabase, startDirectory, startTemporal, startVendors } from './stack-servers.ts';
import type { StackTemporal } from './stack-servers.ts';
import { startStageControl } from './stage-control.ts';
import type { StageControlOptions } from './stage-control.ts';
import { Supervision } from './supervision.ts';
import { WantedEnds } from './wanted-ends.ts';

const READY_TIMEOUT_MS = 60_000;
const LOOPBACK = '127.0.0.1';

export interface Stack {
  /** What the API and the worker were started with. */
  readonly environment: NodeJS.ProcessEnv;
  readonly publicUrl: string;
  readonly issuer: string;
  /** Where staff come in. */
  readonly operationsUrl: string;
  readonly inbox: Inbox;
  readonly identityVendor: IdentityVendor;
  readonly livenessVendor: LivenessVendor;
  readonly stageControl: LocalServer;
  readonly api: ManagedProcess;
  readonly worker: ManagedProcess;
  /** What may be stopped and started again while everything else runs on. */
  readonly parts: Parts;
}

/** Brings everything up and returns when /readyz is green. What was started before an error stays with its adopter. */
export async function startStack(options: StackOptions): Promise<Stack> {
  refuseProduction(options.environment);
  await mkdir(options.directory, { recursive: true });
  await refuseTakenPort('the API', options.ports.api);
  await refuseTakenPort('the operations door', options.ports.operations);
  const ends = new WantedEnds();
  const supervision = new Supervision({ onLine: options.onProgress });
  const [database, temporal] = await Promise.all([
    startDatabase(options),
    startTemporal({ ...options, ...ends.host(options) }),
  ]);
  const vendors = await startVendors(options);
  const { publicUrl, operationsUrl } = addressesOf(options);
  const staffDirectory = await startDirectory(options, operationsUrl);
  // The public port is the line, which a button can break; behind it the API has one of its own.
  const apiPort = await findFreePort();
  const given = { ...options.environment, LATCHKEY_PORT: '', LATCHKEY_HOST: LOOPBACK };
  const environment = demoEnvironment(given, {
    databaseUrl: database.url,
    databaseOwnerUrl: database.ownerUrl,
    temporalAddress: temporal.address,
    temporalUiUpstream: temporal.uiUpstream,
    operations: { port: options.ports.operations, url: operationsUrl },
    staffDirectory,
    publicUrl,
    apiPort,
    metricsPorts: { api: options.ports.apiMetrics, worker: options.ports.workerMetrics },
    stageControlUrl: `http://localhost:${options.ports.stageControl}`,
    ...vendorAddresses(vendors),
  });
  // Refuses what is wrong before a process is started that would refuse it, too.
  const configuration = loadConfiguration(environment);
  const tenantId = await prepareDatabase(configuration.database.ownerUrl, publicUrl, options);
  const { api, worker, parts, builds } = await startProcesses(options, {
    environment,
    configuration,
    temporal,
    ends,
    supervision,
    apiPort,
  });
  const issuer = `${publicUrl}/t/${DEMO_SLUG}`;
  const time = await openTime(options, configuration.database.url, tenantId);
  const stageControl = await startStage(options, {
    publicUrl,
    issuer,
    ...vendors,
    parts,
    builds,
    ...(configuration.temporalUi === undefined
      ? {}
      : { temporalUiUrl: `${operationsUrl}/temporal` }),
    temporalNamespace: configuration.temporal.namespace,
    temporal: configuration.temporal,
    ...(staffDirectory === undefined ? {} : { operationsUrl }),
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(time === undefined ? {} : { time }),
  });
  await waitForReadiness(options.ports.api, api);
  if (options.isSupervised === true) supervision.begin();
  return {
    environment,
    publicUrl,
    issuer,
    stageControl,
    api,
    worker,
    parts,
    ...vendors,
    operationsUrl,
  };
}

function vendorAddresses({
  inbox,
  identityVendor,
  livenessVendor,
}: Pick<Stack, 'inbox' | 'identityVendor' | 'livenessVendor'>) {
  const { smsUrl, smtpUrl } = inbox;
  return { smsUrl, smtpUrl, identityUrl: identityVendor.url, livenessUrl: livenessVendor.url };
}

function addressesOf({ environment, ports }: StackOptions) {
  return {
    publicUrl: environment['LATCHKEY_PUBLIC_URL'] || `http://localhost:${ports.api}`,
    operationsUrl: environment['LATCHKEY_OPERATIONS_URL'] || `http://localhost:${ports.operations}`,
  };
}

/** Of a database that this stack has not prepared nobody moves the times. */
async function openTime(
  options: StackOptions,
  databaseUrl: string,
  tenantId: string | undefined,
): Promise<DemoTime | undefined> {
  if (tenantId === undefined) return undefined;
  const time = openDemoTime({ databaseUrl, tenantId });
  await options.adopt({ name: 'demo time', stop: () => time.stop() });
  return time;
}

type OfTheDemo = 'port' | 'appClientId' | 'fraudClientId' | 'gatewayId' | 'clock' | 'onError';

async function startStage(
  options: StackOptions,
  given: Omit<StageControlOptions, OfTheDemo>,
): Promise<LocalServer> {
  const stageControl = await startStageControl({
    ...given,
    port: options.ports.stageControl,
    appClientId: DEMO_APP_CLIENT,
    fraudClientId: DEMO_FRAUD_CLIENT,
    gatewayId: DEMO_GATEWAY,
    clock: systemClock,
    riskSecret: options.environment['RISK_SECRET'] || DEMO_RISK_SECRET,
    onError: errorLine(options, 'stage control'),
  });
  await options.adopt({ name: 'stage control', stop: () => stageControl.stop() });
  return stageControl;
}

interface Processes {
  readonly api: ManagedProcess;
  readonly worker: ManagedProcess;
  readonly parts: Parts;
  readonly builds: CeremonyBuilds;
}

async function startProcesses(
  options: StackOptions,
  given: {
    readonly environment: NodeJS.ProcessEnv;
    readonly configuration: Configuration;
    readonly temporal: StackTemporal;
    readonly ends: WantedEnds;
    readonly supervision: Supervision;
    readonly apiPort: number;
  },
): Promise<Processes> {
  const { environment, configuration, ends, supervision } = given;
  // As its button does: with the build that was deployed last.
  const workerHost = ends.host(supervision.host(options, () => parts.startWorker()));
  const launchWorker = (changes: NodeJS.ProcessEnv) =>
    startWorker(workerHost, { ...environment, ...changes }, configuration.temporal);
  const worker = await launchWorker({});
  await options.pagesAreBuilt;
  const line = await startLine(options, given.apiPort);
  const apiHost = supervision.host(options, () => startApi(apiHost, environment));
  const api = await startApi(apiHost, environment);
  const parts = new StackParts({
    clock: systemClock,
    line,
    ends,
    worker,
    launchWorker: (buildId) =>
      launchWorker(buildId === undefined ? {} : { LATCHKEY_BUILD_ID: buildId }),
    temporal: given.temporal.control,
  });
  const builds = createCeremonyBuilds(configuration.temporal, systemClock);
  await options.adopt({ name: 'ceremony builds', stop: () => builds.stop() });
  return { api, worker, parts, builds };
}

/** The public port: what the phone's calls pass on their way to the API. */
async function startLine(options: StackOptions, apiPort: number): Promise<PhoneLine> {
  const line = await startPhoneLine({
    port: options.ports.api,
    host: options.environment['LATCHKEY_HOST'] || LOOPBACK,
    targetPort: apiPort,
    ...(options.noLineMs === undefined ? {} : { noLineMs: options.noLineMs }),
  });
  await options.adopt({ name: 'line', stop: () => line.stop() });
  return line;
}

/** Answers the demo tenant's id. */
async function prepareDatabase(
  ownerUrl: string | undefined,
  publicUrl: string,
  { onProgress }: StackOptions,
): Promise<string | undefined> {
  if (ownerUrl === undefined) {
    onProgress('DATABASE_OWNER_URL is not given: the database is taken as it is, not migrated');
    return undefined;
  }
  const applied = await migrate({ ownerUrl });
  if (applied.length > 0) onProgress(`migrated the database: ${applied.join(', ')}`);
  const fraudClientJwks = demoFraudJwks();
  const bankClientJwks = demoBankJwks();
  const paymentsClientJwks = demoPaymentsJwks();
  const clients = { fraudClientJwks, bankClientJwks, paymentsClientJwks };
  return (await bootstrapDemoTenant({ ownerUrl, publicUrl, ...clients })).tenantId;
}

async function waitForReadiness(port: number, api: ManagedProcess): Promise<void> {
  let last = 'no answer';
  try {
    await waitUntilReady(
      async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/readyz`, {
          signal: AbortSignal.timeout(5_000),
        });
        last = await answer.text();
        return answer.ok;
      },
      { what: 'Latchkey', timeoutMs: READY_TIMEOUT_MS, gaveUp: api.exited },
    );
  } catch (cause) {
    throw new Error(`/readyz is not green: ${last}`, { cause });
  }
}

function refuseProduction(environment: NodeJS.ProcessEnv): void {
  if (environment['LATCHKEY_MODE'] !== 'production') return;
  throw new Error(
    'LATCHKEY_MODE=production: this brings up demo servers with published secrets; in production start api/server.ts and worker.ts',
  );
}

async function refuseTakenPort(purpose: string, port: number): Promise<void> {
  if (await isPortTaken(port)) throw new Error(await describeTakenPort(purpose, port));
}
