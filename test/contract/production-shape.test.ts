/**
 * docker-compose.yml, started without Docker: each of our services from the image's own files, with its command, its environment and its
 * secrets, in production mode, against a real PostgreSQL and a real Temporal. What compose itself does is not shown here.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { findFreePort } from '../../runtime/ports.ts';
import { startPostgres } from '../../runtime/postgres.ts';
import type { PostgresServer } from '../../runtime/postgres.ts';
import { currentBuildId } from '../../temporal/deployment.ts';
import { durationMs, readCompose } from '../setup/documents/compose.ts';
import type { Compose } from '../setup/documents/compose.ts';
import { Production } from '../setup/beds/production.ts';
import type { RunningService } from '../setup/beds/production.ts';

const PUBLIC_URL = 'https://login.bank.example';
const TENANT = 'ops/compose/tenant.example.json';
const STAFF = 'ops/compose/staff.example.json';
const COORDINATE = 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU';
const NAMESPACE = `production-${randomBytes(6).toString('hex')}`;
const READY = { timeout: 60_000, interval: 500 };

let folder: string;
let server: PostgresServer;
let compose: Compose;
let production: Production;
let ports: Readonly<Record<'api' | 'operations' | 'apiMetrics' | 'workerMetrics', number>>;
let worker: RunningService;
let api: RunningService;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-production-'));
  await chmod(folder, 0o711);
  server = await startPostgres({
    directory: folder,
    port: await findFreePort(),
    isDurable: false,
  });
  const found = new Set<number>();
  while (found.size < 4) found.add(await findFreePort());
  const [one = 0, two = 0, three = 0, four = 0] = [...found];
  ports = { api: one, operations: two, apiMetrics: three, workerMetrics: four };
  compose = readCompose({
    LATCHKEY_PUBLIC_URL: PUBLIC_URL,
    LATCHKEY_OPERATIONS_URL: 'https://operations.bank.example',
    TEMPORAL_NAMESPACE: NAMESPACE,
    SMS_URL: 'https://sms.supplier.example/messages',
    EMAIL_FROM: 'Example Bank <no-reply@bank.example>',
    IDENTITY_URL: 'https://identity.vendor.example',
    // What is optional, by the files that the script makes.
    RISK_URL: 'https://risk.vendor.example',
    RISK_SECRET_FILE: '/run/secrets/risk_secret',
    LATCHKEY_PUSH_FILE: '/run/secrets/push',
    LATCHKEY_EVENT_SINKS_FILE: '/run/secrets/event_sinks',
  });
  production = await Production.lay({
    compose,
    replaced: {
      '@database:5432': `@127.0.0.1:${server.port}`,
      'temporal:7233': inject('servers').temporal.address,
      '4600': String(ports.api),
      '4603': String(ports.operations),
      '4604': String(ports.apiMetrics),
      '4605': String(ports.workerMetrics),
      '0.0.0.0': '127.0.0.1',
    },
  });
  const tenant = await readFile(TENANT, 'utf8');
  await production.makeSecrets(
    {
      'tenant.json': tenant.replaceAll('PUT-THE-PUBLIC-KEY-OF-YOUR-ENGINE-HERE', COORDINATE),
      'staff.json': await readFile(STAFF, 'utf8'),
    },
    'smtps://latchkey:a-password-of-the-relay@smtp.bank.example:465',
  );
  // The packages of production are installed once for each lock file.
}, 300_000);

afterAll(async () => {
  await production?.remove();
  await server?.stop();
  if (server !== undefined) await rm(server.dataDirectory, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

/** The database as the superuser of the cluster, which no service of ours ever is. */
const administer = async (work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> => {
  const sql = postgres(server.superuserUrl('postgres'), { max: 1, onnotice: () => undefined });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
};

/** What the PostgreSQL image does when its volume is new; psql's variables are put in as psql does. */
const makeRoles = async (): Promise<void> => {
  const script = await readFile('ops/compose/roles.sql', 'utf8');
  const [owner, application] = [
    await production.secret('database_owner_password'),
    await production.secret('database_application_password'),
  ];
  await administer(async (sql) => {
    await sql.unsafe('drop database latchkey');
    await sql.unsafe('drop role latchkey_owner, latchkey_app');
    const filled = script
      .replaceAll(/^--.*$/gm, '')
      .replace(":'owner_password'", `'${owner}'`)
      .replace(":'application_password'", `'${application}'`);
    // `create database` runs in no transaction, so each statement goes alone.
    for (const statement of filled.split(';')) {
      if (statement.trim() !== '') await sql.unsafe(statement);
    }
  });
};

const uidOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^Uid:\s+([0-9]+)/m.exec(status)?.[1]);
};

