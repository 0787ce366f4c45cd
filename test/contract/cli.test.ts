import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { demoEnvironment } from '../../runtime/demo-environment.ts';
import { createTestDatabase } from '../setup/database.ts';
import type { TestDatabase } from '../setup/database.ts';
import { seedDemoTenant } from '../setup/demo-tenant.ts';

const program = fileURLToPath(new URL('../../cli/latchkey.ts', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, ...args],
      { env: { ...process.env, ...environment } },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    ).stdin?.end();
  });

describe('the command line', () => {
  test('shows every command with its usage', async () => {
    const { code, stdout } = await run(['help']);
    expect(code).toBe(0);
    for (const command of [
      'start',
      'doctor',
      'reset',
      'migrate',
      'deploy promote',
      'outbox list',
      'namespace prepare',
      'tenant apply',
      'health',
    ]) {
      expect(stdout).toContain(`latchkey ${command}`);
    }
  });

  test('says its version', async () => {
    const { code, stdout } = await run(['--version']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });

  test.each([
    [['dance'], 'there is no command dance'],
    [['constructor'], 'there is no command constructor'],
    [['start', '--nope'], "Unknown option '--nope'"],
    [['deploy', 'demote'], 'deploy knows one thing'],
    [['outbox', 'retry'], 'outbox knows two things'],
    [['events', 'resume'], 'events knows two things'],
    [['namespace', 'drop'], 'namespace knows one thing'],
    [['tenant', 'apply'], 'tenant knows one thing'],
    [['health', 'readyz'], 'begins with a slash'],
  ])('refuses %j with a reason and exit code 2', async (args, reason) => {
    const { code, stderr } = await run(args, { DATABASE_OWNER_URL: '' });
    expect([code, stderr]).toEqual([2, expect.stringContaining(reason)]);
    expect(stderr).not.toContain('    at ');
  });

  test('refuses to start in production, and starts nothing', async () => {
    const { code, stderr } = await run(['start'], { LATCHKEY_MODE: 'production' });
    expect([code, stderr]).toEqual([1, expect.stringContaining('published demo secrets')]);
  });
});

describe('what a command is given', () => {
  test('is a file where it is a secret, and named when it is missing', async () => {
    const missing = await run(['migrate'], { DATABASE_OWNER_URL: '' });
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringContaining('DATABASE_OWNER_URL: is missing'),
    ]);
    const unreadable = await run(['migrate'], { DATABASE_OWNER_URL_FILE: '/nowhere' });
    expect([unreadable.code, unreadable.stderr]).toEqual([
      1,
      expect.stringContaining('names a file that cannot be read'),
    ]);
  });
});

describe('reset', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'latchkey-reset-'));
    await mkdir(join(directory, 'postgres'));
    await writeFile(join(directory, 'postgres', 'PG_VERSION'), '18\n');
    await writeFile(join(directory, 'temporal.db'), '');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('removes nothing when nobody can say yes', async () => {
    const { code, stderr } = await run(['reset'], { LATCHKEY_DIRECTORY: directory });
    expect([code, stderr]).toEqual([1, expect.stringContaining('Nothing was removed')]);
    expect(await readdir(directory)).toContain('temporal.db');
  });

  test('with --yes removes what a start made, and nothing else', async () => {
    await writeFile(join(directory, 'mine.txt'), 'kept');
    expect((await run(['reset', '--yes'], { LATCHKEY_DIRECTORY: directory })).code).toBe(0);
    expect(await readdir(directory)).toEqual(['mine.txt']);
  });
});

