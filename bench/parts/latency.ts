/**
 * How long an answer takes: a refresh alone on one connection, and each operation at half of the rate that it can reach; beside it, at the same rate, its
 * floor (floor-process.ts).
 */
import { startFloor } from '../floors.ts';
import type { Floor } from '../floors.ts';
import { runClosed, runOpen } from '../load.ts';
import type { Operation } from '../load.ts';
import { logins, refreshes, turns, verifications } from '../operations.ts';
import { median, percentile } from '../statistics.ts';
import { withoutErrors } from './part.ts';
import type { Bench, Part, Row } from './part.ts';
import { ACTIVE_PHONES, giveTokens, phonesWithoutSessions } from './throughput.ts';

const CONNECTIONS = 64;
/** More than any second uses. */
const PREPARED_PER_SECOND = 5_000;

export const latency: Part = async (bench) => {
  const { bed } = bench;
  const phones = await bench.phones();
  const refresh = refreshes(bed, turns(phones));
  const alone = await atFloor(bench, refresh, (floor) => aloneRows(bench, refresh, floor));
  await giveTokens(bench);
  const verify = verifications(bed, turns(phones.slice(0, ACTIVE_PHONES)));
  const login = logins(bed, turns(await phonesWithoutSessions(bench)));
  return [
    ...alone,
    await atFloor(bench, login, (floor) => atHalfRow(bench, login, { floor, atMostMs: 60 })),
    await atFloor(bench, refresh, (floor) => atHalfRow(bench, refresh, { floor, atMostMs: 25 })),
    await atFloor(bench, verify, (floor) => atHalfRow(bench, verify, { floor, atMostMs: 8 })),
  ];
};

async function atFloor<Rows>(
  { bed }: Bench,
  { name }: Operation,
  measure: (floor: Floor) => Promise<Rows>,
): Promise<Rows> {
  const floor = await startFloor(bed, name);
  try {
    return await measure(floor);
  } finally {
    await floor.stop();
  }
}

async function aloneRows(
  { bed, size }: Bench,
  operation: Operation,
  floor: Floor,
): Promise<readonly Row[]> {
  const ask = async ({ port }: Pick<Floor, 'port'>) => {
    operation.prepare(1_000 * size.seconds);
    const load = { port, connections: 1, seconds: size.seconds };
    return withoutErrors('refresh alone', await runClosed(operation, load)).latenciesMs;
  };
  const [floors, rounds]: [(readonly number[])[], (readonly number[])[]] = [[], []];
  // The first of each opens connections and fills caches.
  for (const at of [floor, bed]) await ask(at);
  for (let round = 0; round < size.rounds; round += 1) {
    floors.push(await ask(floor));
    rounds.push(await ask(bed));
  }
  const row = (figure: string, share: number, atMostMs: number) => {
    const of = (all: readonly (readonly number[])[]) => all.map((one) => percentile(one, share));
    return latencyRow(figure, { rounds: of(rounds), floors: of(floors) }, atMostMs);
  };
  return [row('refresh alone, p50', 0.5, 1.5), row('refresh alone, p99', 0.99, 5)];
}

async function atHalfRow(
  bench: Bench,
  operation: Operation,
  { floor, atMostMs }: { readonly floor: Floor; readonly atMostMs: number },
): Promise<Row> {
  const { bed, size, say } = bench;
  const [tops, p95, floors]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < size.rounds; round += 1) {
    operation.prepare(operation.name === 'login' ? 1_500 : PREPARED_PER_SECOND * 2);
    const full = { port: bed.port, connections: CONNECTIONS, seconds: 2 };
    const top = withoutErrors(operation.name, await runClosed(operation, full)).perSecond;
    const half = { ...full, perSecond: top / 2, seconds: size.seconds };
    const { latenciesMs } = withoutErrors(operation.name, await runOpen(operation, half));
    const bare = await runOpen(operation, { ...half, port: floor.port });
    floors.push(percentile(withoutErrors(operation.name, bare).latenciesMs, 0.95));
    tops.push(top);
    p95.push(percentile(latenciesMs, 0.95));
    say(
      `${operation.name} at ${String(Math.round(top / 2))}/s: p95 ${p95.at(-1)?.toFixed(1) ?? ''} ms, floor ${floors.at(-1)?.toFixed(1) ?? ''} ms`,
    );
  }
  const row = latencyRow(`${operation.name} at half load, p95`, { rounds: p95, floors }, atMostMs);
  return {
    ...row,
    baseline: `at ${String(Math.round(median(tops) / 2))}/s`,
    seen: { ...row.seen, tops },
  };
}

function latencyRow(
  figure: string,
  { rounds, floors }: { readonly rounds: readonly number[]; readonly floors: readonly number[] },
  atMostMs: number,
): Row {
  const value = median(rounds);
  const floor = median(floors);
  return {
    figure,
    measured: `${value.toFixed(2)} ms`,
    baseline: '–',
    value,
    unit: 'ms',
    target: { bound: 'at most', value: atMostMs },
    floor: { value: floor, measured: `${floor.toFixed(1)} ms` },
    seen: { rounds, floors },
  };
}
