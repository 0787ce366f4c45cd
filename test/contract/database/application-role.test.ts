/** A server of its own, because roles belong to all databases of a server. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import { applicationRoleScript, migrate } from '../../../db/migrate.ts';
import { findFreePort } from '../../../runtime/ports.ts';
import { startPostgres } from '../../../runtime/postgres.ts';
import type { PostgresServer } from '../../../runtime/postgres.ts';

let folder = '';
let server: PostgresServer;
let superuser: postgres.Sql;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-roles-'));
  // PostgreSQL may have to run as another user, who must be able to pass.
  await chmod(folder, 0o711);
  server = await startPostgres({ directory: folder, port: await findFreePort(), isDurable: false });
  superuser = postgres(server.superuserUrl(), { max: 1, onnotice: () => undefined });
});
afterAll(async () => {
  await superuser.end();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
  if (!server.dataDirectory.startsWith(folder))
    await rm(server.dataDirectory, { recursive: true, force: true });
});

describe("the application's role", () => {
  it('is asked for by a script when it is missing, and that script is enough', async () => {
    await superuser`drop role latchkey_app`;
    const refused = await migrate({ ownerUrl: server.ownerUrl() }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'MigrationRefused' });
    const script = applicationRoleScript();
    expect(refused instanceof Error ? refused.message : '').toContain(script);
    await expect(
      superuser`select 1 from pg_tables where schemaname = 'public'`,
    ).resolves.toHaveLength(0);

    await superuser.unsafe(script.replace('CHOOSE-ONE', 'of-our-own'));
    await expect(migrate({ ownerUrl: server.ownerUrl() })).resolves.toContain('001.do.schema.sql');
    const url = new URL(server.applicationUrl());
    url.password = 'of-our-own';
    const database = connectDatabase({ url: url.href });
    try {
      await expect(database.tenants()).resolves.toStrictEqual([]);
    } finally {
      await database.close();
    }
  });

  it.each(['superuser', 'bypassrls'])(
    'is refused with %s, which would see past row-level security',
    async (power) => {
      await superuser.unsafe(`alter role latchkey_app ${power}`);
      try {
        await expect(migrate({ ownerUrl: server.ownerUrl() })).rejects.toMatchObject({
          name: 'MigrationRefused',
        });
      } finally {
        await superuser.unsafe(`alter role latchkey_app no${power}`);
      }
      await expect(migrate({ ownerUrl: server.ownerUrl() })).resolves.toStrictEqual([]);
    },
  );
});
