import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { appendAudit } from '../../../db/audit.ts';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { getClient } from '../../../db/clients.ts';
import { connectDatabase, databaseNowMs } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { activePolicy, policyAt } from '../../../db/policies.ts';
import { getTenantBySlug } from '../../../db/tenants.ts';
import { isId } from '../../../domain/ids.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { findFreePort } from '../../../runtime/ports.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';

const jwks = { keys: [{ kty: 'EC', key_ops: ['verify'], 'x5t#S256': 'x' }] };
let testDatabase: TestDatabase;
let database: Database;
let superuser: postgres.Sql;
let tenantId = '';

const bootstrap = (publicUrl = 'http://localhost:4600') =>
  bootstrapDemoTenant({ ownerUrl: testDatabase.ownerUrl, publicUrl, fraudClientJwks: jwks });

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  ({ tenantId } = await bootstrap());
  superuser = postgres(testDatabase.superuserUrl, { max: 1 });
  database = connectDatabase({ url: testDatabase.applicationUrl, maxConnections: 4 });
});
afterAll(async () => {
  await Promise.all([database.close(), superuser.end()]);
  await testDatabase.drop();
});

describe('a transaction', () => {
  it('answers what its work answers, undefined too', async () => {
    await expect(database.tenant(tenantId, () => Promise.resolve(7))).resolves.toBe(7);
    await expect(database.tenant(tenantId, () => Promise.resolve())).resolves.toBeUndefined();
  });

  it('is undone as a whole when its work throws, and lets the error out as it is', async () => {
    const error = new Error('mine');
    const subject = { kind: 'test', id: newId('request') };
    const failed = database.tenant(tenantId, async (tx) => {
      await appendAudit(tx, {
        tenantId,
        actor: { kind: 'system', id: 'x' },
        action: 'test.done',
        subject,
      });
      throw error;
    });
    await expect(failed).rejects.toBe(error);
    await expect(
      superuser`select 1 from audit where subject_id = ${subject.id}`,
    ).resolves.toHaveLength(0);
  });

  it('brings columns in camel case, jsonb as it was written, times as dates and counters as numbers', async () => {
    const subject = { kind: 'test', id: newId('request') };
    await database.tenant(tenantId, async (tx) => {
      const detail = { snake_case: 1, camelCase: 'two' };
      const entry = {
        tenantId,
        actor: { kind: 'machine', id: 'x' },
        action: 'test.done',
        subject,
        detail,
      } as const;
      const auditId = await appendAudit(tx, entry);
      expect(isId('audit', auditId)).toBe(true);
      const [row] =
        await tx`select position, at, actor_kind, detail, customer_id from audit where audit_id = ${auditId}`;
      expect(row).toMatchObject({ actorKind: 'machine', detail, customerId: null });
      expect(row?.['position']).toBeTypeOf('number');
      expect(row?.['at']).toBeInstanceOf(Date);
    });
  });

  it('limits how long a statement and a pause may take', async () => {
    const limits = await database.tenant(tenantId, async (tx) => {
      const [row] = await tx`select current_setting('statement_timeout') as statement,
        current_setting('idle_in_transaction_session_timeout') as pause, current_setting('transaction_isolation') as level`;
      return { ...row };
    });
    expect(limits).toStrictEqual({ statement: '5s', pause: '5s', level: 'read committed' });
  });

  it('that takes too long ends as something to try again', async () => {
    const slow = database.tenant(tenantId, async (tx) => {
      await tx`set local statement_timeout = 20`;
      await tx`select pg_sleep(5)`;
    });
    await expect(slow).rejects.toMatchObject({ code: 'database_unavailable' });
  });

  it('that is a deadlock victim ends as a conflict, and the other goes on', async () => {
    const both = await Promise.allSettled(
      [
        [1, 2],
        [2, 1],
      ].map(([first = 0, second = 0]) =>
        database.tenant(tenantId, async (tx) => {
          await tx`select pg_advisory_xact_lock(${first})`;
          // Wait until the other transaction holds its first lock too.
          await expect
            .poll(
              async () =>
                (await superuser`select 1 from pg_locks where locktype = 'advisory' and granted`)
                  .length,
            )
            .toBeGreaterThanOrEqual(2);
          await tx`select pg_advisory_xact_lock(${second})`;
        }),
      ),
    );
    const refused = both.filter((result) => result.status === 'rejected');
    expect(refused).toMatchObject([{ reason: { code: 'conflict' } }]);
  });

  it('goes by the time that a test brings, and by the real one otherwise', async () => {
    const nowMs = Date.UTC(2030, 5, 1);
    const future = connectDatabase({
      url: testDatabase.applicationUrl,
      maxConnections: 1,
      testNowMs: () => nowMs,
    });
    try {
      expect(await future.tenant(tenantId, databaseNowMs)).toBe(nowMs);
    } finally {
      await future.close();
    }
    const before = Date.now();
    expect(Math.abs((await database.tenant(tenantId, databaseNowMs)) - before)).toBeLessThan(
      60_000,
    );
  });
});

