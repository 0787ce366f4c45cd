/** How long an answer takes: a refresh alone on one connection, and each operation at half of the rate that it can reach. */
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
  const alone = await aloneRows(bench, refresh);
  await giveTokens(bench);
  const verify = verifications(bed, turns(phones.slice(0, ACTIVE_PHONES)));
  const login = logins(bed, turns(await phonesWithoutSessions(bench)));
  return [
    ...alone,
    await atHalfRow(bench, login, 60),
    await atHalfRow(bench, refresh, 25),
    await atHalfRow(bench, verify, 8),
  ];
};

async function aloneRows(bench: Bench, operation: Operation): Promise<readonly Row[]> {
  const { bed, size } = bench;
  const load = { port: bed.port, connections: 1, seconds: size.seconds };
  const [p50, p99]: [number[], number[]] = [[], []];
  for (let round = 0; round < size.rounds; round += 1) {
    operation.prepare(1_000 * size.seconds);
    const { latenciesMs } = withoutErrors('refresh alone', await runClosed(operation, load));
    p50.push(percentile(latenciesMs, 0.5));
    p99.push(percentile(latenciesMs, 0.99));
  }
  return [latencyRow('refresh alone, p50', p50, 1.5), latencyRow('refresh alone, p99', p99, 5)];
}

async function atHalfRow(bench: Bench, operation: Operation, atMostMs: number): Promise<Row> {
  const { bed, size, say } = bench;
  const [tops, p95]: [number[], number[]] = [[], []];
  for (let round = 0; round < size.rounds; round += 1) {
    operation.prepare(operation.name === 'login' ? 1_500 : PREPARED_PER_SECOND * 2);
    const full = { port: bed.port, connections: CONNECTIONS, seconds: 2 };
    const top = withoutErrors(operation.name, await runClosed(operation, full)).perSecond;
    const half = { ...full, perSecond: top / 2, seconds: size.seconds };
    const { latenciesMs } = withoutErrors(operation.name, await runOpen(operation, half));
    tops.push(top);
    p95.push(percentile(latenciesMs, 0.95));
    say(
      `${operation.name} at ${String(Math.round(top / 2))}/s: p95 ${p95.at(-1)?.toFixed(1) ?? ''} ms`,
    );
  }
  const row = latencyRow(`${operation.name} at half load, p95`, p95, atMostMs);
  return {
    ...row,
    baseline: `at ${String(Math.round(median(tops) / 2))}/s`,
    seen: { ...row.seen, tops },
  };
}

function latencyRow(figure: string, rounds: readonly number[], atMostMs: number): Row {
  const value = median(rounds);
  return {
    figure,
    measured: `${value.toFixed(2)} ms`,
    baseline: '–',
    value,
    unit: 'ms',
    target: { bound: 'at most', value: atMostMs },
    seen: { rounds },
  };
}
