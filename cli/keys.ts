/**
 * `latchkey keys`: which keys every start demands, because data was sealed under them, letting one go when nothing is left under it, making a
 * new one sealed by the KMS, and rotating the signing keys; also the keys of receipts, which nobody lets go. It shows ids and sealed keys only, and never lets go of a key that is in use.
 */
import { parseArgs } from 'node:util';
import { createAwsCalls } from '../adapters/kms/aws-calls.ts';
import { keyringContext } from '../adapters/kms/aws.ts';
import { loadPart } from '../configuration/configuration.ts';
import { readDatabase } from '../configuration/database.ts';
import { readKeyring } from '../configuration/keyring.ts';
import type { Keyring } from '../configuration/keyring.ts';
import { readKms } from '../configuration/kms.ts';
import { connectDatabase } from '../db/connection.ts';
import { demandedKeys, retireKey } from '../db/key-canaries.ts';
import { listReceiptKeys } from '../db/receipt-keys.ts';
import { KEY_PURPOSES } from '../domain/key-canary.ts';
import type { KeyPurpose } from '../domain/key-canary.ts';
import { rotateSigningKeys } from './rotate-keys.ts';
import { say, UsageError, warn } from './terminal.ts';

export async function keys(args: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { emergency: { type: 'boolean', default: false }, tenant: { type: 'string' } },
  });
  const [action, purpose, kid] = positionals;
  if (action === 'rotate' && positionals.length === 1)
    return await rotateSigningKeys({ isEmergency: values.emergency, slug: values.tenant });
  if (values.emergency || values.tenant !== undefined)
    throw new UsageError('--emergency and --tenant go with keys rotate');
  if (action === 'new' && isListed(purpose) && kid !== undefined) return await newKey(purpose, kid);
  return await listOrRetire(positionals);
}

/** Prints an entry for the list of `purpose`: a key that nobody has seen, sealed by the KMS for this id alone. */
async function newKey(purpose: 'master' | 'payload', kid: string): Promise<number> {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(kid))
    throw new UsageError('an id has letters, digits, dashes and underscores, at most 32');
  const kms = loadPart(process.env, readKms);
  const [current] = kms?.keys ?? [];
  if (kms === undefined || current === undefined) {
    warn(
      `Without LATCHKEY_KMS=aws a key is 32 random bytes: printf '${kid}:%s\\n' "$(openssl rand -base64 32)"`,
    );
    return 1;
  }
  const sealed = await createAwsCalls(kms).generate(current.arn, keyringContext(purpose, kid));
  say(`${kid}:${Buffer.from(sealed).toString('base64')}`);
  return 0;
}

function isListed(text: string | undefined): text is 'master' | 'payload' {
  return text === 'master' || text === 'payload';
}

async function listOrRetire([action, purpose, kid]: readonly string[]): Promise<number> {
  const isRetire = action === 'retire' && isPurpose(purpose) && kid !== undefined;
  if (action !== 'list' && !isRetire) {
    throw new UsageError(
      'keys knows four things: keys list, keys retire payload|master|index ID, keys new master|payload ID, and keys rotate',
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
      for (const { slug, keyId, validFrom, validUntil } of await listReceiptKeys(database)) {
        const end = validUntil === null ? 'signs' : `until ${validUntil.toISOString()}`;
        say(`receipt  ${keyId}  ${slug}  from ${validFrom.toISOString()}  ${end}`);
      }
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
