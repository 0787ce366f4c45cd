/**
 * The servers of a development stack that the environment does not name: PostgreSQL, Temporal, the local vendors. Each is handed to the
 * host before the next begins, so that nothing is left behind when one of them fails.
 */
import { join } from 'node:path';
import { systemClock } from '../adapters/clock.ts';
import { DEMO_SLUG } from '../db/bootstrap.ts';
import { isGiven } from './demo-environment.ts';
import { DEMO_IDENTITY_SECRET, DEMO_LIVENESS_SECRET, DEMO_SMS_SECRET } from './demo-secrets.ts';
import { startIdentityVendor } from './identity-vendor.ts';
import type { IdentityVendor } from './identity-vendor.ts';
import { startInbox } from './inbox.ts';
import type { Inbox } from './inbox.ts';
import { errorLine } from './latchkey-processes.ts';
import { startLivenessVendor } from './liveness-vendor.ts';
import type { LivenessVendor } from './liveness-vendor.ts';
import { findFreePort, holdPort } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { startStaffDirectory } from './staff-directory.ts';
import type { StaffDirectory } from './staff-directory.ts';
import type { StackOptions } from './stack-options.ts';
import type { StackPartsOptions } from './stack-parts.ts';
import { findTemporal } from './temporal-finder.ts';
import { startTemporalServer } from './temporal-server.ts';
import type { TemporalServer } from './temporal-server.ts';

export async function startDatabase(
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

export interface StackTemporal {
  readonly address: string;
  /** Of Temporal's web UI, which only the operations door should be asked for. */
  readonly uiUpstream: string | undefined;
  /** undefined: not ours to stop. */
  readonly control: StackPartsOptions['temporal'];
}

export async function startTemporal(options: StackOptions): Promise<StackTemporal> {
  if (isGiven(options.environment, 'TEMPORAL_ADDRESS'))
    return { address: '', uiUpstream: undefined, control: undefined };
  const { executable } = await findTemporal({
    environment: options.environment,
    onProgress: options.onProgress,
  });
  // Chosen once: the door keeps asking there after a restart.
  const uiPort = await findFreePort();
  const launch = async (): Promise<TemporalServer> => {
    const started = await startTemporalServer({
      executable,
      port: options.ports.temporal,
      uiPort,
      databaseFile: join(options.directory, 'temporal.db'),
      namespace: 'latchkey',
      onLine: (line) => {
        options.onLine('temporal', line);
      },
    });
    await options.adopt(started.process);
    return started;
  };
  const server = await launch();
  return {
    address: server.address,
    uiUpstream: server.uiUpstream,
    control: {
      process: server.process,
      launch: async () => (await launch()).process,
      holdPort: () => holdPort(options.ports.temporal),
    },
  };
}

/** undefined when LATCHKEY_STAFF names another one. */
export async function startDirectory(
  options: StackOptions,
  operationsUrl: string,
): Promise<StaffDirectory | undefined> {
  if (isGiven(options.environment, 'LATCHKEY_STAFF')) return undefined;
  const directory = await startStaffDirectory({
    port: options.ports.staffDirectory,
    redirectUris: [`${operationsUrl}/t/${DEMO_SLUG}/staff/callback`],
    environment: options.environment,
    onError: errorLine(options, 'staff directory'),
  });
  await options.adopt({ name: 'staff directory', stop: () => directory.stop() });
  return directory;
}

export async function startVendors(options: StackOptions): Promise<{
  readonly inbox: Inbox;
  readonly identityVendor: IdentityVendor;
  readonly livenessVendor: LivenessVendor;
}> {
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
  const livenessVendor = await startLivenessVendor({
    port: options.ports.livenessVendor,
    secret: options.environment['LIVENESS_SECRET'] || DEMO_LIVENESS_SECRET,
    clock: systemClock,
    onError: errorLine(options, 'liveness vendor'),
  });
  await options.adopt({ name: 'liveness vendor', stop: () => livenessVendor.stop() });
  return { inbox, identityVendor, livenessVendor };
}
