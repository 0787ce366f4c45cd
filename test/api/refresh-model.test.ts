/**
 * Refresh as a model: random lives of one customer's sessions through the real app on real PostgreSQL, compared with a model of a few lines
 * after every step. test/mutants.ts lists the faults that it finds.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBanker } from '../setup/login-bed.ts';
import { commands, LogIn } from '../setup/models/refresh-commands.ts';
import { MODEL_POLICY } from '../setup/models/refresh-model.ts';
import type { Real } from '../setup/models/refresh-model.ts';
import { startTestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import type { TestApi } from '../setup/api.ts';

/** The floor in `npm test`; more by LATCHKEY_MODEL_RUNS, the same again by LATCHKEY_MODEL_SEED. */
const RUNS = Number(process.env['LATCHKEY_MODEL_RUNS'] ?? '60');
const SEED = Number(process.env['LATCHKEY_MODEL_SEED'] ?? randomInt(2 ** 31));

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ policy: MODEL_POLICY });
});
afterAll(async () => {
  await api?.close();
});

describe('the life of a session', () => {
  test(`follows the model in ${String(RUNS)} random lives`, { timeout: 600_000 }, async () => {
    process.stdout.write(`refresh model: seed ${String(SEED)}, ${String(RUNS)} runs\n`);
    let lives = 0;
    await fc.assert(
      fc.asyncProperty(commands, async (life) => {
        lives += 1;
        const real: Real = {
          api,
          banker: await createBanker(api),
          thief: await createPhone(api),
          sessionId: undefined,
        };
        const setup = () => ({ model: { nowMs: 0, family: undefined }, real });
        await fc.asyncModelRun(setup, [new LogIn(), ...life]);
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
    expect(lives).toBeGreaterThanOrEqual(RUNS);
  });
});