describe('a lost database', () => {
  it('is something to try again when nobody listens', async () => {
    const port = await findFreePort();
    const nowhere = connectDatabase({ url: `postgres://a:b@127.0.0.1:${String(port)}/x` });
    try {
      await expect(nowhere.ping()).rejects.toMatchObject({
        code: 'database_unavailable',
        retryAfterSeconds: 1,
      });
      await expect(nowhere.tenant('x', () => Promise.resolve())).rejects.toMatchObject({
        code: 'database_unavailable',
      });
    } finally {
      await nowhere.close();
    }
  });

  it('is something to try again when the connection breaks in mid-transaction, and found again at once', async () => {
    const broken = database.tenant(tenantId, async (tx) => {
      const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
      await superuser`select pg_terminate_backend(${row?.pid ?? 0}, 5000)`;
      await tx`select 1`;
    });
    await expect(broken).rejects.toMatchObject({ code: 'database_unavailable' });
    await expect(database.ping()).resolves.toBeUndefined();
  });

  it('ends a transaction that was busy elsewhere when its connection broke, and not the process', async () => {
    const { promise: noticed, resolve: notice } = Promise.withResolvers<void>();
    let late: unknown;
    let lateWork: Promise<void> | undefined;
    const broken = database.tenant(tenantId, (tx) => {
      lateWork = (async () => {
        const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
        await superuser`select pg_terminate_backend(${row?.pid ?? 0}, 5000)`;
        await noticed;
        // The driver itself would throw where nobody can catch it.
        late = await Promise.resolve()
          .then(() => tx`select 1`)
          .catch((error: unknown) => error);
      })();
      return lateWork;
    });
    await expect(broken).rejects.toMatchObject({ code: 'database_unavailable' });
    notice();
    await lateWork;
    expect(late).toMatchObject({ code: 'database_unavailable' });
    await expect(database.ping()).resolves.toBeUndefined();
  });

  it('is given up on when it never answers, and what was asked then never happens', async () => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => {
      mute.listen(0, '127.0.0.1', resolve);
    });
    const address = mute.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const unlucky = connectDatabase({
      url: `postgres://a:b@127.0.0.1:${String(port)}/x`,
      maxConnections: 1,
      patienceMs: 100,
    });
    let worked = false;
    try {
      await expect(unlucky.ping()).rejects.toMatchObject({ code: 'database_unavailable' });
      const work = unlucky.tenant(tenantId, () => {
        worked = true;
        return Promise.resolve();
      });
      await expect(work).rejects.toMatchObject({ code: 'database_unavailable' });
    } finally {
      await unlucky.close();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        mute.close(() => {
          resolve();
        });
      });
    }
    expect(worked).toBe(false);
  });

  it('is given up on when every connection is taken, and the work given up on is never done', async () => {
    const narrow = connectDatabase({
      url: testDatabase.applicationUrl,
      maxConnections: 1,
      patienceMs: 50,
    });
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: taken, resolve: take } = Promise.withResolvers<void>();
    let worked = false;
    try {
      const first = narrow.tenant(tenantId, async () => {
        take();
        await released;
      });
      await taken;
      const second = narrow.tenant(tenantId, () => {
        worked = true;
        return Promise.resolve();
      });
      await expect(second).rejects.toMatchObject({ code: 'database_unavailable' });
      release();
      await first;
      // The next transaction waits behind the abandoned one on the only connection.
      await narrow.tenant(tenantId, () => Promise.resolve());
      expect(worked).toBe(false);
    } finally {
      await narrow.close();
    }
  });
});

describe('what the demo starts with', () => {
  it('is one tenant with two clients and the default policy', async () => {
    const tenant = await getTenantBySlug(database, 'demo');
    expect(tenant).toStrictEqual({
      tenantId,
      slug: 'demo',
      name: 'Demo Bank',
      rpId: 'localhost',
      origins: ['http://localhost:4600'],
    });
    await database.tenant(tenantId, async (tx) => {
      expect(await activePolicy(tx, tenantId)).toStrictEqual({
        version: 1,
        document: DEFAULT_POLICY,
      });
      expect(await policyAt(tx, tenantId, 1)).toStrictEqual({
        version: 1,
        document: DEFAULT_POLICY,
      });
      await expect(policyAt(tx, tenantId, 2)).rejects.toThrow(TypeError);
      expect(await getClient(tx, tenantId, 'demo-app')).toMatchObject({
        kind: 'app',
        status: 'active',
        allowedOrigins: ['http://localhost:4600', 'capacitor://localhost', 'https://localhost'],
        jwks: null,
      });
      expect(await getClient(tx, tenantId, 'demo-fraud')).toMatchObject({
        kind: 'machine',
        scopes: ['fraud:signal', 'fraud:release', 'timeline:read'],
        jwks,
      });
      expect(await getClient(tx, tenantId, 'nobody')).toBeUndefined();
    });
    expect(await getTenantBySlug(database, 'nowhere')).toBeUndefined();
  });

  it('may be made again, and follows the address', async () => {
    expect(await bootstrap('http://localhost:4700')).toStrictEqual({ tenantId });
    expect((await getTenantBySlug(database, 'demo'))?.origins).toStrictEqual([
      'http://localhost:4700',
    ]);
    await expect(superuser`select 1 from policy`).resolves.toHaveLength(1);
  });
});

it('PostgreSQL tells when it started', async () => {
  const startedAtMs = await database.startedAtMs();
  expect(startedAtMs).toBeLessThan(Date.now());
  expect(startedAtMs).toBeGreaterThan(Date.UTC(2024, 0, 1));
});
