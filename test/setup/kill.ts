/**
 * kill -9 of any of the four parts at a named moment. The API and the worker kill themselves at their fail point; for a server's death the
 * worker stands still at its fail point, so that the server dies at exactly that moment, and goes on without it until it is back.
 */
import type postgres from 'postgres';
import type { FailPointName } from '../../domain/fail-point.ts';
import { armFault, armHold, endLeases, restart } from './faults.ts';
import type { TestStack } from './stack.ts';

export type Part = 'api' | 'worker' | 'temporal' | 'postgres';

export interface Kill {
  /** Returns when the part is dead, and died at its moment. */
  happened(): Promise<void>;
  /** Starts the part anew over the same data, as whoever runs it in production would. */
  recover(): Promise<void>;
}

/** `place` is the API's fail point for the API and the worker's for all others. */
export async function armKill(
  stack: TestStack,
  rows: postgres.Sql,
  { part, place }: { readonly part: Part; readonly place: FailPointName },
): Promise<Kill> {
  if (part === 'api' || part === 'worker') {
    const fault = await armFault(stack, part, place);
    return {
      happened: () => fault.reached(),
      recover: async () => {
        if (part === 'worker') await endLeases(rows);
        await restart(stack, part);
      },
    };
  }
  const hold = await armHold(stack, 'worker', place);
  return {
    happened: async () => {
      await hold.reached();
      await (part === 'temporal' ? stack.killTemporal() : stack.killPostgres());
    },
    recover: async () => {
      hold.resume();
      await (part === 'temporal' ? stack.startTemporal() : stack.startPostgres());
      // What it had in hand when its database died it could not give back.
      await endLeases(rows);
    },
  };
}
