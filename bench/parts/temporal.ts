/** The hot path with Temporal running, and with Temporal stopped: it must not notice (DESIGN.md section 1, rule 1). */
import { join } from 'node:path';
import { startWorker } from '../../runtime/latchkey-processes.ts';
import type { ManagedProcess } from '../../runtime/managed-process.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { findTemporal } from '../../runtime/temporal-finder.ts';
import { startTemporalServer } from '../../runtime/temporal-server.ts';
import type { TemporalServer } from '../../runtime/temporal-server.ts';
import { runOpen } from '../load.ts';
import type { Measured, Operation } from '../load.ts';
import { logins, refreshes, turns, verifications } from '../operations.ts';
import { median, medianRatio, percentile } from '../statistics.ts';
import { withoutErrors } from './part.ts';
import type { Bench, Part, Row } from './part.ts';
import { ACTIVE_PHONES, giveTokens, phonesWithoutSessions } from './throughput.ts';

const NAMESPACE = 'latchkey';
const CONNECTIONS = 64;
/** Far from the top, so that a difference is Temporal's and not a queue's. */
const PER_SECOND = { refresh: 150, login: 20, verify: 300, revoke: 0 } as const;

export const temporal: Part = async (bench) => {
  const { bed, size, say } = bench;
  const server = await startServer(bench);
  let worker: ManagedProcess | undefined;
  try {
    await bed.startApi({ TEMPORAL_ADDRESS: server.address });
    worker = await startWorkerOf(bench, server.address);
    const operations = await operationsOf(bench);
    const seen = operations.map((operation) => ({
      operation,
      running: [] as Measured[],
      stopped: [] as Measured[],
    }));
    for (let round = 0; round < size.rounds; round += 1) {
      await server.start();
      await giveTokens(bench);
      for (const { operation, running } of seen) running.push(await measure(bench, operation));
      await server.stop();
      for (const { operation, stopped } of seen) stopped.push(await measure(bench, operation));
      say(`round ${String(round + 1)} of ${String(size.rounds)}`);
    }
    return seen.flatMap(({ operation, running, stopped }) =>
      rowsOf(operation.name, running, stopped),
    );
  } finally {
    await worker?.kill();
    await server.stop();
    await bed.startApi();
  }
};

async function operationsOf(bench: Bench): Promise<readonly Operation[]> {
  const { bed } = bench;
  const phones = await bench.phones();
  return [
    refreshes(bed, turns(phones)),
    logins(bed, turns(await phonesWithoutSessions(bench))),
    verifications(bed, turns(phones.slice(0, ACTIVE_PHONES))),
  ];
}

async function measure({ bed, size }: Bench, operation: Operation): Promise<Measured> {
  const load = {
    port: bed.port,
    connections: CONNECTIONS,
    perSecond: PER_SECOND[operation.name],
    seconds: size.seconds,
  };
  return withoutErrors(operation.name, await runOpen(operation, load));
}

function rowsOf(name: string, running: readonly Measured[], stopped: readonly Measured[]): Row[] {
  const p99 = (rounds: readonly Measured[]) =>
    rounds.map(({ latenciesMs }) => percentile(latenciesMs, 0.99));
  const [before, after] = [p99(running), p99(stopped)];
  return [
    {
      figure: `${name} with Temporal stopped, errors`,
      // The first one would have ended the run.
      measured: '0',
      baseline: '–',
      value: 0,
      unit: 'errors',
      target: { bound: 'at most', value: 0 },
      seen: { requests: stopped.map(({ requests }) => requests) },
    },
    {
      figure: `${name} with Temporal stopped, p99`,
      measured: `${median(after).toFixed(1)} ms`,
      baseline: `${median(before).toFixed(1)} ms running`,
      value: medianRatio(after, before),
      unit: 'ratio',
      target: { bound: 'at most', value: 1.2 },
      seen: { running: before, stopped: after },
    },
  ];
}

/** One address, over the same file each time. */
async function startServer({ bed }: Bench) {
  const { executable } = await findTemporal({ onProgress: () => undefined });
  const options = {
    executable,
    port: await findFreePort(),
    namespace: NAMESPACE,
    databaseFile: join(bed.directory, 'temporal.db'),
  };
  let running: TemporalServer | undefined = await startTemporalServer(options);
  return {
    address: running.address,
    start: async () => {
      running ??= await startTemporalServer(options);
    },
    stop: async () => {
      await running?.process.kill();
      running = undefined;
    },
  };
}

/** @throws Error with what the worker said, when it ends before its build is current: nobody else would ever say so. */
async function startWorkerOf({ bed, say }: Bench, address: string): Promise<ManagedProcess> {
  const said: string[] = [];
  const host = {
    adopt: () => Promise.resolve(),
    onLine: (_name: string, line: string) => {
      said.push(line);
      if (said.length > 20) said.shift();
    },
  };
  const environment = bed.environment({ TEMPORAL_ADDRESS: address });
  const worker = await startWorker(host, environment, { address, namespace: NAMESPACE });
  const ended = worker.exited.then(() => undefined);
  const buildId = await Promise.race([worker.promoted, ended]);
  if (buildId === undefined) {
    await worker.kill();
    throw new Error(`the worker did not come up:\n${said.join('\n')}`);
  }
  say(`worker's build: ${buildId}`);
  return worker;
}
