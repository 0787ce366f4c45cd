/** The migrated database that every test database is a copy of, with the test clock in place of the real one. */
import { readFile } from 'node:fs/promises';
import postgres from 'postgres';
import { migrate } from '../../../db/migrate.ts';

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
    await migrate({ ownerUrl });
    const owner = postgres(ownerUrl, { max: 1 });
    try {
      await owner.unsafe(await readFile(new URL('test-clock.sql', import.meta.url), 'utf8'));
    } finally {
      await owner.end();
    }
    await administrator.unsafe(`alter database ${name} is_template true allow_connections false`);
  } finally {
    await administrator.end();
  }
}