describe('on a database', () => {
  let database: TestDatabase;
  let environment: NodeJS.ProcessEnv;
  let tenantId: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    tenantId = await seedDemoTenant(database);
    environment = demoEnvironment(
      {},
      {
        databaseUrl: database.applicationUrl,
        databaseOwnerUrl: database.ownerUrl,
        temporalAddress: '127.0.0.1:1',
        temporalUiUpstream: undefined,
        operations: { port: 4603, url: 'http://localhost:4603' },
        staffDirectory: undefined,
        publicUrl: 'http://localhost:4600',
        apiPort: 4600,
        metricsPorts: { api: 4604, worker: 4605 },
        stageControlUrl: 'http://localhost:4601',
        smsUrl: 'http://localhost:4625/sms',
        smtpUrl: 'smtp://127.0.0.1:4626',
        identityUrl: 'http://localhost:4627',
      },
    );
  });
  afterAll(() => database.drop());

  test('migrate finds nothing to do on a current one', async () => {
    const { code, stdout } = await run(['migrate'], environment);
    expect([code, stdout]).toEqual([0, 'The database is up to date.\n']);
  });

  test('migrate prints the script that an administrator needs for the application role', async () => {
    const { stdout } = await run(['migrate', '--role-script'], { DATABASE_OWNER_URL: '' });
    expect(stdout).toContain('create role latchkey_app login nosuperuser nobypassrls');
  });

  test('outbox list shows what is parked without its payload, and outbox retry makes it due', async () => {
    const sql = postgres(database.superuserUrl, { max: 1 });
    await sql`insert into outbox (tenant_id, outbox_id, topic, subject, payload, status, attempts, error_code)
      values (${tenantId}, 'out_parked', 'event', 'cus_1', '{"type":"t","data":{"secret":"kept inside"}}', 'dead', 9, 'vendor_refused')`;
    // With the database's address alone: whoever mends the outbox needs no vendor's secret.
    const listed = await run(['outbox', 'list'], {
      LATCHKEY_MODE: 'development',
      DATABASE_URL: database.applicationUrl,
    });
    expect(listed.stdout).toMatch(
      /^out_parked {2}\S+Z {2}t {2}cus_1 {2}vendor_refused {2}tries 9\n$/,
    );
    expect(listed.stdout).not.toContain('kept inside');
    const retried = await run(['outbox', 'retry', 'out_parked', 'out_unknown'], environment);
    const [row] = await sql`select status, attempts from outbox where outbox_id = 'out_parked'`;
    await sql.end();
    expect(retried).toEqual({
      code: 1,
      stdout: 'out_parked is due again.\n',
      stderr: 'out_unknown is not among what is parked.\n',
    });
    expect({ ...row }).toEqual({ status: 'pending', attempts: 0 });
    expect((await run(['outbox', 'list', '--tenant', 'demo'], environment)).stdout).toContain(
      'Nothing is parked',
    );
  });

  test('events sinks shows what waits for each sink, and events resume lets a stopped one go on', async () => {
    const sql = postgres(database.superuserUrl, { max: 1 });
    expect((await run(['events', 'sinks'], environment)).stdout).toContain('Every sink has');
    await sql`insert into event_sink_stop (tenant_id, sink, reason) values (${tenantId}, 'core', 'gone')`;
    await sql`insert into outbox (tenant_id, outbox_id, topic, subject, payload, status, event_sequence)
      values (${tenantId}, 'out_event', 'event', 'cus_1', '{"type":"t","data":{}}', 'delivered', 1)`;
    await sql`insert into event_delivery (tenant_id, outbox_id, sink, subject, sequence, status, give_up_at)
      values (${tenantId}, 'out_event', 'core', 'cus_1', 1, 'pending', now()), (${tenantId}, 'out_event', 'bus', 'cus_1', 1, 'dead', now())`;
    const { stdout } = await run(['events', 'sinks'], environment);
    expect(stdout.split('\n')).toEqual([
      'bus  demo  waiting 0  parked 1',
      expect.stringMatching(
        /^core {2}demo {2}waiting 1 {2}parked 0 {2}oldest \d+ s {2}stopped: gone$/,
      ),
      '',
    ]);
    expect((await run(['outbox', 'list'], environment)).stdout).toMatch(
      /^out_event {2}\S+Z {2}t {2}cus_1 {2}- {2}tries 0 {2}sinks bus\n$/,
    );
    const resumed = [
      await run(['events', 'resume', 'core'], environment),
      await run(['events', 'resume', 'core'], environment),
    ];
    expect(resumed).toMatchObject([
      { code: 0, stdout: 'core goes on.\n' },
      { code: 1, stderr: 'core is not stopped.\n' },
    ]);
    const audited = await sql`select actor_kind from audit where action = 'events.sink_resumed'`;
    await sql.end();
    expect(audited.map((row) => ({ ...row }))).toEqual([{ actor_kind: 'operator' }]);
  });
});
