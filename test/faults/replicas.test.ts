/**
 * Two replicas behind nginx, killed with -9 again and again under whatever phones, clones and a fraud engine do at once: what was answered still
 * has one order that sessions may have, and no honest phone is logged out.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FailPointName } from '../../domain/fail-point.ts';
import { lives } from '../setup/models/session/actions.ts';
import type { Action, Round } from '../setup/models/session/actions.ts';
import { lookAt, mustBeInOrder } from '../setup/models/session/bed.ts';
import { castOf } from '../setup/models/session/cast.ts';
import { createHonestPhone, untilHeard } from '../setup/models/session/honest-phone.ts';
import { Life } from '../setup/models/session/life.ts';
import { startReplicas } from '../setup/models/session/replicas.ts';
import type { Replicas } from '../setup/models/session/replicas.ts';
import { USUAL_LIFETIMES } from '../setup/models/session/model-state.ts';
import type { Door } from '../setup/models/session/wire.ts';

/** Customers that live at once in the floor of `npm test`; more by LATCHKEY_REPLICA_LIVES, the same again by LATCHKEY_MODEL_SEED. */
const LIVES = Number(process.env['LATCHKEY_REPLICA_LIVES'] ?? '8');
const SEED = Number(process.env['LATCHKEY_MODEL_SEED'] ?? randomInt(2 ** 31));
const ROUNDS = 8;
const drawnLives = fc.tuple(lives, lives, lives).map((several) => several.flat().slice(0, ROUNDS));
/** Of each kind. */
const HONEST_DEATHS = 2;
const MOST_REFRESHES = 1_000;
const CALLS_BETWEEN_DEATHS = { min: 15, max: 45 };
const PLACES: readonly FailPointName[] = [
  'api.before_answer.token',
  'api.before_answer.token',
  'api.before_answer.login',
  'api.before_answer.logout',
  'api.before_answer.fraudSignal',
];

let replicas: Replicas;
beforeAll(async () => {
  replicas = await startReplicas();
});
afterAll(async () => {
  await replicas?.stop();
});

/** Every so many calls something dies: one replica at once, or whichever is next about to answer. */
class Reaper {
  #left = 0;
  #random = fc.sample(fc.nat({ max: 2 ** 30 }), { seed: SEED, numRuns: 1_000 });
  readonly #before = { ...replicas.deaths };
  readonly #places: readonly FailPointName[];
  #failure: unknown;

  constructor(places: readonly FailPointName[]) {
    this.#places = places;
  }

