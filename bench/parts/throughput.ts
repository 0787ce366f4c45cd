/** Refreshes, gateway checks, logins and cut-offs a second at 64 connections, each round beside its limit, so that whatever slows the machine slows both. */
import { startFloor } from '../floors.ts';
import type { Floor } from '../floors.ts';
import { runClosed } from '../load.ts';
import type { Operation } from '../load.ts';
import { createMachine } from '../machine.ts';
import { cutOffs, logins, refreshes, turns, verifications } from '../operations.ts';
import { seedPhones } from '../people.ts';
import type { Phone } from '../people.ts';
import { median, medianRatio } from '../statistics.ts';
import type { Target } from '../statistics.ts';
import { withoutErrors } from './part.ts';
import type { Bench, Part, Row } from './part.ts';

const CONNECTIONS = 64;
/** More than any round uses: what runs out is signed on the load's time. */
const PREPARED_PER_SECOND = { refresh: 4_000, verify: 6_000, login: 1_500, revoke: 2_000 } as const;
/**
 * Until V8 has compiled what a request runs through, at both sides. By their number: in a second there are a few hundred or a few thousand of them,
 * and a process that is still compiling costs a third more.
 */
const WARM_UP_REQUESTS = { refresh: 12_000, verify: 12_000, login: 3_000, revoke: 3_000 } as const;
/** Proofs are good for a minute: more in stock would grow old on a loaded machine. */
const WARM_UP_AT_ONCE = 1_000;
const WARM_UP_AT_MOST_SECONDS = 60;
/** Their last refresh brought a token that lives for 15 minutes. */
export const ACTIVE_PHONES = 2_000;

export const refresh: Part = async (bench) => {
  const { baselines, size } = bench;
  const phones = await bench.phones();
  return [
    await againstBaseline(bench, {
      figure: 'refresh/s',
      make: () => refreshes(bench.bed, turns(phones)),
      baseline: 'compare-and-set/s',
      limit: () => baselines.compareAndSet(size.baselineSeconds),
      target: { bound: 'at least', value: 0.35 },
    }),
  ];
};

export const verify: Part = async (bench) => {
  const { bed, baselines, size } = bench;
  const phones = (await bench.phones()).slice(0, ACTIVE_PHONES);
  await giveTokens(bench);
  return [
    await againstBaseline(bench, {
      figure: 'gateway verify/s',
      make: () => verifications(bed, turns(phones)),
      baseline: 'ES256 verifications/s ÷ 2',
      limit: async () => (await baselines.es256(size.baselineSeconds)) / 2,
      target: { bound: 'at least', value: 0.5 },
    }),
  ];
};

export const login: Part = async (bench) => {
  const { bed, baselines, size } = bench;
  const phones = await phonesWithoutSessions(bench);
  return [
    await againstBaseline(bench, {
      figure: 'login/s',
      make: () => logins(bed, turns(phones)),
      baseline: 'verifyAuthenticationResponse/s',
      limit: () => baselines.passkey(size.baselineSeconds),
      target: { bound: 'at least', value: 0.5 },
    }),
  ];
};

/** Enough that hardly one logs in twice: a login by the same key also ends the session before. */
export async function phonesWithoutSessions({ bed, size }: Bench): Promise<readonly Phone[]> {
  return await seedPhones(bed, size.isQuick ? 5_000 : 20_000, { haveSessions: false });
}

export const revoke: Part = async (bench) => {
  const { bed, baselines, size } = bench;
  // Each of its own: what is dead already costs less.
  const phones = await seedPhones(bed, size.isQuick ? 5_000 : 30_000, { haveSessions: true });
  const machine = await createMachine(bed);
  return [
    await againstBaseline(bench, {
      figure: 'revoke/s',
      make: () => cutOffs(bed, machine, turns(phones.map((one) => one.customerId))),
      baseline: 'compare-and-set/s',
      limit: () => baselines.compareAndSet(size.baselineSeconds),
      target: { bound: 'at least', value: 0.35 },
    }),
  ];
};

/** Each active phone refreshes once, through the API. */
export async function giveTokens({ bed, phones }: Bench): Promise<void> {
  const active = (await phones()).slice(0, ACTIVE_PHONES);
  const operation = refreshes(bed, turns(active));
  operation.prepare(active.length);
  const load = { port: bed.port, connections: 16, seconds: 120, atMost: active.length };
  withoutErrors('tokens for the gateway', await runClosed(operation, load));
}

