/**
 * `latchkey keys`: which keys every start demands, because data was sealed under them, and letting one go when nothing is left under it. It shows
 * ids only, and never lets go of a key that is in use.
 */
import { parseArgs } from 'node:util';
import { loadPart } from '../configuration/configuration.ts';
import { readDatabase } from '../configuration/database.ts';
import { readKeyring } from '../configuration/keyring.ts';
import type { Keyring } from '../configuration/keyring.ts';
import { connectDatabase } from '../db/connection.ts';
import { demandedKeys, retireKey } from '../db/key-canaries.ts';
import { KEY_PURPOSES } from '../domain/key-canary.ts';
import type { KeyPurpose } from '../domain/key-canary.ts';
import { say, UsageError, warn } from './terminal.ts';

export async function keys(args: readonly string[]): Promise<number> {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true, options: {} });
  const [action, purpose, kid] = positionals;
  const isRetire = action === 'retire' && isPurpose(purpose) && kid !== undefined;
  if (action !== 'list' && !isRetire) {
    throw new UsageError(
      'keys knows two things: keys list, and keys retire payload|master|index ID',
    );
  }
  // Listing needs no key, and so is given none.
  const { url, keyring } = loadPart(process.env, (reader) => ({
    url: readDatabase(reader).url,
    keyring: isRetire ? readKeyring(reader) : undefined,
  }));
  const database = connectDatabase({ url, maxConnections: 1 });
  try {
    if (!isRetire || keyring === undefined) {
      for (const demanded of await demandedKeys(database))
        say(`${demanded.purpose}  ${demanded.kid}`);
      return 0;
    }
    if (kid === inUse(keyring)[purpose]) {
      warn(`${purpose} ${kid} is in use: new data is sealed under it.`);
      return 1;
    }
    if (await retireKey(database, { purpose, kid })) {
      say(`No start demands ${purpose} ${kid} any more: it may be taken out of the list.`);
      return 0;
    }
    warn(`${purpose} ${kid} is not demanded.`);
    return 1;
  } finally {
    await database.close();
  }
}

function isPurpose(text: string | undefined): text is KeyPurpose {
  return KEY_PURPOSES.some((purpose) => purpose === text);
}

/** The first of a list seals; the last master key finds. */
function inUse({ payload, master }: Keyring): Readonly<Record<KeyPurpose, string | undefined>> {
  return { payload: payload[0]?.kid, master: master[0]?.kid, index: master.at(-1)?.kid };
}
