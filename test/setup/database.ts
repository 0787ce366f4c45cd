/** A database of its own for each test file: a copy of the migrated template, so that no test sees another's rows. */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';

export interface TestDatabase {
  readonly name: string;
  /** Past row-level security: for seeding and for asking what is really there. */
  readonly superuserUrl: string;
  readonly ownerUrl: string;
  /** What the code under test is given. */
  readonly applicationUrl: string;
  /** Ends every connection and removes the database. */
  drop(): Promise<void>;
}

/** Call it in `beforeAll`; a database that is not dropped vanishes with the test servers. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const servers = inject('servers').postgres;
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer((sql) =>
    sql.unsafe(`create database ${name} template ${servers.template} owner latchkey_owner`),
  );
  const urlOf = (url: string) => {
    const own = new URL(url);
    own.pathname = `/${name}`;
    return own.href;
  };
  return {
    name,
    superuserUrl: urlOf(servers.superuserUrl),
    ownerUrl: urlOf(servers.ownerUrl),
    applicationUrl: urlOf(servers.applicationUrl),
    drop: async () => {
      await administer((sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
    },
  };
}

async function administer(work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const url = new URL(inject('servers').postgres.superuserUrl);
  url.pathname = '/postgres';
  const sql = postgres(url.href, { max: 1, onnotice: () => undefined });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}
