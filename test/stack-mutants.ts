/** Recovery switched off where a whole Latchkey is started, stands and ends: of test/faults/start.test.ts and stack.test.ts. Part of test/fault-mutants.ts. */
import type { Mutant } from './mutants.ts';

const START = { project: 'faults', test: 'test/faults/start.test.ts' } as const;
const STACK = { project: 'faults', test: 'test/faults/stack.test.ts' } as const;

export const STACK_MUTANTS: readonly Mutant[] = [
  {
    name: 'fault: what a killed start left running is left alone',
    file: 'runtime/start-record.ts',
    from: "  await signalAll(left, 'SIGTERM');\n  await endTree(trees.flat(), ORDERLY_END_MS);",
    to: '  if (trees.length < 0) await endTree(trees.flat(), ORDERLY_END_MS);',
    ...START,
    only: 'starts again after kill -9',
  },
  {
    name: 'fault: a second start beside one that runs is let in',
    file: 'runtime/start-record.ts',
    from: 'if ((await listAlive([earlier.self])).length > 0) throw new AlreadyRunning(earlier.self.pid);\n      await endLeftovers',
    to: 'if ((await listAlive([earlier.self])).length === 0) await endLeftovers',
    ...START,
    only: 'refuses a second one beside it',
  },
  {
    name: 'fault: what an earlier start made is not taken over',
    file: 'runtime/postgres.ts',
    from: 'if (found.trim() === major) return;',
    to: '',
    // The whole file: an earlier start is the test before.
    ...START,
  },
  {
    name: 'fault: the parts of a start are not told to end',
    file: 'runtime/managed-process.ts',
    from: 'if (isRunning) process.kill(pid, stopSignal);',
    to: 'if (!isRunning) return;',
    ...START,
    only: 'starts again over the same data',
  },
  {
    name: 'fault: a server that dies leaves the others running',
    file: 'runtime/process-group.ts',
    from: 'void this.stop({ exitCode: 1, reason: `${member.name} ended unexpectedly` });',
    to: '',
    ...START,
    only: 'ends as a whole, with a reason',
  },
  {
    name: 'fault: a connection to Temporal that broke is not made again',
    file: 'temporal/connection.ts',
    from: 'connectTimeout: LAZY_TIMEOUT_MS,',
    to: "connectTimeout: LAZY_TIMEOUT_MS,\n    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 3_600_000, 'grpc.max_reconnect_backoff_ms': 3_600_000 },",
    ...STACK,
    only: 'names Temporal while it is down',
  },
  {
    name: 'fault: an API makes its signing keys anew at each start',
    file: 'db/signing-keys.ts',
    from: 'active_from <= t.now as is_due',
    to: 'active_from > t.now as is_due',
    ...STACK,
    only: 'returns with the API after kill -9',
  },
];
