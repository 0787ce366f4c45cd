/** Refreshes, gateway checks, logins and cut-offs a second at 64 connections, each round beside its limit, so that whatever slows the machine slows both. */
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
/** Their last refresh brought a token that lives for 15 minutes. */
export const ACTIVE_PHONES = 2_000;

export const refresh: Part = async (bench) => {
  const { baselines, size } = bench;
  const operation = refreshes(bench.bed, turns(await bench.phones()));
  return [
    await againstBaseline(bench, {
      figure: 'refresh/s',
      operation,
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
      operation: verifications(bed, turns(phones)),
      baseline: 'ES256 verifications/s ÷ 2',
      limit: async () => (await baselines.es256(size.baselineSeconds)) / 2,
      target: { bound: 'at least', value: 0.5 },
    }),
  ];
};

export const login: Part = async (bench) => {
  const { bed, baselines, size } = bench;
  return [
    await againstBaseline(bench, {
      figure: 'login/s',
      operation: logins(bed, turns(await phonesWithoutSessions(bench))),
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
  const operation = cutOffs(
    bed,
    await createMachine(bed),
    turns(phones.map((one) => one.customerId)),
  );
  return [
    await againstBaseline(bench, {
      figure: 'revoke/s',
      operation,
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

export async function againstBaseline(
  { bed, size, say }: Bench,
  args: {
    readonly figure: string;
    readonly operation: Operation;
    readonly baseline: string;
    readonly limit: () => Promise<number>;
    readonly target: Target;
  },
): Promise<Row> {
  const { figure, operation, baseline, limit, target } = args;
  const load = { port: bed.port, connections: CONNECTIONS, seconds: size.seconds };
  const perSecond = PREPARED_PER_SECOND[operation.name];
  operation.prepare(perSecond);
  withoutErrors(`${figure}, warming up`, await runClosed(operation, { ...load, seconds: 1 }));
  const [limits, figures, cpuMsEach]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < size.rounds; round += 1) {
    limits.push(await limit());
    operation.prepare(perSecond * size.seconds);
    const before = await bed.cpuMs();
    const measured = withoutErrors(figure, await runClosed(operation, load));
    cpuMsEach.push(((await bed.cpuMs()) - before) / measured.requests);
    figures.push(measured.perSecond);
    const cost = `${(cpuMsEach.at(-1) ?? Number.NaN).toFixed(3)} ms of the API's processor each`;
    say(`${figure}: ${whole(figures.at(-1))}, ${baseline}: ${whole(limits.at(-1))}, ${cost}`);
  }
  return {
    figure,
    measured: `${whole(median(figures))}/s`,
    baseline: `${whole(median(limits))} ${baseline}`,
    value: medianRatio(figures, limits),
    unit: 'ratio',
    target,
    seen: { figures, limits, cpuMsEach },
  };
}

function whole(value: number | undefined): string {
  return String(Math.round(value ?? Number.NaN));
}
