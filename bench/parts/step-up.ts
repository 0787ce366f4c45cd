/**
 * A payment from its request to its use, beside a bare workflow with as many local activities and updates on the same server in the same run.
 * Rows and workflows as the API drives them; HTTP and the check of the signatures are left out on both sides.
 */
import { systemClock } from '../../adapters/clock.ts';
import { newId } from '../../adapters/random.ts';
import type { Tx } from '../../db/connection.ts';
import { consumeStepUp } from '../../db/step-up-consume.ts';
import { workflowId } from '../../domain/ids.ts';
import {
  approvalOf,
  asked,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  show,
  STEP_UP_TOOLS,
  submit,
} from '../../test/setup/step-ups.ts';
import type { StepUpCustomer } from '../../test/setup/step-ups.ts';
import { median, medianRatio, percentile } from '../statistics.ts';
import type { Bench, Part, Row } from './part.ts';
import { BARE_QUEUE, standOn } from './step-up-ground.ts';
import type { Ground } from './step-up-ground.ts';

const LANES = 4;
/** More than a lane can use up. */
const CUSTOMERS_A_SECOND = 15;
const WARM_UP = 20;

/** From one request to its use; answers the workflow's id. */
type Life = (ground: Ground, customer: StepUpCustomer) => Promise<string>;

interface Lived {
  readonly latenciesMs: readonly number[];
  /** The id of the last workflow. */
  readonly last: string;
}

export const stepUp: Part = async (bench) => {
  const { ground, close } = await standOn(bench);
  try {
    return await measure(bench, ground);
  } finally {
    await close();
  }
};

async function measure({ size, say }: Bench, ground: Ground): Promise<readonly Row[]> {
  const seconds = Math.max(size.seconds, 3);
  // Unmeasured: both sides' code is compiled, PostgreSQL knows the statements, and Temporal has opened its queues.
  for (const life of [bareLife, ceremony])
    await run(ground, life, { seconds, lanes: LANES, customers: await seed(ground, WARM_UP) });
  const rows: Row[] = [];
  let last = '';
  let lastBare = '';
  for (const lanes of [LANES, 1]) {
    const ours: Lived[] = [];
    const bares: Lived[] = [];
    for (let round = 0; round < size.rounds; round += 1) {
      const customers = await seed(ground, seconds * lanes * CUSTOMERS_A_SECOND);
      const bare = async () =>
        bares.push(await run(ground, bareLife, { seconds, lanes, customers: [...customers] }));
      const own = async () => ours.push(await run(ground, ceremony, { seconds, lanes, customers }));
      // In turns: whoever comes second finds a fuller server.
      for (const side of round % 2 === 0 ? [bare, own] : [own, bare]) await side();
      say(`${String(lanes)} at once, round ${String(round + 1)} of ${String(size.rounds)}`);
    }
    last = ours.at(-1)?.last ?? last;
    lastBare = bares.at(-1)?.last ?? lastBare;
    rows.push(...latencies({ lanes, seconds, ours, bares }));
  }
  const { events, bytes } = await historyOf(ground, last);
  const bare = await historyOf(ground, lastBare);
  return [
    ...rows,
    {
      figure: `events a step-up (${String(bytes)} bytes)`,
      measured: String(events),
      baseline: `${String(bare.events)} bare`,
      value: events,
      unit: 'events',
      target: { bound: 'at most', value: 40 },
      seen: { events, bytes, bareEvents: bare.events, bareBytes: bare.bytes },
    },
  ];
}

