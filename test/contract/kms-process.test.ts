/** Processes and commands with AWS KMS, against a local server of its protocol: a start while it is away, and the keys by hand. */
import { execFile } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEMO_IDENTITY_SECRET, DEMO_SMS_SECRET } from '../../runtime/demo-secrets.ts';
import { startProcess } from '../../runtime/managed-process.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { createTestDatabase } from '../setup/database.ts';
import type { TestDatabase } from '../setup/database.ts';
import { seedDemoTenant } from '../setup/demo-tenant.ts';
import { createKmsKey, createKmsSigningKey } from '../setup/kms-keys.ts';
import { MOTO_CREDENTIALS, MOTO_REGION, startMoto } from '../setup/programs/moto.ts';
import type { Moto } from '../setup/programs/moto.ts';

const fileOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

let moto: Moto;
let testDatabase: TestDatabase;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  moto = await startMoto();
  testDatabase = await createTestDatabase();
  await seedDemoTenant(testDatabase);
  const nowhere = `127.0.0.1:${String(await findFreePort())}`;
  environment = {
    PATH: process.env['PATH'],
    LATCHKEY_MODE: 'development',
    LATCHKEY_LOG_LEVEL: 'warn',
    DATABASE_URL: testDatabase.applicationUrl,
    TEMPORAL_ADDRESS: nowhere,
    LATCHKEY_KMS: 'aws',
    LATCHKEY_KMS_KEYS: `k1=${await createKmsKey(moto.url)}`,
    LATCHKEY_KMS_RECEIPT_KEYS: await createKmsSigningKey(moto.url),
    LATCHKEY_KMS_REGION: MOTO_REGION,
    LATCHKEY_KMS_ENDPOINT: moto.url,
    AWS_ACCESS_KEY_ID: MOTO_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: MOTO_CREDENTIALS.secretAccessKey,
    SMS_URL: `http://${nowhere}/sms`,
    SMS_SECRET: DEMO_SMS_SECRET,
    SMTP_URL: `smtp://${nowhere}`,
    EMAIL_FROM: 'bank@example.org',
    IDENTITY_URL: `http://${nowhere}`,
    IDENTITY_SECRET: DEMO_IDENTITY_SECRET,
  };
  const entry = async (purpose: string, kid: string) =>
    (await command(['keys', 'new', purpose, kid])).stdout.trim();
  environment = {
    ...environment,
    LATCHKEY_MASTER_KEYS: await entry('master', 'm1'),
    LATCHKEY_PAYLOAD_KEYS: await entry('payload', 'p1'),
  };
});
afterAll(async () => {
  await testDatabase?.drop();
  await moto?.stop();
});

const command = (args: readonly string[], changes: NodeJS.ProcessEnv = {}) =>
  new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>(
    (resolve) => {
      execFile(
        process.execPath,
        [fileOf('cli/latchkey.ts'), ...args],
        { env: { ...environment, ...changes } },
        (error, stdout, stderr) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
        },
      );
    },
  );

const ask = async (port: number, path: string) => {
  const answer = await fetch(`http://127.0.0.1:${String(port)}${path}`);
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
};

describe('an API that is started while KMS is away', () => {
  test('lives, says in /readyz what it lacks, refuses everybody, and begins by itself when KMS is back', async () => {
    const [port, kmsPort] = [await findFreePort(), await findFreePort()];
    const line = createServer((near) => {
      const far = connect(Number(new URL(moto.url).port), '127.0.0.1');
      for (const socket of [near, far]) socket.on('error', () => undefined);
      near.pipe(far).pipe(near);
    });
    const child = await startProcess({
      name: 'api',
      command: process.execPath,
      args: [fileOf('api/server.ts')],
      env: {
        ...environment,
        LATCHKEY_PORT: String(port),
        LATCHKEY_KMS_ENDPOINT: `http://127.0.0.1:${String(kmsPort)}`,
      },
      onLine: () => undefined,
    });
    try {
      await expect
        .poll(() => ask(port, '/readyz').catch(() => undefined), { timeout: 30_000 })
        .toMatchObject({
          status: 503,
          body: {
            status: 'not_ready',
            checks: [{ name: 'kms', ready: false, detail: 'does not open the keys' }],
          },
        });
      expect(await ask(port, '/livez')).toMatchObject({ status: 200 });
      const refused = await ask(port, '/t/demo/.well-known/jwks.json');
      expect(refused).toMatchObject({ status: 503, body: { code: 'vendor_unavailable' } });
      expect(refused.headers.get('retry-after')).toBe('2');

      await new Promise<void>((resolve) => {
        line.listen(kmsPort, '127.0.0.1', resolve);
      });
      await expect
        .poll(() => ask(port, '/t/demo/.well-known/jwks.json').catch(() => undefined), {
          timeout: 30_000,
        })
        .toMatchObject({ status: 200, body: { keys: [{ alg: 'ES256' }, { alg: 'ES256' }] } });
    } finally {
      await child.kill();
      line.close();
    }
  });
});

describe('the keys by hand', () => {
  test('are made sealed, another each time, and none without KMS', async () => {
    const first = await command(['keys', 'new', 'master', 'm2']);
    const second = await command(['keys', 'new', 'master', 'm2']);
    expect(first.stdout).toMatch(/^m2:[A-Za-z0-9+/]{100,}={0,2}\n$/);
    expect(second.stdout).not.toBe(first.stdout);
    const embedded = { LATCHKEY_KMS: '', LATCHKEY_KMS_KEYS: '', LATCHKEY_KMS_RECEIPT_KEYS: '' };
    expect(await command(['keys', 'new', 'master', 'm2'], embedded)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('openssl rand -base64 32'),
    });
  });

  test('rotate as the schedule does, and in an emergency at once', async () => {
    const daily = await command(['keys', 'rotate']);
    expect(daily.stdout).toMatch(/^demo {2}access_token {2}[12] made, 0 retired$/m);
    const again = await command(['keys', 'rotate', '--tenant', 'demo']);
    expect(again.stdout).toMatch(/^demo {2}access_token {2}0 made, 0 retired$/m);
    const emergency = await command(['keys', 'rotate', '--emergency']);
    expect(emergency.code).toBe(0);
    expect(emergency.stdout).toMatch(/^demo {2}access_token {2}1 made, 2 retired$/m);
    expect(emergency.stdout).toContain('within 10 seconds');
    expect(await command(['keys', 'rotate', '--tenant', 'nobody'])).toMatchObject({ code: 1 });
    expect(await command(['keys', 'list', '--emergency'])).toMatchObject({ code: 2 });
  });

  test('stay as they are when KMS is away', async () => {
    const away = { LATCHKEY_KMS_ENDPOINT: `http://127.0.0.1:${String(await findFreePort())}` };
    expect(await command(['keys', 'rotate', '--emergency'], away)).toMatchObject({ code: 1 });
    const after = await command(['keys', 'rotate']);
    expect(after.stdout).toMatch(/^demo {2}access_token {2}1 made, 0 retired$/m);
  });

  test('sealed for another purpose end a start with the name of the list', async () => {
    const swapped = { LATCHKEY_MASTER_KEYS: environment['LATCHKEY_PAYLOAD_KEYS'] };
    const { code, stderr } = await command(['keys', 'rotate'], {
      ...swapped,
      LATCHKEY_PAYLOAD_KEYS: environment['LATCHKEY_MASTER_KEYS'],
    });
    expect(code).toBe(1);
    expect(stderr).toContain('_KEYS: key ');
  });
});
