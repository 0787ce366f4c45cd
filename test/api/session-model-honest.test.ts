/**
 * The other half of what sessions promise: an honest phone, which is the SDK as it is, is never logged out by answers that got lost, whichever
 * they are, whether the app lives on or has to start anew.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLifeBed } from '../setup/models/session/bed.ts';
import type { LifeBed } from '../setup/models/session/bed.ts';
import { createHonestPhone, untilHeard } from '../setup/models/session/honest-phone.ts';
import type { HonestPhone } from '../setup/models/session/honest-phone.ts';

const RUNS = Number(process.env['LATCHKEY_MODEL_RUNS'] ?? '20');
const SEED = Number(process.env['LATCHKEY_MODEL_SEED'] ?? randomInt(2 ** 31));
/** The first answer of a generation and five deliveries of it: with the sixth the passkey is asked for. */
const MOST_LOST_IN_A_ROW = 5;

let bed: LifeBed;
beforeAll(async () => {
  bed = await openLifeBed();
});
afterAll(async () => {
  await bed?.close();
});

/** Answers that are carried out, and of which the meant ones do not arrive. */
class Network {
  answers = 0;
  /** Nothing is sent. */
  isDown = false;
  readonly #isLost: (answer: number) => boolean;
  readonly #isDownAfterwards: boolean;

  constructor(isLost: (answer: number) => boolean, { isDownAfterwards = false } = {}) {
    this.#isLost = isLost;
    this.#isDownAfterwards = isDownAfterwards;
  }

  readonly fetch: typeof fetch = async (input, init) => {
    if (this.isDown) throw new TypeError('no line');
    const answer = await bed.api.app.inject({
      method: init?.method === 'POST' ? 'POST' : 'GET',
      url: new URL(input instanceof Request ? input.url : input.toString()).pathname,
      headers: Object.fromEntries(new Headers(init?.headers)),
      ...(typeof init?.body === 'string' ? { payload: init.body } : {}),
    });
    const isLost = this.#isLost(this.answers);
    this.answers += 1;
    if (isLost) {
      this.isDown = this.#isDownAfterwards;
      throw new TypeError('the answer was lost');
    }
    const nonce = answer.headers['dpop-nonce'];
    return new Response(answer.body, {
      status: answer.statusCode,
      headers: {
        'content-type': String(answer.headers['content-type']),
        ...(typeof nonce === 'string' ? { 'dpop-nonce': nonce } : {}),
      },
    });
  };
}

const phoneOn = (network: Network): Promise<HonestPhone> =>
  createHonestPhone(bed.api, { fetch: network.fetch, nowMs: () => bed.api.clock.nowMs() });

/** A login and some use, with access tokens that run out in between. Answers which sessions it saw. */
async function use(phone: HonestPhone, network: Network): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const step = async (call: () => Promise<{ readonly sessionId?: string }>) => {
    const go = () =>
      untilHeard(async () => {
        if (network.isDown) {
          network.isDown = false;
          const started = phone.restart();
          await started.session.restore();
        }
        return await call();
      });
    const { sessionId } = await go();
    if (sessionId !== undefined) seen.add(sessionId);
  };
  await step(() => phone.app().logIn());
  for (let round = 0; round < 3; round += 1) {
    await step(() => phone.app().session.refresh());
    await step(async () => {
      await phone.app().me();
      return {};
    });
    bed.api.clock.advance(290_000);
    await step(async () => ({ sessionId: (await phone.app().sessions())[0]?.sessionId ?? '' }));
  }
  return seen;
}

async function liveSessions({ banker }: HonestPhone): Promise<readonly string[]> {
  const rows = await bed.api.inTenant(
    (tx) => tx<{ sessionId: string }[]>`
      select session_id from session where customer_id = ${banker.customerId} and status = 'live'`,
  );
  return rows.map(({ sessionId }) => sessionId);
}

/** One session from the login to now, and the phone is in it. */
async function expectStillIn(phone: HonestPhone, seen: ReadonlySet<string>): Promise<void> {
  const state = phone.app().session.state();
  expect(state.status).toBe('active');
  expect([...seen]).toEqual(await liveSessions(phone));
}

describe('an honest phone', () => {
  test.each([
    ['the app lives on', false],
    ['the app has no line until it starts anew', true],
  ])('loses any one answer, %s: it stays logged in', { timeout: 300_000 }, async (_how, isDown) => {
    const whole = new Network(() => false);
    const first = await phoneOn(whole);
    await expectStillIn(first, await use(first, whole));
    expect(whole.answers).toBeGreaterThan(10);
    for (let lost = 0; lost < whole.answers; lost += 1) {
      const network = new Network((answer) => answer === lost, { isDownAfterwards: isDown });
      const phone = await phoneOn(network);
      await expectStillIn(phone, await use(phone, network));
      expect(network.answers).toBeGreaterThan(lost);
    }
  });

  test(`loses up to ${String(MOST_LOST_IN_A_ROW)} answers in a row, again and again, in ${String(RUNS)} random lives: it stays logged in`, async () => {
    process.stdout.write(`honest phone: seed ${String(SEED)}, ${String(RUNS)} runs\n`);
    const runsOfLosses = fc.array(fc.integer({ min: 0, max: MOST_LOST_IN_A_ROW }), {
      minLength: 5,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(runsOfLosses, async (losses) => {
        // So many are lost, then one arrives.
        const isLost = losses.flatMap((count) => [...Array<boolean>(count).fill(true), false]);
        const network = new Network((answer) => isLost[answer] ?? false);
        const phone = await phoneOn(network);
        await expectStillIn(phone, await use(phone, network));
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
  });
});