function latencies({
  lanes,
  seconds,
  ours,
  bares,
}: {
  readonly lanes: number;
  readonly seconds: number;
  readonly ours: readonly Lived[];
  readonly bares: readonly Lived[];
}): readonly Row[] {
  const at = (rounds: readonly Lived[], share: number) =>
    rounds.map(({ latenciesMs }) => percentile(latenciesMs, share));
  const perSecond = (rounds: readonly Lived[]) =>
    rounds.map(({ latenciesMs }) => latenciesMs.length / seconds);
  const said = (rounds: readonly Lived[], share: number) =>
    `${median(at(rounds, share)).toFixed(1)} ms, ${median(perSecond(rounds)).toFixed(1)}/s`;
  const latency = (name: string, share: number): Row => ({
    figure: `step-up, create → approve → consume, ${String(lanes)} at once, ${name}`,
    measured: said(ours, share),
    baseline: `${said(bares, share)} bare`,
    value: medianRatio(at(ours, share), at(bares, share)),
    unit: 'ratio',
    target: { bound: 'at most', value: 1.5 },
    seen: {
      ours: at(ours, share),
      bare: at(bares, share),
      oursPerSecond: perSecond(ours),
      barePerSecond: perSecond(bares),
    },
  });
  return [latency('p50', 0.5), latency('p99', 0.99)];
}

/** One after the other in each lane, for so long. */
async function run(
  ground: Ground,
  life: Life,
  {
    seconds,
    lanes,
    customers,
  }: {
    readonly seconds: number;
    readonly lanes: number;
    readonly customers: StepUpCustomer[];
  },
): Promise<Lived> {
  const latenciesMs: number[] = [];
  const endsAtMs = performance.now() + seconds * 1000;
  let last = '';
  const lane = async () => {
    while (performance.now() < endsAtMs) {
      const customer = customers.pop();
      if (customer === undefined) return;
      const startedAtMs = performance.now();
      last = await life(ground, customer);
      latenciesMs.push(performance.now() - startedAtMs);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { latenciesMs, last };
}

async function seed({ database, tenantId }: Ground, count: number): Promise<StepUpCustomer[]> {
  const customers: StepUpCustomer[] = [];
  while (customers.length < count) {
    const some = Array.from({ length: 8 }, () =>
      database.tenant(tenantId, (tx) => insertStepUpCustomer(tx, tenantId)),
    );
    customers.push(...(await Promise.all(some)));
  }
  return customers;
}

/** Resolves once the workflow's first activity is done. */
function whenBegun({ begun }: Ground, id: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  begun.set(id, resolve);
  return promise;
}

const ceremony: Life = async (ground, customer) => {
  const { database, gateway, tenantId } = ground;
  const inTenant = <T>(work: (tx: Tx) => Promise<T>) => database.tenant(tenantId, work);
  const stepUpId = await inTenant((tx) => asked(tx, customer));
  const isOpen = whenBegun(ground, stepUpId);
  await gateway.start('step_up', { tenantId, id: stepUpId });
  await isOpen;
  const opened = await inTenant((tx) => show(tx, customer, stepUpId));
  const submissionId = await inTenant((tx) =>
    submit(tx, customer, stepUpId, {
      step: 'step_up_approval',
      payload: approvalOf(customer, opened),
    }),
  );
  const handle = { submissionId, notAfterMs: systemClock.nowMs() + 30_000 };
  const id = workflowId('step_up', tenantId, stepUpId);
  await gateway.update(id, 'approveStepUp', [handle], submissionId);
  const use = { tenantId, stepUpId, requester: PAYMENTS, action: payment('400.00') };
  await inTenant((tx) => consumeStepUp(tx, STEP_UP_TOOLS, use));
  await gateway.signal(id, 'cancel', [{ signalId: stepUpId }]);
  return id;
};

const bareLife: Life = async (ground) => {
  const { client } = ground;
  const id = newId('request');
  const isBegun = whenBegun(ground, id);
  const handle = await client.workflow.start('bareStepUp', {
    workflowId: id,
    taskQueue: BARE_QUEUE,
    args: [{ id }],
  });
  await isBegun;
  await handle.executeUpdate('approve');
  await handle.signal('end');
  return id;
};

async function historyOf(
  { client, gateway }: Ground,
  id: string,
): Promise<{ events: number; bytes: number }> {
  while ((await gateway.describe(id)) === 'running');
  const { historyLength, historySize } = await client.workflow.getHandle(id).describe();
  return { events: historyLength, bytes: historySize ?? 0 };
}
