/** A key that data was sealed under and that is missing or changed stops a start, by name; a wrong list leaves no trace. */
import { randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { masterCanaries } from '../../adapters/kms/master-canaries.ts';
import { connectDatabase } from '../../db/connection.ts';
import type { Database } from '../../db/connection.ts';
import { checkKeys, demandedKeys, retireKey } from '../../db/key-canaries.ts';
import type { KeyCanary } from '../../domain/key-canary.ts';
import { DEMO_IDENTITY_SECRET, DEMO_SMS_SECRET } from '../../runtime/demo-secrets.ts';
import { startProcess } from '../../runtime/managed-process.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { payloadCanaries } from '../../temporal/payload-canaries.ts';
import { createTestDatabase } from '../setup/database.ts';
import type { TestDatabase } from '../setup/database.ts';
import { seedDemoTenant } from '../setup/demo-tenant.ts';

interface Key {
  readonly kid: string;
  readonly key: Uint8Array;
}

const newKey = (kid: string): Key => ({ kid, key: randomBytes(32) });
const p1 = newKey('p1');
const p2 = newKey('p2');
const m1 = newKey('m1');
const m2 = newKey('m2');

const keyring = (payload: readonly Key[], master: readonly Key[]): readonly KeyCanary[] => [
  ...payloadCanaries(payload),
  ...masterCanaries(master),
];

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  await seedDemoTenant(testDatabase);
  await seedDemoTenant(testDatabase, { slug: 'second', name: 'second' });
  database = connectDatabase({ url: testDatabase.applicationUrl, maxConnections: 2 });
});

afterAll(async () => {
  await database?.close();
  await testDatabase?.drop();
});

beforeEach(async () => {
  await checkKeys(database, keyring([p1], [m1]));
});

afterEach(async () => {
  const sql = postgres(testDatabase.superuserUrl, { max: 1 });
  await sql`delete from key_canary`;
  await sql.end();
});

describe('the keys at a start', () => {
  test('are demanded from their first use on, in every tenant', async () => {
    expect(await demandedKeys(database)).toEqual([
      { purpose: 'index', kid: 'm1' },
      { purpose: 'master', kid: 'm1' },
      { purpose: 'payload', kid: 'p1' },
    ]);
    await expect(checkKeys(database, keyring([p1], [m1]))).resolves.toBeUndefined();
  });

  test('may be more than they were: a new first one of each', async () => {
    await checkKeys(database, keyring([p2, p1], [m2, m1]));
    expect(await demandedKeys(database)).toHaveLength(5);
  });

  test('are refused when a payload key is missing, by its id', async () => {
    await expect(checkKeys(database, keyring([p2], [m1]))).rejects.toMatchObject({
      name: 'KeyCanaryError',
      faults: [{ purpose: 'payload', kid: 'p1', wrong: 'missing' }],
      message:
        'LATCHKEY_PAYLOAD_KEYS: key p1 is missing and data is sealed under it; put it back, or when nothing is left under it run: latchkey keys retire payload p1',
    });
  });

  test('are refused when other bytes go by the same id', async () => {
    const changed = keyring([newKey('p1')], [newKey('m1')]);
    await expect(checkKeys(database, changed)).rejects.toMatchObject({
      faults: [
        { purpose: 'index', kid: 'm1', wrong: 'changed' },
        { purpose: 'master', kid: 'm1', wrong: 'changed' },
        { purpose: 'payload', kid: 'p1', wrong: 'changed' },
      ],
    });
  });

  test('are refused when the master key that contacts are found by is no longer the last', async () => {
    await expect(checkKeys(database, keyring([p1], [m1, m2]))).rejects.toMatchObject({
      faults: [{ purpose: 'index', kid: 'm1', wrong: 'missing' }],
      message: expect.stringContaining('is not the last of the list'),
    });
  });

  test('leave no trace when they are refused: the right list still passes', async () => {
    await expect(checkKeys(database, keyring([p2], [m2, m1]))).rejects.toThrow('p1 is missing');
    expect(await demandedKeys(database)).toHaveLength(3);
    await expect(checkKeys(database, keyring([p1], [m1]))).resolves.toBeUndefined();
  });

  test('leave no trace with a tenant that is new either, whichever tenant comes first', async () => {
    const sql = postgres(testDatabase.superuserUrl, { max: 1 });
    const tenants = await database.tenants();
    expect(tenants).toHaveLength(2);
    for (const { tenantId } of tenants) {
      await sql`delete from key_canary where tenant_id = ${tenantId}`;
      await expect(checkKeys(database, keyring([p2], [m1]))).rejects.toThrow('p1 is missing');
      await expect(checkKeys(database, keyring([p1], [m1]))).resolves.toBeUndefined();
    }
    await sql.end();
  });

  test('leave no trace when another process, with other keys, was first by a moment', async () => {
    const sql = postgres(testDatabase.superuserUrl, { max: 1 });
    await sql`delete from key_canary`;
    // Sealing is between the look and the write: there the other one starts.
    const [first, ...others] = keyring([p2], [m1]);
    if (first === undefined) throw new TypeError('there is a key');
    const late: KeyCanary = {
      ...first,
      seal: async (tenantId) => {
        await checkKeys(database, keyring([p1], [m1]));
        return await first.seal(tenantId);
      },
    };
    await expect(checkKeys(database, [late, ...others])).rejects.toThrow('p1 is missing');
    await expect(checkKeys(database, keyring([p1], [m1]))).resolves.toBeUndefined();
    await sql.end();
  });

  test('are those of one process when two start at once with different ones', async () => {
    const sql = postgres(testDatabase.superuserUrl, { max: 1 });
    await sql`delete from key_canary`;
    const other = connectDatabase({ url: testDatabase.applicationUrl, maxConnections: 1 });
    const [one, two] = [keyring([p1], [m1]), keyring([p2], [m2])];
    const tried = await Promise.allSettled([checkKeys(database, one), checkKeys(other, two)]);
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = tried[0].status === 'fulfilled' ? one : two;
    await expect(checkKeys(database, winner)).resolves.toBeUndefined();
    await Promise.all([sql.end(), other.close()]);
  });

  test('need not hold one that was retired', async () => {
    await checkKeys(database, keyring([p2, p1], [m1]));
    expect(await retireKey(database, { purpose: 'payload', kid: 'p1' })).toBe(true);
    await expect(checkKeys(database, keyring([p2], [m1]))).resolves.toBeUndefined();
    expect(await retireKey(database, { purpose: 'payload', kid: 'p1' })).toBe(false);
  });

  test('say nothing of the keys in what is stored or told', async () => {
    const sql = postgres(testDatabase.superuserUrl, { max: 1 });
    const rows = await sql<{ sealed: Uint8Array }[]>`select sealed from key_canary`;
    await sql.end();
    expect(rows).toHaveLength(6);
    for (const { sealed } of rows)
      for (const { key } of [p1, m1])
        expect(Buffer.from(sealed).includes(Buffer.from(key))).toBe(false);
    const refusal = await checkKeys(database, keyring([p2], [m1])).catch(String);
    for (const { key } of [p1, p2, m1])
      expect(refusal).not.toContain(Buffer.from(key).toString('base64').slice(0, 8));
  });
});

