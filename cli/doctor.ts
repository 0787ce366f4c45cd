/**
 * `latchkey doctor`: what was found on this machine, what works with it, what is missing and how to get it. It looks and starts
 * nothing that stays; exit code 0 means that `npm start` can work.
 */
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import postgres from 'postgres';
import { findChromium } from '../runtime/browser.ts';
import { isGiven } from '../runtime/demo-environment.ts';
import { CHECKOUT } from '../runtime/latchkey-processes.ts';
import { findPortHolder, isPortTaken } from '../runtime/ports.ts';
import { findPostgresPrograms, findPostgresUser } from '../runtime/postgres-binaries.ts';
import { hasPostgresData } from '../runtime/postgres.ts';
import { portVariable, readPorts, stackDirectory } from '../runtime/stack-options.ts';
import type { StackPorts } from '../runtime/stack-options.ts';
import { findRunningStart } from '../runtime/start-record.ts';
import { canReachDownload } from '../runtime/temporal-download.ts';
import { findLocalTemporal } from '../runtime/temporal-finder.ts';
import type { FinderStep } from '../runtime/temporal-finder.ts';
import { hasTimeSkippingServer } from '../runtime/time-skipping-server.ts';
import { stateOfPages } from './pages.ts';
import { describeError, say } from './terminal.ts';

/** ok: works now · later: will work, at a cost · missing: what depends on it does not work. */
type Verdict = 'ok' | 'later' | 'missing';

interface Finding {
  readonly subject: string;
  readonly verdict: Verdict;
  readonly text: string;
  /** Whether `npm start` needs it; the rest is for tests. */
  readonly isNeededToStart: boolean;
}

type Check = () => Promise<Omit<Finding, 'subject' | 'isNeededToStart'>>;

const CHECKS: readonly (readonly [string, boolean, Check])[] = [
  ['Node', true, checkNode],
  ['PostgreSQL', true, checkPostgres],
  ['Temporal', true, checkTemporal],
  ['Ports', true, checkPorts],
  ['Pages', true, checkPages],
  ['Time-skipping server', false, checkTimeSkipping],
  ['Chromium', false, checkBrowser],
];

export async function doctor(args: readonly string[]): Promise<number> {
  parseArgs({ args: [...args], options: {} });
  const findings: Finding[] = [];
  for (const [subject, isNeededToStart, check] of CHECKS) {
    const found = await check().catch((error: unknown): Awaited<ReturnType<Check>> => ({
      verdict: 'missing',
      text: describeError(error),
    }));
    findings.push({ subject, isNeededToStart, ...found });
  }
  const signs: Readonly<Record<Verdict, string>> = {
    ok: 'ok     ',
    later: 'later  ',
    missing: 'MISSING',
  };
  for (const { subject, verdict, text } of findings) {
    say(`${signs[verdict]} ${subject.padEnd(21)} ${text.replaceAll('\n', `\n${' '.repeat(30)}`)}`);
  }
  const blocking = findings.filter((found) => found.isNeededToStart && found.verdict === 'missing');
  const incomplete = findings.filter(
    (found) => !found.isNeededToStart && found.verdict === 'missing',
  );
  say('');
  say(
    blocking.length === 0
      ? '`npm start` works here.'
      : `\`npm start\` does not work before this is mended: ${names(blocking)}.`,
  );
  if (incomplete.length > 0) say(`Tests that need it fail: ${names(incomplete)}.`);
  return blocking.length === 0 ? 0 : 1;
}

const names = (findings: readonly Finding[]): string =>
  findings.map(({ subject }) => subject).join(', ');

function checkNode(): ReturnType<Check> {
  const isFit = process.features.typescript !== false;
  return Promise.resolve({
    verdict: isFit ? 'ok' : 'missing',
    text: isFit
      ? `${process.version} at ${process.execPath}`
      : `${process.version} runs no TypeScript: npm ci brings the pinned one, npm scripts use it`,
  });
}

