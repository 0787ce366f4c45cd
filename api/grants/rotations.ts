/**
 * The ordinary refreshes of this process, gathered into statements. One family never stands twice in one: the second is asked after the first has
 * moved, and then left to the path that decides.
 */
import type { Database } from '../../db/connection.ts';
import { rotateAtOnce } from '../../db/refresh-statement.ts';
import type { Rotation, RotationOutcome } from '../../db/refresh-statement.ts';
import { createBatches } from '../statement-batches.ts';

/** @throws LatchkeyError as rotateAtOnce */
export type Rotate = (tenantId: string, rotation: Rotation) => Promise<RotationOutcome>;

export function createRotations(database: Pick<Database, 'statement'>): Rotate {
  return createBatches<Rotation, RotationOutcome>({
    ask: (tenantId, rotations) => rotateAtOnce(database, tenantId, rotations),
    keysOf: ({ sessionId, proof }) => [
      `session:${sessionId}`,
      `proof:${Buffer.from(proof.jtiHash).toString('hex')}`,
    ],
  });
}
