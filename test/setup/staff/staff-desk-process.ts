/**
 * The API as a real process with its operations door open and the demo's staff directory beside it, over a database of its own: for command
 * lines, which know nothing but an address. Temporal is down; nothing that staff do asks it.
 */
import { vi } from 'vitest';
import { startApi } from '../../../runtime/latchkey-processes.ts';
import type { ManagedProcess } from '../../../runtime/managed-process.ts';
import { demoEnvironment } from '../../../runtime/demo-environment.ts';
import { findFreePort } from '../../../runtime/ports.ts';
import { startStaffDirectory } from '../../../runtime/staff-directory.ts';
import type { StaffDirectory } from '../../../runtime/staff-directory.ts';
import type { DemoPerson } from '../../../runtime/staff-people.ts';
import { createTestDatabase } from '../database.ts';
import type { TestDatabase } from '../database.ts';
import { seedDemoTenant } from '../demo-tenant.ts';

export interface StaffDesk {
  /** The operations door. */
  readonly url: string;
  readonly tenantId: string;
  readonly database: TestDatabase;
  close(): Promise<void>;
}

/** Call it in `beforeAll`, and `close()` in `afterAll`. */
export async function startStaffDesk(people: readonly DemoPerson[]): Promise<StaffDesk> {
  const database = await createTestDatabase();
  const tenantId = await seedDemoTenant(database);
  const [apiPort, doorPort] = [await findFreePort(), await findFreePort()];
  const url = `http://127.0.0.1:${String(doorPort)}`;
  const directory = await startStaffDirectory({
    port: 0,
    redirectUris: [`${url}/t/demo/staff/callback`],
    people,
    environment: {},
    onError: (error) => {
      throw error;
    },
  });
  const api = await startProcess({ database, directory, apiPort, doorPort, url });
  return {
    url,
    tenantId,
    database,
    close: async () => {
      await api.kill();
      await directory.stop();
      await database.drop();
    },
  };
}

async function startProcess(parts: {
  readonly database: TestDatabase;
  readonly directory: StaffDirectory;
  readonly apiPort: number;
  readonly doorPort: number;
  readonly url: string;
}): Promise<ManagedProcess> {
  const { database, directory, apiPort, doorPort, url } = parts;
  const nowhere = 'http://127.0.0.1:9';
  const environment = demoEnvironment(
    { PATH: process.env['PATH'] },
    {
      databaseUrl: database.applicationUrl,
      databaseOwnerUrl: undefined,
      temporalAddress: '127.0.0.1:1',
      temporalUiUpstream: undefined,
      operations: { port: doorPort, url },
      staffDirectory: directory,
      publicUrl: `http://127.0.0.1:${String(apiPort)}`,
      apiPort,
      metricsPorts: { api: await findFreePort(), worker: await findFreePort() },
      stageControlUrl: nowhere,
      smsUrl: `${nowhere}/sms`,
      smtpUrl: 'smtp://127.0.0.1:9',
      identityUrl: nowhere,
    },
  );
  const api = await startApi(
    {
      // close() ends it by itself.
      adopt: () => Promise.resolve(),
      onLine: () => undefined,
    },
    environment,
  );
  await vi.waitFor(
    async () => {
      const answer = await fetch(`${url}/livez`);
      if (!answer.ok) throw new Error('not yet');
    },
    { timeout: 30_000, interval: 100 },
  );
  return api;
}
