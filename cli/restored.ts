/**
 * `latchkey restored`: run once after PostgreSQL was restored to an earlier point, before the API listens again. It raises every epoch past
 * what may have been lost and ends every session; docs/operations.md says what else there is to do.
 */
import { parseArgs } from 'node:util';
import { loadPart } from '../configuration/configuration.ts';
import { readOwnerUrl } from '../configuration/database.ts';
import { passRestore } from '../db/restored.ts';
import { confirm, say } from './terminal.ts';

export async function restored(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { yes: { type: 'boolean', default: false } },
  });
  const ownerUrl = loadPart(process.env, readOwnerUrl);
  if (!values.yes && !(await confirm('This logs every customer out. Was the database restored?')))
    return 1;
  const { customers, sessions } = await passRestore(ownerUrl);
  say(`Raised the epoch of ${customers} customers and ended ${sessions} sessions.`);
  say('Now let the fraud engine send again what it sent since the point of the restore.');
  return 0;
}