describe('a process with other payload keys', () => {
  const list = (key: Key) => `${key.kid}:${Buffer.from(key.key).toString('base64')}`;
  const environment = async (payload: Key): Promise<NodeJS.ProcessEnv> => {
    const nowhere = `127.0.0.1:${await findFreePort()}`;
    return {
      PATH: process.env['PATH'],
      LATCHKEY_MODE: 'development',
      LATCHKEY_PORT: String(await findFreePort()),
      DATABASE_URL: testDatabase.applicationUrl,
      TEMPORAL_ADDRESS: nowhere,
      LATCHKEY_MASTER_KEYS: list(m1),
      LATCHKEY_PAYLOAD_KEYS: list(payload),
      SMS_URL: `http://${nowhere}/sms`,
      SMS_SECRET: DEMO_SMS_SECRET,
      SMTP_URL: `smtp://${nowhere}`,
      EMAIL_FROM: 'bank@example.org',
      IDENTITY_URL: `http://${nowhere}`,
      IDENTITY_SECRET: DEMO_IDENTITY_SECRET,
    };
  };
  const run = async (
    args: readonly string[],
    payload: Key,
    {
      changes = {},
      meanwhile,
    }: {
      readonly changes?: NodeJS.ProcessEnv;
      readonly meanwhile?: (lines: readonly string[]) => Promise<void>;
    } = {},
  ) => {
    const lines: string[] = [];
    const [file = '', ...rest] = args;
    const child = await startProcess({
      name: file,
      command: process.execPath,
      args: [fileURLToPath(new URL(`../../${file}`, import.meta.url)), ...rest],
      env: { ...(await environment(payload)), ...changes },
      onLine: (line) => {
        lines.push(line);
      },
    });
    try {
      await meanwhile?.(lines);
      return { exit: await child.exited, lines };
    } finally {
      await child.kill();
    }
  };

  test.each(['api/server.ts', 'worker.ts'])(
    'does not start: %s says which is missing',
    async (file) => {
      const { exit, lines } = await run([file], p2);
      expect(exit).toEqual({ code: 1, signal: null });
      const said = lines.filter((line) => !line.startsWith('{')).join('\n');
      expect(said).toContain('LATCHKEY_PAYLOAD_KEYS: key p1 is missing');
      expect(said).not.toContain('    at ');
      expect(lines.join('\n')).not.toContain('listens');
    },
  );

  test.each(['api/server.ts', 'worker.ts'])(
    'ends as soon as the database can say: %s was started without it',
    async (file) => {
      const url = new URL(testDatabase.applicationUrl);
      const { hostname, port } = url;
      url.port = String(await findFreePort());
      url.hostname = '127.0.0.1';
      const line = createServer((near) => {
        const far = connect(Number(port), hostname);
        for (const socket of [near, far]) socket.on('error', () => undefined);
        near.pipe(far).pipe(near);
      });
      const { exit, lines } = await run([file], p2, {
        changes: { DATABASE_URL: url.href },
        meanwhile: async (said) => {
          await expect
            .poll(() => said.join('\n'), { timeout: 30_000 })
            .toContain('cannot say yet whether the keys are right');
          await new Promise<void>((resolve) => {
            line.listen(Number(url.port), '127.0.0.1', resolve);
          });
        },
      });
      line.close();
      expect(exit).toEqual({ code: 1, signal: null });
      expect(lines.join('\n')).toContain('LATCHKEY_PAYLOAD_KEYS: key p1 is missing');
    },
  );

  test('finds the command that it was told of: it lists, and lets go of what is not in use', async () => {
    const { lines } = await run(['cli/latchkey.ts', 'keys', 'list'], p1);
    expect(lines).toEqual(['index  m1', 'master  m1', 'payload  p1']);
    const refused = await run(['cli/latchkey.ts', 'keys', 'retire', 'payload', 'p1'], p1);
    expect(refused).toMatchObject({
      exit: { code: 1 },
      lines: ['payload p1 is in use: new data is sealed under it.'],
    });
    const done = await run(['cli/latchkey.ts', 'keys', 'retire', 'payload', 'p1'], p2);
    expect(done.exit.code).toBe(0);
    await expect(checkKeys(database, keyring([p2], [m1]))).resolves.toBeUndefined();
  });
});
