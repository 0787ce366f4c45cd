/**
 * Lives around approvals over one database, one Temporal namespace and the real step-up workflow: how a round is carried out, and whether what came
 * of a life can be put in order. Time stands still but for what a round lets pass; no timer of a workflow fires by it, so that expiry is
 * judged where it must be: in PostgreSQL.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import postgres from 'postgres';
import { inject } from 'vitest';
import { createStepUpActivities } from '../../../../activities/step-up.ts';
import { systemClock } from '../../../../adapters/clock.ts';
import { connectDatabase } from '../../../../db/connection.ts';
import { createStepUpStore } from '../../../../db/step-up-store.ts';
import { DEFAULT_POLICY } from '../../../../domain/policy.ts';
import { createTemporalGateway } from '../../../../temporal/client.ts';
import { createDataConverter } from '../../../../temporal/data-converter.ts';
import { startWorkerGroup } from '../../../../temporal/worker-group.ts';
import { buildWorkflows } from '../../../../temporal/workflow-bundle.ts';
import { createTestDatabase } from '../../database.ts';
import { ROOMY_POLICY, seedDemoTenant } from '../../demo-tenant.ts';
import { TEST_PAYLOAD_KEYS } from '../../payload-keys.ts';
import { quietTemporal } from '../../temporal/quiet-temporal.ts';
import { linearize } from '../linearizable.ts';
import { insertStepUpCustomer, STEP_UP_TOOLS } from '../../step-ups.ts';
import { createTestNamespace } from '../../temporal.ts';
import { describeAction } from './actions.ts';
import type { Round } from './actions.ts';
import { describeCall } from './calls.ts';
import type { Call } from './calls.ts';
import { Life, SUBMISSION_SECONDS } from './life.ts';
import { stepUpSpecification } from './specification.ts';
import type { ModelPolicy } from './specification.ts';

/** Each asks PostgreSQL once; what is waited for comes within a few. */
const MOST_LOOKS = 400;
const DAY_MS = 24 * 3_600_000;

export interface StepUpBed {
  /** How many calls of each kind came to what, over all lives: a model that never uses an approval proves nothing. */
  readonly tally: ReadonlyMap<string, number>;
  /** A whole life of a new customer. @throws with the history when it cannot be put in order */
  live(rounds: readonly Round[]): Promise<readonly Call[]>;
  close(): Promise<void>;
}

export async function openStepUpBed(): Promise<StepUpBed> {
  quietTemporal();
  const testDatabase = await createTestDatabase();
  const policy = { ...ROOMY_POLICY, stepUp: { ...DEFAULT_POLICY.stepUp, holdOnNotMe: 1 } };
  const tenantId = await seedDemoTenant(testDatabase, { policy });
  let nowMs = Date.parse('2027-03-01T10:00:00Z');
  const connect = () =>
    connectDatabase({
      url: testDatabase.applicationUrl,
      maxConnections: 8,
      testNowMs: () => nowMs,
    });
  const [database, ofWorker] = [connect(), connect()];
  const rows = postgres(testDatabase.superuserUrl, { max: 2, onnotice: () => undefined });
  const temporal = await openTemporal(ofWorker);
  const run = <T>(work: Parameters<typeof database.tenant<T>>[1]) =>
    database.tenant(tenantId, work);
  const ground = { tenantId, gateway: temporal.gateway, nowMs: () => nowMs, run };
  const specification = stepUpSpecification(modelPolicy());
  const tally = new Map<string, number>();
  return {
    tally,
    live: async (rounds) => {
      // A day of its own: what was asked for on another one does not count.
      nowMs += DAY_MS - (nowMs % DAY_MS) + DAY_MS / 4;
      const customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
      const life = new Life(ground, customer);
      await life.act({
        kind: 'go through',
        requester: 'payments',
        amount: '400.00',
        upTo: 'approved',
      });
      for (const round of rounds) {
        nowMs += round.waitMs;
        await act(rows, life, round);
        if (round.isSwept) await life.sweep();
        life.look(await lookAt(rows, life.customerId));
      }
      for (const { kind, answer } of life.calls) count(tally, kind, answer);
      mustBeInOrder(life.calls, rounds, specification);
      return life.calls;
    },
    close: async () => {
      await temporal.close();
      await rows.end();
      await Promise.all([database.close(), ofWorker.close()]);
      await testDatabase.drop();
    },
  };
}

