/** `latchkey migrate`: brings a database to the current schema, as its owner; prints the script that an administrator needs for the role. */
import { parseArgs } from 'node:util';
import { loadPart } from '../configuration/configuration.ts';
import { readOwnerUrl } from '../configuration/database.ts';
import { applicationRoleScript, migrate } from '../db/migrate.ts';
import { say } from './terminal.ts';

export async function migrateDatabase(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { 'role-script': { type: 'boolean', default: false } },
  });
  if (values['role-script']) {
    say(applicationRoleScript());
    return 0;
  }
  const applied = await migrate({ ownerUrl: loadPart(process.env, readOwnerUrl) });
  say(applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}.`);
  return 0;
}
