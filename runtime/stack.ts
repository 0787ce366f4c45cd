/**
 * A whole Latchkey on one machine: every server that the environment does not name is started here, the API and the worker beside
 * them as processes of their own. Shared by `npm start`, the browser tests and the fault tests; refuses production.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../adapters/clock.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import {
  bootstrapDemoTenant,
  DEMO_APP_CLIENT,
  DEMO_FRAUD_CLIENT,
  DEMO_SLUG,
} from '../db/bootstrap.ts';
import { migrate } from '../db/migrate.ts';
import { DEMO_GATEWAY, demoEnvironment, isGiven } from './demo-environment.ts';
import { DEMO_IDENTITY_SECRET, DEMO_SMS_SECRET, demoFraudJwks } from './demo-secrets.ts';
import { startIdentityVendor } from './identity-vendor.ts';
import type { IdentityVendor } from './identity-vendor.ts';
import { errorLine, startApi, startWorker } from './latchkey-processes.ts';
import type { ProcessHost } from './latchkey-processes.ts';
import { startInbox } from './inbox.ts';
import type { Inbox } from './inbox.ts';
import type { LocalServer } from './local-http.ts';
import type { ManagedProcess } from './managed-process.ts';
import { describeTakenPort, isPortTaken } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { waitUntilReady } from './readiness.ts';
import type { StackPorts } from './stack-options.ts';
import { startStageControl } from './stage-control.ts';
import { findTemporal } from './temporal-finder.ts';
import { startTemporalServer } from './temporal-server.ts';

const READY_TIMEOUT_MS = 60_000;

export interface StackOptions extends ProcessHost {
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
  readonly ports: StackPorts;
  /** Done before the API starts: it serves the pages that it finds then. */
  readonly pagesAreBuilt?: Promise<void>;
  /** What a person is told while it takes a while. */
  readonly onProgress: (line: string) => void;
}

export interface Stack {
  /** What the API and the worker were started with. */
  readonly environment: NodeJS.ProcessEnv;
  readonly publicUrl: string;
  readonly issuer: string;
  /** The page of our namespace: the UI's own first page shows another one, which is empty. */
  readonly temporalUiUrl: string | undefined;
  readonly inbox: Inbox;
  readonly identityVendor: IdentityVendor;
  readonly stageControl: LocalServer;
  readonly api: ManagedProcess;
  readonly worker: ManagedProcess;
}

/** Brings everything up and returns when /readyz is green. What was started before an error stays with its adopter. */
export async function startStack(options: StackOptions): Promise<Stack> {
  if (options.environment['LATCHKEY_MODE'] === 'production') {
    throw new Error(
      'LATCHKEY_MODE=production: this brings up demo servers with published secrets; in production start api/server.ts and worker.ts',
    );
  }
  await mkdir(options.directory, { recursive: true });
  await refuseTakenPort('the API', options.ports.api);
  const [database, temporal] = await Promise.all([startDatabase(options), startTemporal(options)]);
  const vendors = await startVendors(options);
  const publicUrl =
    options.environment['LATCHKEY_PUBLIC_URL'] || `http://localhost:${options.ports.api}`;
  const environment = demoEnvironment(options.environment, {
    databaseUrl: database.url,
    databaseOwnerUrl: database.ownerUrl,
    temporalAddress: temporal.address,
    temporalUiUrl: temporal.uiUrl,
    publicUrl,
    apiPort: options.ports.api,
    stageControlUrl: `http://localhost:${options.ports.stageControl}`,
    smsUrl: vendors.inbox.smsUrl,
    smtpUrl: vendors.inbox.smtpUrl,
    identityUrl: vendors.identityVendor.url,
  });
  // Refuses what is wrong before a process is started that would refuse it, too.
  const configuration = loadConfiguration(environment);
  const tenantId = await prepareDatabase(configuration.database.ownerUrl, publicUrl, options);
  const worker = await startWorker(options, environment, configuration.temporal);
  await options.pagesAreBuilt;
  const api = await startApi(options, environment);
  const issuer = `${publicUrl}/t/${DEMO_SLUG}`;
  const stageControl = await startStageControl({
    port: options.ports.stageControl,
    publicUrl,
    issuer,
    appClientId: DEMO_APP_CLIENT,
    fraudClientId: DEMO_FRAUD_CLIENT,
    gatewayId: DEMO_GATEWAY,
    ...vendors,
    clock: systemClock,
    ...(temporal.uiUrl === undefined ? {} : { temporalUiUrl: temporal.uiUrl }),
    temporalNamespace: configuration.temporal.namespace,
    ...(tenantId === undefined ? {} : { tenantId }),
    onError: errorLine(options, 'stage control'),
  });
  await options.adopt({ name: 'stage control', stop: () => stageControl.stop() });
  await waitForReadiness(options.ports.api, api);
  return {
    environment,
    publicUrl,
    issuer,
    stageControl,
    api,
    worker,
    ...vendors,
    temporalUiUrl:
      temporal.uiUrl &&
      `${temporal.uiUrl}/namespaces/${configuration.temporal.namespace}/workflows`,
  };
}

async function startDatabase(
  options: StackOptions,
): Promise<{ readonly url: string; readonly ownerUrl: string | undefined }> {
  if (isGiven(options.environment, 'DATABASE_URL')) return { url: '', ownerUrl: undefined };
  const server = await startPostgres({
    directory: options.directory,
    port: options.ports.postgres,
    onLine: (line) => {
      options.onLine('postgres', line);
    },
  });
  await options.adopt(server.process);
  return { url: server.applicationUrl(), ownerUrl: server.ownerUrl() };
}

async function startTemporal(
  options: StackOptions,
): Promise<{ readonly address: string; readonly uiUrl: string | undefined }> {
  if (isGiven(options.environment, 'TEMPORAL_ADDRESS')) return { address: '', uiUrl: undefined };
  const { executable } = await findTemporal({
    environment: options.environment,
    onProgress: options.onProgress,
  });
  const server = await startTemporalServer({
    executable,
    port: options.ports.temporal,
    uiPort: options.ports.operations,
    databaseFile: join(options.directory, 'temporal.db'),
    namespace: 'latchkey',
    onLine: (line) => {
      options.onLine('temporal', line);
    },
  });
  await options.adopt(server.process);
  return { address: server.address, uiUrl: server.uiUrl };
}

async function startVendors(
  options: StackOptions,
): Promise<{ readonly inbox: Inbox; readonly identityVendor: IdentityVendor }> {
  const inbox = await startInbox({
    port: options.ports.inbox,
    smtpPort: options.ports.smtp,
    smsSecret: options.environment['SMS_SECRET'] || DEMO_SMS_SECRET,
    clock: systemClock,
    onError: errorLine(options, 'inbox'),
  });
  await options.adopt({ name: 'inbox', stop: () => inbox.stop() });
  const identityVendor = await startIdentityVendor({
    port: options.ports.identityVendor,
    secret: options.environment['IDENTITY_SECRET'] || DEMO_IDENTITY_SECRET,
    clock: systemClock,
    onError: errorLine(options, 'identity vendor'),
  });
  await options.adopt({ name: 'identity vendor', stop: () => identityVendor.stop() });
  return { inbox, identityVendor };
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
  return (await bootstrapDemoTenant({ ownerUrl, publicUrl, fraudClientJwks })).tenantId;
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

async function refuseTakenPort(purpose: string, port: number): Promise<void> {
  if (await isPortTaken(port)) throw new Error(await describeTakenPort(purpose, port));
}