async function openTemporal(database: ReturnType<typeof connectDatabase>) {
  const { address, namespace } = await createTestNamespace();
  const connection = await Connection.connect({ address: inject('servers').temporal.address });
  const native = await NativeConnection.connect({ address });
  const dataConverter = createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS });
  const store = createStepUpStore(database, STEP_UP_TOOLS);
  const workers = await startWorkerGroup({
    connection: native,
    namespace,
    workflows: await buildWorkflows(),
    dataConverter,
    identity: 'test-worker',
    buildId: undefined,
    log: { error: () => undefined },
    activities: {
      sessions: { none: () => Promise.resolve() },
      ceremonies: createStepUpActivities({
        store,
        risk: { evaluate: () => Promise.resolve('low' as const) },
      }),
      revocations: { none: () => Promise.resolve() },
      // Receipts have tests of their own.
      vendors: { sealReceipt: () => Promise.resolve({}) },
    },
  });
  const gateway = createTemporalGateway({
    connection,
    namespace,
    dataConverter,
    identity: 'test-client',
    clock: systemClock,
  });
  return {
    gateway,
    close: async () => {
      workers.shutdown();
      await workers.stopped;
      await gateway.close();
      await native.close();
    },
  };
}

function modelPolicy(): ModelPolicy {
  const { stepUp, otp } = DEFAULT_POLICY;
  return {
    approveMs: stepUp.approveSeconds * 1000,
    consumeMs: stepUp.consumeSeconds * 1000,
    submissionMs: SUBMISSION_SECONDS * 1000,
    maxWrong: otp.maxWrong,
    denialsToPause: stepUp.denialsToPause,
    denialWindowMs: stepUp.denialWindowSeconds * 1000,
    pauseMs: stepUp.pauseSeconds * 1000,
  };
}

async function act(rows: postgres.Sql, life: Life, round: Round): Promise<void> {
  let underWay = round.lanes.length;
  const carryOut = () =>
    Promise.all(
      round.lanes.map(async (lane) => {
        try {
          for (const action of lane) await life.act(action);
        } finally {
          underWay -= 1;
        }
      }),
    );
  if (round.stall === 'none') {
    await carryOut();
    return;
  }
  const { stall } = round;
  const lanes = await rows.begin(async (holding) => {
    const { customerId } = life;
    await (stall === 'ceremony'
      ? holding`select from ceremony where customer_id = ${customerId} order by ceremony_id for update`
      : holding`select from customer where customer_id = ${customerId} for update`);
    const carried = carryOut();
    await untilNothingMoves(rows, () => underWay);
    return { carried };
  });
  await lanes.carried;
}

/** Every lane that has not come to its end waits for a lock, or for a workflow that does. */
async function untilNothingMoves(rows: postgres.Sql, underWay: () => number): Promise<void> {
  for (let looks = 0; looks < MOST_LOOKS && underWay() > 0; looks += 1) {
    const [found] = await rows<{ waiting: number }[]>`
      select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    if ((found?.waiting ?? 0) >= underWay()) return;
    await nextTurn();
  }
}

/** Nothing else may be under way. */
async function lookAt(rows: postgres.Sql, customerId: string) {
  const [customer] = await rows<{ epoch: number; held: boolean; total: string; uses: number }[]>`
    select security_epoch::int as epoch,
      exists (select from hold h where h.customer_id = c.customer_id and h.status = 'active') as held,
      (select coalesce(sum(total_minor), 0) from step_up_spend s where s.customer_id = c.customer_id) as total,
      (select count(*)::int from audit a where a.customer_id = c.customer_id and a.action = 'step_up.consumed') as uses
    from customer c where customer_id = ${customerId}`;
  const found = await rows<{ id: string; stands: string }[]>`
    select ceremony_id as id, coalesce(outcome || '/' || reason, state) as stands from ceremony
    where customer_id = ${customerId} and kind = 'step_up'`;
  return {
    epoch: customer?.epoch ?? 0,
    isHeld: customer?.held ?? false,
    totalMinor: Number(customer?.total ?? 0),
    uses: customer?.uses ?? 0,
    stepUps: Object.fromEntries(found.map(({ id, stands }) => [id, stands])),
  };
}

function count(tally: Map<string, number>, kind: string, answer: Call['answer']): void {
  const word =
    answer === undefined ? 'unheard' : 'refused' in answer ? answer.refused : wordOf(answer);
  const key = `${kind}: ${word}`;
  tally.set(key, (tally.get(key) ?? 0) + 1);
}

function wordOf(answer: object): string {
  return 'isRepeat' in answer && answer.isRepeat === true ? 'repeated' : 'done';
}

function mustBeInOrder(
  calls: readonly Call[],
  rounds: readonly Round[],
  specification: ReturnType<typeof stepUpSpecification>,
): void {
  const verdict = linearize(calls, specification);
  if (verdict.isLinearizable) return;
  const lines = [
    'no order of these calls is one that step-ups may have:',
    ...calls.map(describeCall),
    'in order so far:',
    ...verdict.order.slice(-6).map(describeCall),
    `which leads to ${JSON.stringify(verdict.state)}`,
    'and none of these may be next:',
    ...verdict.stuck.map(describeCall),
    'the rounds of this life:',
    ...rounds.map(
      ({ waitMs, stall, lanes }) =>
        `${String(waitMs)} ms, ${stall}: ${lanes.map((lane) => lane.map(describeAction).join(' > ')).join(' | ')}`,
    ),
  ];
  throw new Error(lines.join('\n'));
}
