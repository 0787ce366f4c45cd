/**
 * `npm run bench [-- --quick] [-- PART…]`: measures the figures of docs/performance.md, each beside its limit in the same run, prints the table
 * and writes bench/results/. Without names all parts run but the long ones. It ends with 1 when a target was missed.
 */
import { startBed } from './bed.ts';
import { prepareBaselines } from './baselines.ts';
import { pinCores } from './cores.ts';
import { seedPhones } from './people.ts';
import type { Phone } from './people.ts';
import type { Bench, Part, Row, Size } from './parts/part.ts';
import { cutOff } from './parts/cut-off.ts';
import { latency } from './parts/latency.ts';
import { memory } from './parts/memory.ts';
import { recovery } from './parts/recovery.ts';
import { sessions } from './parts/sessions.ts';
import { stepUp } from './parts/step-up.ts';
import { temporal } from './parts/temporal.ts';
import { login, refresh, revoke, verify } from './parts/throughput.ts';
import { describeCommit, describeMachine, table, writeReport } from './report.ts';
import { isMet } from './statistics.ts';

const PARTS: Readonly<Record<string, Part>> = {
  refresh,
  verify,
  login,
  revoke,
  latency,
  temporal,
  'cut-off': cutOff,
  'step-up': stepUp,
  recovery,
  memory,
  sessions,
};
/** Tens of minutes and gigabytes: only by name. */
const LONG: ReadonlySet<string> = new Set(['memory', 'sessions']);

const PHONES = 10_000;
const FULL: Size = { rounds: 5, seconds: 5, baselineSeconds: 2, isQuick: false };
const QUICK: Size = { rounds: 2, seconds: 2, baselineSeconds: 1, isQuick: true };

function chooseParts(words: readonly string[]): readonly [string, Part][] {
  const names = words.filter((word) => !word.startsWith('--'));
  const unknown = [
    ...names.filter((name) => !Object.hasOwn(PARTS, name)),
    ...words.filter((word) => word.startsWith('--') && word !== '--quick'),
  ];
  if (unknown.length > 0)
    throw new TypeError(
      `there is no ${unknown.join(', ')}: use --quick and any of ${Object.keys(PARTS).join(', ')}`,
    );
  return Object.entries(PARTS).filter(([name]) =>
    names.length === 0 ? !LONG.has(name) : names.includes(name),
  );
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(words: readonly string[]): Promise<void> {
  const parts = chooseParts(words);
  const size = words.includes('--quick') ? QUICK : FULL;
  const startedAt = new Date().toISOString();
  const cores = await pinCores();
  const bed = await startBed(cores);
  try {
    const machine = await describeMachine(cores.arePinned, bed.postgres.version);
    let phones: Promise<readonly Phone[]> | undefined;
    const bench: Bench = {
      bed,
      baselines: await prepareBaselines(bed),
      size,
      phones: () => (phones ??= seedPhones(bed, PHONES, { haveSessions: true })),
      say,
    };
    const rows: Row[] = [];
    for (const [name, part] of parts) {
      say(`== ${name}`);
      rows.push(...(await part(bench)));
    }
    const command = ['npm run bench', ...(words.length === 0 ? [] : ['--', ...words])].join(' ');
    const judged = rows.map((row) => ({ ...row, isMet: isMet(row.value, row.target) }));
    const commit = await describeCommit();
    const path = await writeReport({ startedAt, ...commit, command, machine, rows: judged });
    process.stdout.write(`${table(rows)}\n\n${path}\n`);
    if (judged.some((row) => !row.isMet)) process.exitCode = 1;
  } finally {
    await bed.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    // Servers are told to go as this process does; their folder stays.
    process.exit(130);
  });
}
await main(process.argv.slice(2));