async function checkPostgres(): ReturnType<Check> {
  const url = process.env['DATABASE_URL'];
  if (isGiven(process.env, 'DATABASE_URL')) {
    if (url === undefined || url === '')
      return { verdict: 'ok', text: 'DATABASE_URL_FILE is given' };
    const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => undefined });
    try {
      const [row] = await sql<
        { version: string }[]
      >`select current_setting('server_version') as version`;
      return { verdict: 'ok', text: `DATABASE_URL answers, PostgreSQL ${row?.version ?? ''}` };
    } catch (cause) {
      throw new Error('DATABASE_URL does not answer: check it, or unset it for the embedded one', {
        cause,
      });
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
  const { version } = await findPostgresPrograms(await findPostgresUser());
  const directory = stackDirectory(process.env, CHECKOUT);
  const data = (await hasPostgresData(directory)) ? `data in ${directory}` : 'no data yet';
  return { verdict: 'ok', text: `embedded ${version}, ${data}` };
}

async function checkTemporal(): ReturnType<Check> {
  const address = process.env['TEMPORAL_ADDRESS'];
  if (isGiven(process.env, 'TEMPORAL_ADDRESS')) {
    const [host = '', port = ''] = (address ?? '').split(':');
    if (await isPortTaken(Number(port), host)) return { verdict: 'ok', text: `${address} answers` };
    return {
      verdict: 'missing',
      text: `TEMPORAL_ADDRESS ${address} does not answer: check it, or unset it`,
    };
  }
  const steps: FinderStep[] = [];
  const found = await findLocalTemporal(process.env, (step) => steps.push(step));
  if (found !== undefined) return { verdict: 'ok', text: steps.at(-1)?.answer ?? found.executable };
  const looked = steps.map(({ source, answer }) => `${source}: ${answer}`).join('\n');
  if (await canReachDownload()) {
    return { verdict: 'later', text: `the first start downloads it\n${looked}` };
  }
  const go = await versionOf('go', ['version']);
  return go === undefined
    ? {
        verdict: 'missing',
        text: `${looked}\nits download cannot be reached and Go is missing: put \`temporal\` on PATH, or install Go 1.26 (https://go.dev/dl)`,
      }
    : { verdict: 'later', text: `the first start builds it with ${go}, some minutes\n${looked}` };
}

async function checkPorts(): ReturnType<Check> {
  const running = await findRunningStart(stackDirectory(process.env, CHECKOUT));
  if (running !== undefined) {
    return { verdict: 'ok', text: `Latchkey runs already, as process ${running}` };
  }
  const ports = readPorts(process.env);
  const taken: string[] = [];
  // The keys of this object are its type's own.
  for (const name of Object.keys(ports) as (keyof StackPorts)[]) {
    const port = ports[name];
    if (!(await isPortTaken(port))) continue;
    const holder = await findPortHolder(port);
    const by = holder === undefined ? 'somebody' : `${holder.name}, process ${holder.pid}`;
    taken.push(`${port} by ${by}: end it, or set ${portVariable(name)}`);
  }
  return taken.length === 0
    ? { verdict: 'ok', text: Object.values(ports).join(' ') }
    : { verdict: 'missing', text: `taken:\n${taken.join('\n')}` };
}

async function checkPages(): ReturnType<Check> {
  const state = await stateOfPages();
  return state === 'current'
    ? { verdict: 'ok', text: 'built' }
    : { verdict: 'later', text: `${state}: the next start builds them` };
}

async function checkTimeSkipping(): ReturnType<Check> {
  const java = await versionOf('java', ['-version']);
  if (java === undefined) return { verdict: 'missing', text: 'Java 11 or later is missing' };
  if (await hasTimeSkippingServer()) return { verdict: 'ok', text: `in the cache; ${java}` };
  const maven = await versionOf('mvn', ['--version']);
  return maven === undefined
    ? { verdict: 'missing', text: 'Maven is missing, which fetches it once' }
    : { verdict: 'later', text: 'the first test run fetches it by Maven' };
}

async function checkBrowser(): ReturnType<Check> {
  const found = await findChromium();
  if (found !== undefined) return { verdict: 'ok', text: found };
  const canInstall =
    process.getuid?.() === 0 && (await versionOf('apt-get', ['--version'])) !== undefined;
  return canInstall
    ? { verdict: 'later', text: "the first browser test installs Debian's" }
    : { verdict: 'missing', text: 'install Chromium, or set CHROMIUM to the path of one' };
}

/** The first line of what the program says about itself; undefined when it is not there. */
async function versionOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [...args], { timeout: 20_000 });
    return (stdout || stderr).trim().split('\n')[0];
  } catch {
    return undefined;
  }
}
