/** The results as a person reads them, and as a file that later runs are compared with. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Row } from './parts/part.ts';
import { isMet } from './statistics.ts';

const run = promisify(execFile);
const RESULTS = join(import.meta.dirname, 'results');

export interface Report {
  readonly startedAt: string;
  readonly commit: string;
  readonly hasLocalChanges: boolean;
  readonly command: string;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly arePinned: boolean;
    readonly node: string;
    readonly postgres: string;
    /** Over the last minute, before anything was measured: others' work on the machine shows here. */
    readonly loadAverage: number;
  };
  readonly rows: readonly (Row & { readonly isMet: boolean })[];
}

export function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.figure,
    row.measured,
    row.baseline,
    valueOf(row.value, row.unit),
    row.floor === undefined ? '–' : floorOf(row.floor, row.unit),
    `${row.target.bound === 'at least' ? '≥' : '≤'} ${String(row.target.value)}`,
    isMet(row.value, row.target) ? 'met' : 'NOT MET',
  ]);
  const cells = [['figure', 'measured', 'held against', 'value', 'floor', 'target', ''], ...lines];
  const widths = cells[0]?.map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  const padded = cells.map((line) =>
    line.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join('  '),
  );
  return padded.join('\n');
}

function floorOf({ value, measured }: NonNullable<Row['floor']>, unit: Row['unit']): string {
  const text = valueOf(value, unit);
  return text === measured ? text : `${text} (${measured})`;
}

function valueOf(value: number, unit: Row['unit']): string {
  if (unit === 'errors' || unit === 'events') return String(value);
  return unit === 'ratio' ? value.toFixed(2) : `${value.toFixed(1)} ${unit}`;
}

/** Answers the file's path, relative to the checkout. */
export async function writeReport(report: Report): Promise<string> {
  await mkdir(RESULTS, { recursive: true });
  const name = `${report.startedAt.slice(0, 19).replaceAll(':', '')}-${report.commit}.json`;
  await writeFile(join(RESULTS, name), `${JSON.stringify(report, undefined, 2)}\n`);
  return `bench/results/${name}`;
}

export async function describeMachine(
  arePinned: boolean,
  postgresVersion: string,
): Promise<Report['machine']> {
  const average = await readFile('/proc/loadavg', 'utf8').catch(() => '');
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    arePinned,
    node: process.version,
    postgres: postgresVersion,
    loadAverage: Number(average.split(' ')[0]),
  };
}

export async function describeCommit(): Promise<Pick<Report, 'commit' | 'hasLocalChanges'>> {
  const git = async (...args: string[]) => (await run('git', args)).stdout.trim();
  return {
    commit: await git('rev-parse', '--short', 'HEAD'),
    hasLocalChanges: (await git('status', '--porcelain')) !== '',
  };
}
