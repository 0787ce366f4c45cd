/**
 * The rotation of the signing keys, in the transactions that carry it out: the daily one, which makes ahead and retires late, and the one in
 * an emergency, which does both at once. A retired key loses its private half for good; rotation ends no session.
 */
import { planRotation, ROTATED_PURPOSES } from '../domain/signing-keys.ts';
import type { RotatedPurpose, SigningKeyRetireReason } from '../domain/signing-keys.ts';
import { appendAudit } from './audit.ts';
import type { Actor } from './audit.ts';
import type { Database, Tx } from './connection.ts';
import { currentKeys, lockKeys, makeKey, nowIn } from './signing-keys.ts';
import type { KeyMaker } from './signing-keys.ts';

export interface RotationOf extends KeyMaker {
  readonly tenantId: string;
  readonly purpose: RotatedPurpose;
  readonly actor: Actor;
}

export interface Rotated {
  readonly made: number;
  readonly retired: number;
}

/** Today's and tomorrow's key are there afterwards. Harmless to repeat. */
export async function rotateKeys(tx: Tx, rotation: RotationOf): Promise<Rotated> {
  await lockKeys(tx, rotation);
  const keys = await currentKeys(tx, rotation.tenantId, rotation.purpose);
  const now = await nowIn(tx);
  const { make, retire } = planRotation(
    keys.map(({ keyId, activeFrom }) => ({ keyId, activeFromMs: activeFrom.getTime() })),
    now.getTime(),
  );
  for (const activeFromMs of make) await makeAudited(tx, rotation, new Date(activeFromMs));
  for (const keyId of retire) await retireKey(tx, rotation, keyId, 'rotated');
  return { made: make.length, retired: retire.length };
}

/**
 * A new key that signs at once, every other one gone, tomorrow's too: what sealed them may be known. Tokens under them die as soon as
 * processes look (api/tokens/signing-keys.ts says when); refresh tokens and sessions stay.
 */
export async function rotateKeysAtOnce(tx: Tx, rotation: RotationOf): Promise<Rotated> {
  await lockKeys(tx, rotation);
  const keys = await currentKeys(tx, rotation.tenantId, rotation.purpose);
  for (const { keyId } of keys) await retireKey(tx, rotation, keyId, 'emergency');
  await makeAudited(tx, rotation, await nowIn(tx));
  return { made: 1, retired: keys.length };
}

/** For the schedule: every tenant, one after the other. One that fails does not keep the others from theirs. */
export function createKeyRotationStore(
  database: Database,
  maker: KeyMaker,
): { rotateAll(): Promise<Rotated> } {
  const actor = { kind: 'system', id: 'key-rotation' } as const;
  return {
    rotateAll: async () => {
      const total = { made: 0, retired: 0 };
      const failures: unknown[] = [];
      for (const { tenantId } of await database.tenants()) {
        for (const purpose of ROTATED_PURPOSES) {
          try {
            const done = await database.tenant(tenantId, (tx) =>
              rotateKeys(tx, { tenantId, purpose, actor, ...maker }),
            );
            total.made += done.made;
            total.retired += done.retired;
          } catch (error) {
            failures.push(error);
          }
        }
      }
      if (failures.length > 0) throw failures[0];
      return total;
    },
  };
}

async function makeAudited(tx: Tx, rotation: RotationOf, activeFrom: Date): Promise<void> {
  const { tenantId, purpose, actor } = rotation;
  const keyId = await makeKey(tx, { ...rotation, activeFrom });
  await appendAudit(tx, {
    tenantId,
    actor,
    action: 'signing_key.made',
    subject: { kind: 'signing_key', id: keyId },
    detail: { purpose, activeFrom: activeFrom.toISOString() },
  });
}

async function retireKey(
  tx: Tx,
  { tenantId, purpose, actor }: RotationOf,
  keyId: string,
  reason: SigningKeyRetireReason,
): Promise<void> {
  await tx`
    update signing_key set retired_at = latchkey_now(), retire_reason = ${reason}, sealed_private = ''
    where tenant_id = ${tenantId} and key_id = ${keyId} and retired_at is null`;
  await appendAudit(tx, {
    tenantId,
    actor,
    action: 'signing_key.retired',
    subject: { kind: 'signing_key', id: keyId },
    detail: { purpose, reason },
  });
}
