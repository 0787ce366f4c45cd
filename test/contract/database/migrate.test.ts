import { readdirSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrate } from '../../../db/migrate.ts';
import { newId } from '../../../adapters/random.ts';

const name = `empty_${randomBytes(8).toString('hex')}`;
const files = readdirSync(new URL('../../../db/migrations', import.meta.url)).toSorted();
let superuser: postgres.Sql;
let ownerUrl = '';
let applicationUrl = '';

const at = (url: string, database: string) => {
  const own = new URL(url);
  own.pathname = `/${database}`;
  return own.href;
};

beforeAll(async () => {
  const servers = inject('servers').postgres;
  superuser = postgres(at(servers.superuserUrl, 'postgres'), { max: 1, onnotice: () => undefined });
  await superuser.unsafe(`create database ${name} owner latchkey_owner`);
  ownerUrl = at(servers.ownerUrl, name);
  applicationUrl = at(servers.applicationUrl, name);
});
afterAll(async () => {
  await superuser.unsafe(`drop database if exists ${name} with (force)`);
  await superuser.end();
});

describe('migrating', () => {
  it('is refused to the role of the application, in words that say what to do', async () => {
    await expect(migrate({ ownerUrl: applicationUrl })).rejects.toMatchObject({
      name: 'MigrationRefused',
      message: expect.stringContaining('set DATABASE_OWNER_URL'),
    });
  });

  it('happens once, however many start it together, and not again', async () => {
    const results = await Promise.all([1, 2, 3].map(() => migrate({ ownerUrl })));
    expect(results.toSorted((one, other) => other.length - one.length)).toStrictEqual([
      files,
      [],
      [],
    ]);
    await expect(migrate({ ownerUrl })).resolves.toStrictEqual([]);
  });

  it('is refused when one of a lower number came after the newest had run', async () => {
    const sql = postgres(ownerUrl, { max: 1 });
    try {
      const [row] = await sql`delete from schemaversion where version = 39 returning *`;
      await expect(migrate({ ownerUrl })).rejects.toMatchObject({
        name: 'MigrationRefused',
        message: expect.stringMatching(/recovery-queue \(39\) was never run.*\n.*latchkey reset/i),
      });
      await sql`insert into schemaversion ${sql(row ?? {})}`;
      expect(await migrate({ ownerUrl })).toStrictEqual([]);
    } finally {
      await sql.end();
    }
  });

  it('is refused when a migration that has run was changed since', async () => {
    const sql = postgres(ownerUrl, { max: 1 });
    try {
      await sql`update schemaversion set md5 = 'changed' where version = 1`;
      await expect(migrate({ ownerUrl })).rejects.toMatchObject({
        name: 'MigrationRefused',
        message: expect.stringMatching(/md5.*\n.*latchkey reset/i),
      });
    } finally {
      await sql.end();
    }
  });
});

describe('the replay memory of DPoP proofs', () => {
  it('is emptied slot by slot, but not around now', async () => {
    const sql = postgres(at(inject('servers').postgres.superuserUrl, name), { max: 1 });
    const tenantId = newId('tenant');
    try {
      for (let slot = 0; slot < 16; slot += 1) {
        await sql`insert into dpop_jti (tenant_id, slot, jti_hash, seen_at) values (${tenantId}, ${slot}, ${Buffer.from('x')}, now())`;
      }
      const [minute] = await sql<
        { slot: number }[]
      >`select (floor(extract(epoch from now()) / 60)::bigint % 16)::int as slot`;
      const now = minute?.slot ?? 0;
      const application = postgres(applicationUrl, { max: 1 });
      try {
        const [row] = await application`select latchkey_empty_dpop_slots(2) as emptied`;
        // Two on either side of now and now itself are kept; the minute may turn meanwhile.
        expect(row?.['emptied']).toBe(11);
        await expect(application`select latchkey_empty_dpop_slots(1)`).rejects.toThrow(
          'kept_minutes',
        );
        await expect(application`select latchkey_empty_dpop_slots(7)`).rejects.toThrow(
          'kept_minutes',
        );
      } finally {
        await application.end();
      }
      const kept = (await sql<{ slot: number }[]>`select slot from dpop_jti`).map(
        ({ slot }) => slot,
      );
      expect(kept).toHaveLength(5);
      expect(kept).toContain(now);
    } finally {
      await sql.end();
    }
  });
});
