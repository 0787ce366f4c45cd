/**
 * What a fault test needs beside a whole Latchkey: a process told to die or to hold still at a named place and proof that it was there, the
 * rows as they really are, and the workflows that Temporal knows. It never repairs anything: coming back is Latchkey's own business.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { expect, vi } from 'vitest';
import { systemClock } from '../../adapters/clock.ts';
import type { FailPointName } from '../../domain/fail-point.ts';
import { DEMO_FRAUD_KEY } from '../../runtime/demo-secrets.ts';
import { reachedMarker } from '../../adapters/fail-point.ts';
import { CHECKOUT } from '../../runtime/latchkey-processes.ts';
import { MachineClient } from '../../runtime/machine-client.ts';
import { nodeExecutable } from '../../runtime/node-executable.ts';
import { FAULT_ORDER } from './stack.ts';
import type { TestStack } from './stack.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };

type Part = 'api' | 'worker';

export interface Fault {
  /** Returns when the process has killed itself at its fail point; fails when anything else ended it. */
  reached(): Promise<void>;
}

/** The running process is to die when it comes to `name` next. */
export async function armFault(stack: TestStack, part: Part, name: FailPointName): Promise<Fault> {
  const order = await giveOrder(stack, `kill ${name}`);
  const armed = stack[part]();
  return {
    reached: async () => {
      const { signal } = await armed.exited;
      const wasReached = existsSync(reachedMarker(order));
      expect({ signal, wasReached }, `the ${part} at ${name}`).toEqual({
        signal: 'SIGKILL',
        wasReached: true,
      });
    },
  };
}

export interface Hold {
  /** Returns when the process stands still at its fail point. */
  reached(): Promise<void>;
  /** Lets it go on from there. */
  resume(): void;
}

/** The running process is to stand still when it comes to `name` next, so that something else can be killed at that very moment. */
export async function armHold(stack: TestStack, part: Part, name: FailPointName): Promise<Hold> {
  const order = await giveOrder(stack, `hold ${name}`);
  const { pid } = stack[part]();
  return {
    reached: () =>
      vi.waitFor(() => {
        if (!existsSync(reachedMarker(order))) throw new Error(`the ${part} is not at ${name}`);
      }, PATIENCE),
    resume: () => {
      process.kill(pid, 'SIGCONT');
    },
  };
}

/** Written beside and moved there as a whole: the processes read it whenever they pass a fail point. */
async function giveOrder({ directory }: TestStack, text: string): Promise<string> {
  const order = join(directory, FAULT_ORDER);
  await rm(reachedMarker(order), { force: true });
  await writeFile(`${order}.new`, text);
  await rename(`${order}.new`, order);
  return order;
}

/** Starts the process anew, as whoever runs it in production would; returns when it works. */
export async function restart(
  stack: TestStack,
  part: Part,
  changes: Readonly<Record<string, string>> = {},
) {
  const readyLines = () => stack.lines(part).filter((line) => READY[part].test(line)).length;
  const before = readyLines();
  const started = await (part === 'api' ? stack.startApi(changes) : stack.startWorker(changes));
  await vi.waitFor(() => {
    if (readyLines() === before) throw new Error(`the ${part} is not ready`);
  }, PATIENCE);
  return started;
}

/** The command that an operator has, with the environment of the stack; answers what it says. @throws when it does not exit with 0 */
export async function latchkey(stack: TestStack, ...args: readonly string[]): Promise<string> {
  const program = join(CHECKOUT, 'cli/latchkey.ts');
  const options = { env: stack.environment };
  return (await promisify(execFile)(nodeExecutable(), [program, ...args], options)).stdout;
}

const READY = { api: /"api listens"/, worker: /"worker ready"/ } as const;

/** The rows, past row-level security. */
export function openRows({ database }: Pick<TestStack, 'database'>): postgres.Sql {
  return postgres(database.superuserUrl, {
    max: 1,
    transform: postgres.camel,
    onnotice: () => undefined,
  });
}

