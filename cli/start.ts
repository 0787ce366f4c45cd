/**
 * `latchkey start`: everything on this machine, one summary when it is ready, everything ended by Ctrl-C. Development only: it fills
 * in published secrets, so it must never run in production.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { paymentLog } from '../runtime/demo-payments/payment-log.ts';
import { CHECKOUT } from '../runtime/latchkey-processes.ts';
import { stopRemainingProcesses } from '../runtime/managed-process.ts';
import { ProcessGroup } from '../runtime/process-group.ts';
import { startStack } from '../runtime/stack.ts';
import type { Stack } from '../runtime/stack.ts';
import { readPorts, stackDirectory } from '../runtime/stack-options.ts';
import { StartRecord } from '../runtime/start-record.ts';
import { installRuntime } from '../temporal/runtime-log.ts';
import { LogFiles } from './log-files.ts';
import { stateOfPages, buildPages } from './pages.ts';
import { describeError, say, warn } from './terminal.ts';

export async function start(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { verbose: { type: 'boolean', default: false } },
  });
  refuseProduction();
  const startedMs = performance.now();
  const directory = stackDirectory(process.env, CHECKOUT);
  const ports = readPorts(process.env);
  await mkdir(directory, { recursive: true });
  const record = await StartRecord.take(directory);
  const logs = await LogFiles.open(join(directory, 'logs'), {
    isVerbose: values.verbose,
    show: warn,
  });
  // Before anything connects: the library would write on the terminal in a form of its own.
  installRuntime(
    paymentLog((line) => {
      logs.write('payments', line);
    }),
  );
  const group = new ProcessGroup({ onLine: warn });
  const bringUp = async (): Promise<void> => {
    const pagesAreBuilt = preparePages();
    // Judged when it is awaited; a failure before that must not end the process.
    pagesAreBuilt.catch(() => undefined);
    const stack = await startStack({
      environment: process.env,
      directory,
      ports,
      pagesAreBuilt,
      isSupervised: true,
      onProgress: say,
      onLine: (name, line) => {
        logs.write(name, line);
      },
      adopt: async (member) => {
        if (member.pid !== undefined) await record.addChild(member.pid);
        await group.add(member);
      },
    });
    say(summary(stack, { directory, seconds: (performance.now() - startedMs) / 1000 }));
  };
  bringUp().catch((error: unknown) => {
    if (group.isStopping) return;
    warn(`latchkey: ${describeError(error)}`);
    void group.stop({ exitCode: 1, reason: 'it did not come up' });
  });
  const end = await group.ended;
  await stopRemainingProcesses();
  await record.remove();
  if (end.exitCode === 1) warn(`What each process said is in ${logs.directory}.`);
  // Whatever of the bringing-up still waits has nothing left to wait for.
  process.exit(end.exitCode);
}

function refuseProduction(): void {
  if (process.env['LATCHKEY_MODE'] !== 'production') return;
  throw new Error(
    'LATCHKEY_MODE is production: `start` fills in published demo secrets. Run api/server.ts and worker.ts instead.',
  );
}

async function preparePages(): Promise<void> {
  const state = await stateOfPages();
  if (state === 'current') return;
  say('building the pages');
  try {
    await buildPages();
  } catch (error) {
    if (state === 'missing') throw error;
    // A developer at work on the pages still wants the API.
    warn(`${describeError(error)}\nThe pages of the last build are shown.`);
  }
}

function summary(
  { publicUrl, issuer, operationsUrl, inbox, stageControl }: Stack,
  { directory, seconds }: { readonly directory: string; readonly seconds: number },
): string {
  const rows = [
    ['The stage', stageAddress(publicUrl, stageControl.url)],
    ['API', `${issuer}   (documentation: ${publicUrl}/docs)`],
    ['Operations', `${operationsUrl}   (staff: one click each; Temporal's UI is behind it)`],
    ['Inbox', `${inbox.url}/messages`],
    ['Data and logs', directory],
  ];
  return [
    '',
    `Latchkey is ready, after ${seconds.toFixed(1)} s.`,
    '',
    ...rows.map(([name = '', value = '']) => `  ${name.padEnd(14)} ${value}`),
    '',
    'Open the stage in a browser; Ctrl-C ends everything.',
    '',
  ].join('\n');
}

/** The page looks for stage control at the next port; elsewhere it has to be told. */
function stageAddress(publicUrl: string, stageControlUrl: string): string {
  const [page, control] = [new URL(publicUrl).port, new URL(stageControlUrl).port];
  return Number(control) === Number(page) + 1 ? publicUrl : `${publicUrl}/?control=${control}`;
}