interface Held {
  readonly figure: string;
  /** Another load of the same kind each time. */
  readonly make: () => Operation;
  readonly baseline: string;
  readonly limit: () => Promise<number>;
  readonly target: Target;
}

interface Rounds {
  readonly figures: readonly number[];
  readonly limits: readonly number[];
  readonly floors: readonly number[];
  readonly cpuMsEach: readonly number[];
  readonly floorCpuMsEach: readonly number[];
}

async function againstBaseline(bench: Bench, held: Held): Promise<Row> {
  const operation = held.make();
  const floor = await startFloor(bench.bed, operation.name);
  try {
    const rounds = await measureRounds(bench, { held, operation, floor });
    const { figures, limits, floors } = rounds;
    return {
      figure: held.figure,
      measured: rateAndCost(figures, rounds.cpuMsEach),
      baseline: `${whole(median(limits))} ${held.baseline}`,
      value: medianRatio(figures, limits),
      unit: 'ratio',
      target: held.target,
      floor: {
        value: medianRatio(floors, limits),
        measured: rateAndCost(floors, rounds.floorCpuMsEach),
      },
      seen: { ...rounds },
    };
  } finally {
    await floor.stop();
  }
}

/** Baseline, floor and figure one after the other in each round. */
async function measureRounds(
  bench: Bench,
  { held, operation, floor }: { held: Held; operation: Operation; floor: Floor },
): Promise<Rounds> {
  const { bed, size, say } = bench;
  const bare = held.make();
  const names = { api: held.figure, floor: `the floor of ${held.figure}` };
  const atFloor = { at: floor, operation: bare, name: names.floor };
  const atApi = { at: bed, operation, name: names.api };
  const requests = WARM_UP_REQUESTS[operation.name] / (size.isQuick ? 4 : 1);
  for (const one of [atFloor, atApi]) await warmUp(one, requests);
  const [limits, floors, figures]: [number[], number[], number[]] = [[], [], []];
  const [cpuMsEach, floorCpuMsEach]: [number[], number[]] = [[], []];
  for (let round = 0; round < size.rounds; round += 1) {
    const limit = await held.limit();
    const lowest = await measureOnce(atFloor, size.seconds);
    const seen = await measureOnce(atApi, size.seconds);
    limits.push(limit);
    floors.push(lowest.perSecond);
    figures.push(seen.perSecond);
    cpuMsEach.push(seen.cpuMsEach);
    floorCpuMsEach.push(lowest.cpuMsEach);
    say(
      `${held.figure}: ${whole(seen.perSecond)}, ${held.baseline}: ${whole(limit)}, ${seen.cpuMsEach.toFixed(3)} ms of the API's processor each; ` +
        `floor: ${whole(lowest.perSecond)}, ${lowest.cpuMsEach.toFixed(3)} ms each`,
    );
  }
  return { figures, limits, floors, cpuMsEach, floorCpuMsEach };
}

interface Side {
  readonly at: Pick<Floor, 'port' | 'cpuMs'>;
  readonly operation: Operation;
  readonly name: string;
}

async function warmUp({ at, operation, name }: Side, requests: number): Promise<void> {
  const load = { port: at.port, connections: CONNECTIONS, seconds: WARM_UP_AT_MOST_SECONDS };
  for (let done = 0; done < requests;) {
    const atMost = Math.min(WARM_UP_AT_ONCE, requests - done);
    operation.prepare(atMost);
    done += withoutErrors(name, await runClosed(operation, { ...load, atMost })).requests;
  }
}

async function measureOnce(
  { at, operation, name }: Side,
  seconds: number,
): Promise<{ readonly perSecond: number; readonly cpuMsEach: number }> {
  operation.prepare(PREPARED_PER_SECOND[operation.name] * seconds);
  const before = await at.cpuMs();
  const load = { port: at.port, connections: CONNECTIONS, seconds };
  const { perSecond, requests } = withoutErrors(name, await runClosed(operation, load));
  return { perSecond, cpuMsEach: ((await at.cpuMs()) - before) / requests };
}

function rateAndCost(perSecond: readonly number[], cpuMsEach: readonly number[]): string {
  return `${whole(median(perSecond))}/s, ${median(cpuMsEach).toFixed(2)} ms CPU`;
}

function whole(value: number | undefined): string {
  return String(Math.round(value ?? Number.NaN));
}
