/**
 * `latchkey keys rotate`: the signing keys by hand. Without more it does what the schedule does, for when Temporal is away; with --emergency
 * every key that signs or will is taken away now and a new one signs. It ends no session.
 */
import { openKeyring } from '../adapters/kms/keyring.ts';
import { newId } from '../adapters/random.ts';
import { loadPart } from '../configuration/configuration.ts';
import { readDatabase } from '../configuration/database.ts';
import { readKeyring } from '../configuration/keyring.ts';
import { connectDatabase } from '../db/connection.ts';
import { rotateKeys, rotateKeysAtOnce } from '../db/key-rotation.ts';
import { ROTATED_PURPOSES } from '../domain/signing-keys.ts';
import { say, warn } from './terminal.ts';

const ACTOR = { kind: 'operator', id: 'latchkey-cli' } as const;

export interface RotateOptions {
  readonly isEmergency: boolean;
  /** Every tenant when left out. */
  readonly slug: string | undefined;
}

/** Answers the exit code. Each tenant and purpose is a transaction of its own: what was done stays done. */
export async function rotateSigningKeys({ isEmergency, slug }: RotateOptions): Promise<number> {
  const { url, keyring } = loadPart(process.env, (reader) => ({
    url: readDatabase(reader).url,
    keyring: readKeyring(reader),
  }));
  const { kms } = await openKeyring(keyring);
  const database = connectDatabase({ url, maxConnections: 1, maxStatementConnections: 1 });
  try {
    const tenants = (await database.tenants()).filter(
      (tenant) => slug === undefined || tenant.slug === slug,
    );
    if (tenants.length === 0) {
      warn(slug === undefined ? 'There is no tenant.' : `There is no tenant ${slug}.`);
      return 1;
    }
    const rotate = isEmergency ? rotateKeysAtOnce : rotateKeys;
    for (const tenant of tenants) {
      for (const purpose of ROTATED_PURPOSES) {
        const { made, retired } = await database.tenant(tenant.tenantId, (tx) =>
          rotate(tx, { tenantId: tenant.tenantId, purpose, kms, newId, actor: ACTOR }),
        );
        say(`${tenant.slug}  ${purpose}  ${String(made)} made, ${String(retired)} retired`);
      }
    }
  } finally {
    await database.close();
  }
  if (isEmergency) say(EMERGENCY_SAYS);
  return 0;
}

const EMERGENCY_SAYS =
  'Access tokens from before are refused within 10 seconds; apps refresh and go on. Services that check tokens by themselves ' +
  'drop the old keys when their JWKS cache ends, 60 seconds when it obeys ours.';
