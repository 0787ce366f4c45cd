/** The migrated database that every test database is a copy of, with the test clock in place of the real one. */
import { readdir, readFile } from 'node:fs/promises';
import postgres from 'postgres';

const MIGRATIONS = new URL('../../db/migrations/', import.meta.url);

export interface TemplateOptions {
  /** A database of the cluster other than the template. */
  readonly superuserUrl: string;
  /** The template itself, as its owner. */
  readonly ownerUrl: string;
  readonly name: string;
}

/** Makes and migrates the template by the same migrations as everywhere, as the role that owns them everywhere. */
export async function makeTemplate({
  superuserUrl,
  ownerUrl,
  name,
}: TemplateOptions): Promise<void> {
  const administrator = postgres(superuserUrl, { max: 1 });
  try {
    await administrator.unsafe(`create database ${name} owner latchkey_owner`);
    const owner = postgres(ownerUrl, { max: 1 });
    try {
      for (const file of (await readdir(MIGRATIONS)).toSorted()) {
        await owner.unsafe(await readFile(new URL(file, MIGRATIONS), 'utf8'));
      }
      await owner.unsafe(await readFile(new URL('test-clock.sql', import.meta.url), 'utf8'));
    } finally {
      await owner.end();
    }
    await administrator.unsafe(`alter database ${name} is_template true allow_connections false`);
  } finally {
    await administrator.end();
  }
}