/**
 * Lets the leases of a killed relay run out now instead of after their 30 s: the row's own end is moved, no clock. Only when the process
 * that held them is dead.
 */
export async function endLeases(rows: postgres.Sql): Promise<void> {
  await rows`update outbox set leased_until = latchkey_now() where status = 'pending' and leased_until is not null`;
}

/** As above, for the keys of requests whose API was killed under them: they may be taken over now instead of after 30 s. */
export async function abandonClaims(rows: postgres.Sql): Promise<void> {
  await rows`
    update idempotency set created_at = created_at - interval '30 seconds' where reference is null and status is null`;
}

/** A second listing long after every transaction had to end makes a test wait: 2 s do for one that has none open. */
export async function shortenSecondListing(rows: postgres.Sql): Promise<void> {
  await rows`update policy set document = jsonb_set(document, '{revocation,secondListingSeconds}', '2')`;
}

/** The demo's fraud engine, with a token of its own. */
export function fraudEngine({ issuer }: Pick<TestStack, 'issuer'>): MachineClient {
  return new MachineClient({
    issuer,
    clientId: 'demo-fraud',
    key: DEMO_FRAUD_KEY,
    scope: 'fraud:signal fraud:release',
    clock: systemClock,
  });
}

export interface Sealed {
  readonly status: string;
  readonly workflowsClosedAt?: string;
  readonly receipt: {
    readonly rowsEndedAt: string;
    readonly secondListingEmptyAt: string;
    readonly stopped: Readonly<
      Record<'devices' | 'credentials' | 'sessions' | 'ceremonies', number>
    >;
  };
}

/** Watches a revocation until its receipt is sealed and every workflow that it woke has closed. */
export async function watchRevocation(
  engine: MachineClient,
  revocationId: string,
): Promise<Sealed> {
  return await vi.waitFor(async () => {
    const answer = await engine.call({ method: 'GET', path: `/fraud/revocations/${revocationId}` });
    // The schema of the operation says so.
    const view = (await answer.json()) as Sealed;
    if (view.status !== 'sealed' || view.workflowsClosedAt === undefined)
      throw new Error(JSON.stringify(view));
    return view;
  }, PATIENCE);
}

export interface KnownWorkflow {
  readonly workflowId: string;
  readonly status: string;
}

export interface TemporalEyes {
  /** Every run whose workflow id is this one or a successor of it (`…~1`). */
  runsOf(workflowId: string): Promise<readonly KnownWorkflow[]>;
  /** How many updates a workflow has accepted, and how many of them it has answered. */
  updatesOf(workflowId: string): Promise<{ readonly accepted: number; readonly answered: number }>;
  /** The builds of the workers that worked on a workflow, in the order of their first work. */
  buildsOf(workflowId: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Asks Temporal itself; open it while Temporal is up. */
export async function openTemporalEyes({
  temporalAddress,
  namespace,
}: Pick<TestStack, 'temporalAddress' | 'namespace'>): Promise<TemporalEyes> {
  const connection = await Connection.connect({ address: temporalAddress, connectTimeout: 10_000 });
  const client = new Client({ connection, namespace });
  return {
    runsOf: async (workflowId) => {
      const found: KnownWorkflow[] = [];
      for await (const run of client.workflow.list({
        query: `WorkflowId STARTS_WITH "${workflowId}"`,
      }))
        found.push({ workflowId: run.workflowId, status: run.status.name });
      return found;
    },
    updatesOf: async (workflowId) => {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      const count = (isMeant: (event: NonNullable<typeof events>[number]) => unknown) =>
        (events ?? []).filter((event) => isMeant(event)).length;
      return {
        accepted: count((event) => event.workflowExecutionUpdateAcceptedEventAttributes),
        answered: count((event) => event.workflowExecutionUpdateCompletedEventAttributes),
      };
    },
    buildsOf: async (workflowId) => {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      const builds = (events ?? []).flatMap(
        ({ workflowTaskCompletedEventAttributes: task }) => task?.deploymentVersion?.buildId ?? [],
      );
      return [...new Set(builds)];
    },
    close: () => connection.close(),
  };
}
