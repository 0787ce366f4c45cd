/**
 * Random lives around one customer's approvals, with much of it at once, on real PostgreSQL and a real workflow: asked, opened, approved, denied,
 * cancelled, superseded, cut off, expired, used twice, by two requesters, and updates that arrive long after their time. Whatever each call was
 * answered, there is one order of them all that the specification accepts. test/step-up-mutants.ts lists what it finds.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CERTAIN_LIVES, lives } from '../setup/models/step-up/actions.ts';
import { openStepUpBed } from '../setup/models/step-up/bed.ts';
import type { StepUpBed } from '../setup/models/step-up/bed.ts';

/** The floor in `npm test`; more by LATCHKEY_MODEL_RUNS, the same lives again by LATCHKEY_MODEL_SEED (what overlaps differs each time). */
const RUNS = Number(process.env['LATCHKEY_MODEL_RUNS'] ?? '30');
const SEED = Number(process.env['LATCHKEY_MODEL_SEED'] ?? randomInt(2 ** 31));

let bed: StepUpBed;
beforeAll(async () => {
  bed = await openStepUpBed();
});
afterAll(async () => {
  await bed?.close();
});

describe('the approvals of a customer', () => {
  test(`are linearizable in ${String(RUNS)} random lives`, { timeout: 3_600_000 }, async () => {
    process.stdout.write(`step-up model: seed ${String(SEED)}, ${String(RUNS)} runs\n`);
    let lived = 0;
    await fc.assert(
      fc.asyncProperty(lives, async (rounds) => {
        lived += 1;
        await bed.live(rounds);
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true, examples: [...CERTAIN_LIVES] },
    );
    expect(lived).toBeGreaterThanOrEqual(RUNS);
    const counts = [...bed.tally].map(([what, times]) => `${what} ${String(times)}`).sort();
    process.stdout.write(`step-up model: ${counts.join(', ')}\n`);
    // It has come to where the dangers are.
    for (const what of [
      'ring: done',
      'code: done',
      'consume: done',
      'consume: repeated',
      'consume: revoked',
      'ring: approval_invalid',
    ])
      expect.soft(bed.tally.get(what) ?? 0, what).toBeGreaterThan(0);
  });
});
