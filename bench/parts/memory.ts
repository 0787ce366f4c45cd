/** Resident memory of the API over a million refreshes: it has to be low, and it must not grow. */
import { runClosed } from '../load.ts';
import { refreshes, turns } from '../operations.ts';
import { withoutErrors } from './part.ts';
import type { Part } from './part.ts';

const REFRESHES = { full: 1_000_000, quick: 20_000 } as const;
const SAMPLES = 20;
/** Proofs are good for a minute: more in stock would grow old. */
const AT_ONCE = 2_000;

export const memory: Part = async (bench) => {
  const { bed, size, say } = bench;
  const total = size.isQuick ? REFRESHES.quick : REFRESHES.full;
  const operation = refreshes(bed, turns(await bench.phones()));
  const residentMiB: number[] = [await bed.residentMiB()];
  let done = 0;
  while (done < total) {
    const sampleEnds = Math.min(total, done + total / SAMPLES);
    while (done < sampleEnds) {
      const atMost = Math.min(AT_ONCE, sampleEnds - done);
      operation.prepare(atMost);
      const load = { port: bed.port, connections: 64, seconds: 300, atMost };
      done += withoutErrors('refresh', await runClosed(operation, load)).requests;
    }
    residentMiB.push(await bed.residentMiB());
    say(`${String(done)} refreshes: ${residentMiB.at(-1)?.toFixed(0) ?? ''} MiB`);
  }
  const most = Math.max(...residentMiB);
  const quarter = residentMiB[Math.ceil(residentMiB.length / 4)] ?? Number.NaN;
  return [
    {
      figure: `memory of the API over ${String(total)} refreshes`,
      measured: `${most.toFixed(0)} MiB at most`,
      baseline: `${quarter.toFixed(0)} MiB after a quarter, ${residentMiB.at(-1)?.toFixed(0) ?? ''} at the end`,
      value: most,
      unit: 'MiB',
      target: { bound: 'at most', value: 250 },
      seen: { residentMiB },
    },
  ];
};
