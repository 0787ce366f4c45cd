/**
 * Random lives of one customer's sessions, with much of it at once, through the real app on real PostgreSQL: whatever each call was answered,
 * there is one order of them all, true to when each began and was answered, that the specification accepts. test/mutants.ts lists what it finds.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lives } from '../setup/models/session/actions.ts';
import { openLifeBed } from '../setup/models/session/bed.ts';
import type { LifeBed } from '../setup/models/session/bed.ts';

/** The floor in `npm test`; more by LATCHKEY_MODEL_RUNS, the same lives again by LATCHKEY_MODEL_SEED (what overlaps differs each time). */
const RUNS = Number(process.env['LATCHKEY_MODEL_RUNS'] ?? '60');
const SEED = Number(process.env['LATCHKEY_MODEL_SEED'] ?? randomInt(2 ** 31));

let bed: LifeBed;
beforeAll(async () => {
  bed = await openLifeBed();
});
afterAll(async () => {
  await bed?.close();
});

describe('the sessions of a customer', () => {
  test(`are linearizable in ${String(RUNS)} random lives`, { timeout: 3_600_000 }, async () => {
    process.stdout.write(`session model: seed ${String(SEED)}, ${String(RUNS)} runs\n`);
    let lived = 0;
    await fc.assert(
      fc.asyncProperty(lives, async (rounds) => {
        lived += 1;
        await bed.live(rounds);
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
    expect(lived).toBeGreaterThanOrEqual(RUNS);
    process.stdout.write(`session model: ${String(bed.calls())} calls were put in order\n`);
  });
});
