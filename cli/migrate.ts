/** `latchkey migrate`: brings a database to the current schema, as its owner; prints the script that an administrator needs for the role. */
import { parseArgs } from 'node:util';
import { applicationRoleScript, migrate } from '../db/migrate.ts';
import { say, UsageError } from './terminal.ts';

export async function migrateDatabase(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { 'role-script': { type: 'boolean', default: false } },
  });
  if (values['role-script']) {
    say(applicationRoleScript());
    return 0;
  }
  const ownerUrl = process.env['DATABASE_OWNER_URL'];
  if (ownerUrl === undefined || ownerUrl === '') {
    throw new UsageError('set DATABASE_OWNER_URL to the address of the database as its owner');
  }
  const applied = await migrate({ ownerUrl });
  say(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}.`);
  return 0;
}