test('the script makes every secret once, for nobody else on the host, and keeps what is there', async () => {
  const before = await production.secret('master_keys');
  expect(before).toMatch(/^k1:[A-Za-z0-9+/]{43}=$/);
  const names = Object.values(compose.secrets).map(({ file }) =>
    file.slice(file.lastIndexOf('/') + 1),
  );
  const modes = await Promise.all(
    names.map(async (name) => (await stat(join(production.secrets, name))).mode & 0o444),
  );
  expect(modes.every((mode) => mode === 0o444)).toBe(true);
  await makeRoles();
  expect(await production.secret('master_keys')).toBe(before);
});

test('migrate brings the database to the schema, as its owner, and may be repeated', async () => {
  expect(await production.run('migrate')).toMatchObject({
    code: 0,
    output: expect.stringContaining('001.do.schema.sql'),
  });
  expect(await production.run('migrate')).toEqual({
    code: 0,
    output: 'The database is up to date.',
  });
});

test('tenant makes the tenant with its clients, and may be repeated', async () => {
  const first = await production.run('tenant');
  expect(first).toEqual({ code: 0, output: expect.stringContaining('Tenant bank is ten_') });
  expect(await production.run('tenant')).toEqual(first);
});

test('temporal-namespace makes the namespace with seven days of retention, and may be repeated', async () => {
  expect(await production.run('temporal-namespace')).toEqual({
    code: 0,
    output: `Namespace ${NAMESPACE} was made.`,
  });
  expect(await production.run('temporal-namespace')).toEqual({
    code: 0,
    output: `Namespace ${NAMESPACE} was brought up to date.`,
  });
  const connection = await Connection.connect({ address: inject('servers').temporal.address });
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace: NAMESPACE });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(7 * 24 * 60 * 60);
  } finally {
    await connection.close();
  }
});

test('the worker gets ready and says so to its health check, as a user who can change nothing', async () => {
  worker = await production.start('worker');
  await worker.says('worker ready');
  await expect.poll(async () => (await production.checkHealth('worker')).code, READY).toBe(0);
  const own = process.getuid?.();
  expect(await uidOf(worker.pid)).toBe(own === 0 ? 10_001 : own);
});

test('the API is red until promote gave the work to the build of the worker, and green from then on', async () => {
  api = await production.start('api');
  await api.says('api listens');
  await expect
    .poll(async () => await production.checkHealth('api'), READY)
    .toEqual({ code: 1, output: expect.stringContaining('no build of the workers is current') });
  expect(await production.run('promote')).toEqual({
    code: 0,
    output: expect.stringMatching(/^Build [0-9a-f]{16} is the current one now\.$/),
  });
  await expect.poll(async () => (await production.checkHealth('api')).code, READY).toBe(0);
  const connection = await Connection.connect({ address: inject('servers').temporal.address });
  const current = await currentBuildId(connection, NAMESPACE);
  await connection.close();
  expect(worker.said()).toContain(`"buildId":"${current}"`);
});

test('the API serves the tenant under its public address, staff and their page at the other door, and the demo at neither', async () => {
  const from = async (port: number, path: string) =>
    await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' });
  const discovery = await from(ports.api, '/t/bank/.well-known/openid-configuration');
  expect(await discovery.json()).toMatchObject({ issuer: `${PUBLIC_URL}/t/bank` });
  expect(discovery.headers.get('strict-transport-security')).toContain('max-age=');
  expect((await from(ports.api, '/')).status).toBe(404);
  expect((await from(ports.api, '/t/bank/staff/me')).status).toBe(404);
  expect((await from(ports.operations, '/livez')).status).toBe(200);
  // The page of the door was built into the image; it asks for what it shows.
  const page = await from(ports.operations, '/');
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<script')]);
  expect((await from(ports.operations, '/t/bank/staff/me')).status).toBe(401);
});

test("the image's own health check is a command that the API answers", async () => {
  const dockerfile = await readFile('Dockerfile', 'utf8');
  const [, list = '[]'] = /^HEALTHCHECK[\s\S]*?CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  // The Dockerfile writes it in JSON.
  const command = JSON.parse(list) as string[];
  expect(await production.run('api', command)).toEqual({ code: 0, output: '/livez answered 200' });
});

test('an operator finds the commands of production in the container, and of the others why not', async () => {
  expect(await production.run('api', ['node', 'cli/latchkey.ts', 'outbox', 'list'])).toMatchObject({
    code: 0,
  });
  for (const name of ['start', 'doctor', 'reset']) {
    expect(await production.run('api', ['node', 'cli/latchkey.ts', name])).toEqual({
      code: 1,
      output: expect.stringContaining(`${name} is for a developer's machine`),
    });
  }
});

test.each(['api', 'worker'] as const)(
  '%s ends in order at SIGTERM, within its grace',
  async (name) => {
    const service = name === 'api' ? api : worker;
    const startedMs = performance.now();
    process.kill(service.pid, 'SIGTERM');
    expect(await service.exited).toEqual({ code: 0, signal: null });
    const graceMs = durationMs(compose.services[name]?.stop_grace_period);
    expect(performance.now() - startedMs).toBeLessThan(graceMs);
    expect(service.said()).toContain(name === 'api' ? 'api stops' : 'worker stopped');
  },
);
