/** What the driver may not do by itself, and the arrays that it therefore learns from us. */
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({ url: testDatabase.applicationUrl, maxConnections: 2 });
});

afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

describe('the driver', () => {
  test('asks a new connection nothing of its own, because nobody would hear that it failed', async () => {
    const { hostname, port } = new URL(testDatabase.applicationUrl);
    let said = '';
    const line = createServer((near) => {
      const far = connect(Number(port), hostname);
      near.on('data', (bytes) => (said += bytes.toString('latin1')));
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
    // A TCP server's address is never a path.
    const ownPort = String((line.address() as AddressInfo).port);
    const through = connectDatabase({
      url: testDatabase.applicationUrl.replace(`:${port}/`, `:${ownPort}/`),
    });
    await through.ping();
    await through.close();
    line.close();
    expect(said).toContain('select 1');
    expect(said).not.toContain('pg_type');
  });

  test.each([
    [[]],
    [['']],
    [['read', 'write']],
    [['NULL', 'null', ' ', 'a b', 'ä€😀']],
    [['"', '\\', '\\"', ',', '{', '}', '{a,"b"}', 'line\nbreak']],
    [['https://localhost', 'capacitor://localhost']],
  ])('sends and gets back %j', async (texts) => {
    const answer = await database.tenant('ten_nobody', async (tx) => {
      const [row] = await tx<{ texts: string[]; count: number }[]>`
        select t as texts, cardinality(t) as count from (select ${texts}::text[] as t) given`;
      return row;
    });
    expect(answer).toEqual({ texts, count: texts.length });
  });

  test('tells no element from the word NULL', async () => {
    const answer = await database.tenant('ten_nobody', async (tx) => {
      const [row] = await tx<
        { texts: (string | null)[] }[]
      >`select array['NULL', null, 'x'] as texts`;
      return row;
    });
    expect(answer).toEqual({ texts: ['NULL', null, 'x'] });
  });
});