  count(): void {
    this.#left -= 1;
    if (this.#left > 0) return;
    const { min, max } = CALLS_BETWEEN_DEATHS;
    this.#left = min + (this.#next() % (max - min));
    const kind = this.#next();
    const place = this.#places[this.#next() % this.#places.length] ?? 'api.before_answer.token';
    const death = kind % 2 === 0 ? replicas.kill(this.#next()) : replicas.orderDeath(place);
    death.catch((error: unknown) => (this.#failure = error));
  }

  /** How often a replica died since, at any moment and just before it answered. */
  deaths(): Replicas['deaths'] {
    if (this.#failure !== undefined) throw this.#failure;
    const { atAnyMoment, beforeAnswering } = replicas.deaths;
    return {
      atAnyMoment: atAnyMoment - this.#before.atAnyMoment,
      beforeAnswering: beforeAnswering - this.#before.beforeAnswering,
    };
  }

  #next(): number {
    return this.#random.pop() ?? randomInt(2 ** 30);
  }
}

const counted = (door: Door, reaper: Reaper): Door => ({
  ...door,
  send: (sent) => {
    reaper.count();
    return door.send(sent);
  },
});

class Customer {
  readonly life: Life;
  readonly #rounds: readonly Round[];

  constructor(life: Life, rounds: readonly Round[]) {
    this.life = life;
    this.#rounds = rounds;
  }

  async logIn(): Promise<void> {
    const isIn = () =>
      this.life.history.calls.some(({ kind, answer }) => kind === 'login' && answer !== undefined);
    while (!isIn()) await this.#act({ kind: 'login', holder: 'handset' });
  }

  async live(round: number): Promise<void> {
    const lanes = this.#rounds[round]?.lanes ?? [];
    await Promise.all(
      lanes.map(async (lane) => {
        for (const action of lane) await this.#act(action);
      }),
    );
  }

  /** While nothing is under way. */
  async look(): Promise<void> {
    this.life.history.settle();
    this.life.history.look(await lookAt(replicas.rows, this.life.customerId));
  }

  mustBeInOrder(): void {
    mustBeInOrder(this.life.history.calls, this.#rounds, USUAL_LIFETIMES);
  }

  async #act(action: Action): Promise<void> {
    await replicas.oneListens();
    await this.life.act(action);
  }
}

async function prepare(rounds: readonly Round[], reaper: Reaper): Promise<Customer> {
  const door = counted(replicas.door, reaper);
  return new Customer(new Life(await castOf(replicas.seeds, door, replicas.gateway)), rounds);
}

const toldDeaths = ({ atAnyMoment, beforeAnswering }: Replicas['deaths']) =>
  `${String(atAnyMoment)} deaths at any moment, ${String(beforeAnswering)} just before an answer`;

describe('two replicas behind nginx, killed at random', () => {
  test(`${String(LIVES)} lives at once are linearizable`, { timeout: 1_800_000 }, async () => {
    process.stdout.write(`replicas: seed ${String(SEED)}, ${String(LIVES)} lives\n`);
    const reaper = new Reaper(PLACES);
    const drawn = fc.sample(drawnLives, { seed: SEED, numRuns: LIVES });
    const customers = await Promise.all(drawn.map((rounds) => prepare(rounds, reaper)));
    const atOnce = async (work: (customer: Customer) => Promise<void>) => {
      await Promise.all(customers.map(work));
      await replicas.quiet();
      for (const customer of customers) await customer.look();
    };
    await atOnce((customer) => customer.logIn());
    for (let round = 0; round < ROUNDS; round += 1)
      await atOnce((customer) => customer.live(round));
    for (const customer of customers) customer.mustBeInOrder();
    const calls = customers.flatMap(({ life }) => life.history.calls);
    const lost = calls.filter(({ answer }) => answer === undefined).length;
    const deaths = reaper.deaths();
    process.stdout.write(
      `replicas: ${String(calls.length)} calls in order, ${String(lost)} of them never answered, ${toldDeaths(deaths)}\n`,
    );
    expect(Math.min(deaths.atAnyMoment, deaths.beforeAnswering, lost)).toBeGreaterThan(0);
  });

  test('an honest phone stays in its session', { timeout: 600_000 }, async () => {
    const reaper = new Reaper(['api.before_answer.token']);
    const phone = await createHonestPhone(replicas.seeds, {
      nowMs: () => Date.now(),
      pause: () => replicas.keysAreFree(),
      fetch: (input, init) => {
        reaper.count();
        return fetch(input, init);
      },
    });
    const whenListening = <T>(call: () => Promise<T>) =>
      untilHeard(async () => {
        await replicas.oneListens();
        return await call();
      });
    const { sessionId } = await whenListening(() => phone.app().logIn());
    let refreshes = 0;
    const isEnough = ({ atAnyMoment, beforeAnswering }: Replicas['deaths']) =>
      Math.min(atAnyMoment, beforeAnswering) >= HONEST_DEATHS;
    for (; !isEnough(reaper.deaths()) && refreshes < MOST_REFRESHES; refreshes += 1) {
      const state = await whenListening(() => phone.app().session.refresh());
      expect(state.sessionId).toBe(sessionId);
    }
    process.stdout.write(
      `replicas: ${String(refreshes)} refreshes of one session, ${toldDeaths(reaper.deaths())}\n`,
    );
    expect(isEnough(reaper.deaths())).toBe(true);
    await replicas.quiet();
    const sessions = await whenListening(() => phone.app().sessions());
    expect(sessions.map((one) => one.sessionId)).toEqual([sessionId]);
  });
});
