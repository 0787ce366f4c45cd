/**
 * Random lives around one customer's recoveries on real PostgreSQL: owner, thief, stranger, desk, vendor, fraud engine, clock, and whoever can write to
 * Temporal, in any order. After every step the rows keep the rules of test/setup/models/recovery/, and after every life the owner has a way
 * in. test/recovery-mutants.ts lists what it finds.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import { lives } from '../../setup/models/recovery/actions.ts';
import { carryOut } from '../../setup/models/recovery/carry-out.ts';
import { CERTAIN_LIVES } from '../../setup/models/recovery/certain-lives.ts';
import { comeHome } from '../../setup/models/recovery/honest.ts';
import { Life } from '../../setup/models/recovery/life.ts';

/** The floor in `npm test`; more by LATCHKEY_MODEL_RUNS, the same again by LATCHKEY_MODEL_SEED. */
const RUNS = Number(process.env['LATCHKEY_MODEL_RUNS'] ?? '100');
const SEED = Number(process.env['LATCHKEY_MODEL_SEED'] ?? randomInt(2 ** 31));

let rows: RecoveryRows;
let beginsAtMs: number;
beforeAll(async () => {
  rows = await RecoveryRows.open();
  beginsAtMs = rows.nowMs;
});
afterAll(async () => {
  await rows?.close();
});

describe('the recoveries of a customer', () => {
  test(`keep their rules in ${String(RUNS)} random lives`, { timeout: 3_600_000 }, async () => {
    process.stdout.write(`recovery model: seed ${String(SEED)}, ${String(RUNS)} runs\n`);
    const tally = new Map<string, number>();
    let [bound, cameHome] = [0, 0];
    await fc.assert(
      fc.asyncProperty(lives, async (steps) => {
        // Or a thousand lives would last a thousand years.
        rows.nowMs = beginsAtMs;
        const life = await Life.begin(rows, tally);
        try {
          for (const step of steps) await carryOut(life, step);
          bound += life.facts.cases.filter(({ outcome }) => outcome === 'completed').length;
          await comeHome(life);
          cameHome += 1;
        } catch (error) {
          throw new Error(`${String(error)}\n  ${life.story.join('\n  ')}`, { cause: error });
        }
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true, examples: [...CERTAIN_LIVES] },
    );
    const counts = [...tally]
      .filter(([what]) => /^(came|refused)/.test(what))
      .map(([what, times]) => `${what} ${String(times)}`)
      .sort();
    process.stdout.write(`recovery model: ${counts.join(', ')}\n`);
    process.stdout.write(
      `recovery model: ${String(bound)} phones bound in lives, ${String(cameHome)} owners came home\n`,
    );
    expect(cameHome).toBeGreaterThanOrEqual(RUNS);
    // Lives in which nobody is ever bound would prove little, and so would those that never come to where the dangers are.
    expect(bound).toBeGreaterThan(RUNS / 10);
    for (const what of [
      'came to held',
      'came to cooling',
      'came to vetoed',
      'came to refused_by_staff',
      'refused four_eyes_required',
    ])
      expect.soft(tally.get(what) ?? 0, what).toBeGreaterThan(0);
  });
});
