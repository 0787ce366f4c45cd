/**
 * `npm test`: every check there is, one after the other, going on after a failure. Prints a line as each step begins and
 * ends, a table, and alone on the last line `N passed, N failed`. A skipped test counts as failed; so does a project
 * without tests. It must never report fewer failures than it saw.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countSupplyChain, countVitestReport, formatTable, summaryLine } from './run-report.ts';
import type { StepResult } from './run-report.ts';

const repository = fileURLToPath(new URL('../', import.meta.url));
const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
const checks = ['lint', 'types', 'format:check', 'dead-code', 'build'];
/** Data that others wrote is not kept here; where it lies beside the checkout, it is tested against. */
const vectors = join(repository, '../shared/vectors');
const projects = [
  'unit',
  ...(existsSync(vectors) ? ['vectors'] : []),
  'workflows',
  'replay',
  'contract',
  'api',
  'browser',
  'faults',
  'canary',
  'schemathesis',
];
/** A step that hangs is a failure, not a build that never ends. The longest, the browser's, takes about 25 minutes on two cores. */
const stepDeadlineMs = 40 * 60_000;
/** Enough to see what went wrong without drowning the table. */
const shownCharacters = 20_000;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

interface Finished {
  readonly code: number | null;
  readonly output: string;
}

const runCommand = (command: string, args: readonly string[]): Promise<Finished> =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: repository,
      env: { LATCHKEY_VECTORS: vectors, ...process.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: stepDeadlineMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-shownCharacters);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });

const runCheck = async (name: string): Promise<Omit<StepResult, 'seconds'>> => {
  const { code, output } = await runCommand('npm', ['run', '--silent', name]);
  const isPassed = code === 0;
  if (!isPassed) say(output);
  return { name, passed: isPassed ? 1 : 0, failed: isPassed ? 0 : 1, skipped: 0 };
};

/** Always shown: what could not be looked up is not hidden behind a passed step. */
const runSupplyChain = async (): Promise<Omit<StepResult, 'seconds'>> => {
  const { code, output } = await runCommand('npm', ['run', '--silent', 'supply-chain']);
  say(output.trimEnd());
  const { failures: _shown, ...counts } = countSupplyChain(output, code === 0);
  return { name: 'supply-chain', ...counts };
};

const runProject = async (name: string, folder: string): Promise<Omit<StepResult, 'seconds'>> => {
  const report = join(folder, `${name}.json`);
  const args = ['run', '--project', name, '--reporter=json', `--outputFile=${report}`];
  const { code, output } = await runCommand(process.execPath, [vitest, ...args]);
  const { failures, ...counts } = countVitestReport(readReport(report), code === 0);
  if (counts.failed > 0) say([...failures, output].join('\n'));
  return { name, ...counts };
};

const readReport = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Vitest died before it could write one; countVitestReport makes a failure of it.
    return undefined;
  }
};

const main = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-test-'));
  const steps = [
    ...checks.map((name) => ({ name, run: () => runCheck(name) })),
    { name: 'supply-chain', run: runSupplyChain },
    ...projects.map((name) => ({ name, run: () => runProject(name, folder) })),
  ];
  const results: StepResult[] = [];
  for (const [index, { name, run }] of steps.entries()) {
    say(`[${index + 1}/${steps.length}] ${name} …`);
    const startedMs = performance.now();
    const result = { ...(await run()), seconds: (performance.now() - startedMs) / 1000 };
    results.push(result);
    const counts = `${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`;
    say(`[${index + 1}/${steps.length}] ${name}: ${counts} in ${result.seconds.toFixed(1)} s`);
  }
  rmSync(folder, { recursive: true, force: true });
  say(`\n${formatTable(results)}\n`);
  const summary = summaryLine(results);
  if (summary.failed > 0) process.exitCode = 1;
  say(summary.line);
};

await main();
