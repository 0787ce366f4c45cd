/**
 * A program for the contract test of the process group: starts a shell that starts a sleeper which ignores SIGTERM, prints the
 * process ids as a line of JSON and waits for its end.
 */
import { startProcess } from '../../../runtime/managed-process.ts';
import { ProcessGroup } from '../../../runtime/process-group.ts';
import { listTree } from '../../../runtime/process-tree.ts';
import { waitUntilReady } from '../../../runtime/readiness.ts';

const say = (line: string) => {
  process.stdout.write(`${line}\n`);
};
const group = new ProcessGroup({ onLine: say });
const stubborn = await startProcess({
  name: 'stubborn',
  command: 'sh',
  args: ['-c', `trap '' TERM; sleep 1000 & sleep 1000`],
  stopGraceMs: Number(process.argv[2] ?? '200'),
});
await group.addProcess(stubborn);
await waitUntilReady(async () => (await listTree(stubborn.pid)).length === 3, {
  what: 'the sleepers',
  timeoutMs: 10_000,
  pollMs: 10,
});
say(JSON.stringify({ tree: await listTree(stubborn.pid) }));
const { exitCode } = await group.ended;
process.exitCode = exitCode;
