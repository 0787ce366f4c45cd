import { access, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findFreePort } from '../../runtime/ports.ts';
import { startPostgres } from '../../runtime/postgres.ts';
import type { PostgresServer } from '../../runtime/postgres.ts';
import { identify, listAlive, listTree } from '../../runtime/process-tree.ts';

describe('the embedded PostgreSQL', () => {
  let directory: string;
  let port: number;
  let servers: PostgresServer[];
  const start = async () => {
    const server = await startPostgres({ directory, port });
    servers.push(server);
    return server;
  };
  const ask = async <Row>(url: string, work: (sql: postgres.Sql) => Promise<Row>) => {
    const sql = postgres(url, { max: 1, onnotice: () => undefined });
    try {
      return await work(sql);
    } finally {
      await sql.end();
    }
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'latchkey-pg-'));
    await chmod(directory, 0o711);
    port = await findFreePort();
    servers = [];
  });
  afterEach(async () => {
    for (const server of servers) await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('is a PostgreSQL 18 with durable settings, on loopback only', async () => {
    const server = await start();
    const [row] = await ask(
      server.applicationUrl(),
      (sql) => sql`
        select current_setting('server_version_num')::int / 10000 as major, current_setting('fsync') as fsync,
          current_setting('synchronous_commit') as synchronous, current_setting('full_page_writes') as pages,
          current_setting('listen_addresses') as addresses`,
    );
    expect({ ...row }).toEqual({
      major: 18,
      fsync: 'on',
      synchronous: 'on',
      pages: 'on',
      addresses: '127.0.0.1',
    });
  });

  test('has an owner and an application role, neither of which passes row-level security by itself', async () => {
    const server = await start();
    const rows = await ask(
      server.superuserUrl(),
      (sql) => sql`
        select rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolcanlogin,
          (select pg_get_userbyid(datdba) from pg_database where datname = 'latchkey') as owner
        from pg_roles where rolname in ('latchkey_app', 'latchkey_owner') order by rolname`,
    );
    expect(rows.map((row) => ({ ...row }))).toEqual(
      ['latchkey_app', 'latchkey_owner'].map((rolname) => ({
        rolname,
        rolsuper: false,
        rolbypassrls: false,
        rolcreatedb: false,
        rolcreaterole: false,
        rolcanlogin: true,
        owner: 'latchkey_owner',
      })),
    );
  });

  test('keeps committed rows and its passwords through kill -9 of every one of its processes', async () => {
    const first = await start();
    await ask(first.ownerUrl(), async (sql) => {
      await sql`create table kept (n int)`;
      await sql`insert into kept values (42)`;
    });
    await first.process.kill();
    const second = await start();
    const [row] = await ask(second.ownerUrl(), (sql) => sql`select n from kept`);
    expect(row?.['n']).toBe(42);
    expect(second.applicationUrl()).toBe(first.applicationUrl());
  });

  test('starts over a server that nobody minds any more, and ends that one', async () => {
    const first = await start();
    const tree = await listTree(first.process.pid);
    const second = await start();
    expect(await listAlive(tree)).toEqual([]);
    const [row] = await ask(second.applicationUrl(), (sql) => sql`select 1 as one`);
    expect(row?.['one']).toBe(1);
  });

  test('starts over a lock file whose process id now belongs to another program, and leaves that one alone', async () => {
    const first = await start();
    await first.process.kill();
    const path = join(first.dataDirectory, 'postmaster.pid');
    const lines = (await readFile(path, 'utf8')).split('\n');
    await writeFile(path, [String(process.pid), ...lines.slice(1)].join('\n'));
    const second = await start();
    expect(second.process.pid).not.toBe(first.process.pid);
    expect(await identify(process.pid)).toBeDefined();
  });

  test('names the holder of a taken port and makes nothing run', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve));
    await expect(start()).rejects.toThrow(
      new RegExp(`port ${port}, wanted for PostgreSQL, is held by .+ \\(process ${process.pid}\\)`),
    );
    await new Promise((resolve) => holder.close(resolve));
  });

  test('begins anew when the making of the cluster was cut short', async () => {
    const partial = join(directory, 'postgres.partial');
    await mkdir(partial);
    await writeFile(join(partial, 'PG_VERSION'), '18\n');
    const server = await start();
    const [row] = await ask(server.ownerUrl(), (sql) => sql`select to_regclass('kept') as kept`);
    expect(row?.['kept']).toBeNull();
    await expect(access(partial)).rejects.toThrow('ENOENT');
  });

  test('never removes a folder that it did not make', async () => {
    await mkdir(join(directory, 'postgres'));
    await writeFile(join(directory, 'postgres', 'thesis.txt'), 'years of work');
    await expect(start()).rejects.toThrow(/holds no PostgreSQL cluster: run `latchkey reset`/);
    expect(await readFile(join(directory, 'postgres', 'thesis.txt'), 'utf8')).toBe('years of work');
  });

  test('refuses a cluster of another version and says how to go on', async () => {
    const first = await start();
    await first.stop();
    await writeFile(join(first.dataDirectory, 'PG_VERSION'), '15\n');
    await expect(start()).rejects.toThrow(
      /was made by PostgreSQL 15, this is 18: run `latchkey reset`/,
    );
  });

  test('leaves nothing running after its stop', async () => {
    const server = await start();
    const tree = await listTree(server.process.pid);
    expect(tree.length).toBeGreaterThan(3);
    await server.stop();
    await vi.waitFor(async () => expect(await listAlive(tree)).toEqual([]));
  });
});
