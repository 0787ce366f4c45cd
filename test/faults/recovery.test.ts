/**
 * kill -9 of the worker and of the API between any two steps of one recovery: the case goes on, the honest phone repeats under its first keys, and the
 * account is given back exactly once.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { FailPointName } from '../../domain/fail-point.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { expectBoundOnce, expectUntouched, RecoveryCase } from '../setup/beds/recovery-case.ts';
import { abandonClaims, armFault, endLeases, restart } from '../setup/faults.ts';
import { untilDecided } from '../setup/software-phone.ts';

const bed = prepareFaultBed({ hasShortSecondListing: true });
/** Of a whole case with a process that starts anew at every step, on a busy machine. */
const TIMEOUT_MS = 600_000;

let one: RecoveryCase | undefined;
afterEach(async () => {
  await one?.close();
});
const prepare = async () => (one = await RecoveryCase.prepare(bed));

/** The part dies at that place while `step` is under way, and is started anew as whoever runs it would. */
async function killed<T>(
  part: 'api' | 'worker',
  place: FailPointName,
  step: () => Promise<T>,
): Promise<T> {
  const fault = await armFault(bed.stack, part, place);
  const under = step();
  await fault.reached();
  if (part === 'worker') await endLeases(bed.rows);
  else await abandonClaims(bed.rows);
  await restart(bed.stack, part);
  return await under;
}

describe('a recovery', () => {
  test(
    'whose worker is killed at every step goes on, and the phone is bound exactly once',
    { timeout: TIMEOUT_MS },
    async () => {
      const lost = await prepare();
      const kill = <T>(place: FailPointName, step: () => Promise<T>) =>
        killed('worker', place, step);
      await lost.ask();
      await kill('relay.after_call.ceremony.start', () => lost.prove());
      await lost.reaches('identity');
      await kill('activity.after.followLiveness', () => lost.look());
      await lost.reaches('review');
      await kill('activity.before.advanceRecovery', () => lost.approve());
      await lost.reaches('cooling');
      await expectUntouched(lost);
      await kill('activity.after.advanceRecovery', () => lost.wait());
      await lost.reaches('rebind');
      const bound = await kill('activity.after.advanceRecovery', () =>
        untilDecided(() => lost.bind()),
      );
      expect(bound).toMatchObject({ state: 'ended', outcome: 'completed' });
      await expectBoundOnce(lost);
    },
  );

  test(
    'whose API is killed before each of its answers goes on, and the phone is bound exactly once',
    { timeout: TIMEOUT_MS },
    async () => {
      const lost = await prepare();
      const kill = <T>(operation: string, step: () => Promise<T>) =>
        killed('api', `api.before_answer.${operation}`, step);
      await kill('requestRecovery', () => lost.ask());
      await kill('submitRecoveryCode', () => lost.prove());
      await lost.reaches('identity');
      await kill('beginLiveness', () => lost.look());
      await lost.reaches('review');
      await lost.approve();
      await lost.reaches('cooling');
      await expectUntouched(lost);
      await lost.wait();
      await lost.reaches('rebind');
      const bound = await kill('bindRecoveredPasskey', () => untilDecided(() => lost.bind()));
      expect(bound).toMatchObject({ state: 'ended', outcome: 'completed' });
      await expectBoundOnce(lost);
    },
  );
});
