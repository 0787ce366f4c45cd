/**
 * Lives around approvals over one API, one database, one Temporal namespace and the real step-up workflow: how a round is carried out, and whether what came
 * of a life can be put in order. Time stands still but for what a round lets pass; no timer of a workflow fires by it, so that expiry is
 * judged where it must be: in PostgreSQL.
 */
import postgres from 'postgres';
import { createStepUpActivities } from '../../../../activities/step-up.ts';
import { connectDatabase } from '../../../../db/connection.ts';
import { createStepUpStore } from '../../../../db/step-up-store.ts';
import { DEFAULT_POLICY } from '../../../../domain/policy.ts';
import { startTestApi } from '../../api.ts';
import { ROOMY_POLICY } from '../../demo-tenant.ts';
import { carryOut, mustBeInOrder } from '../rounds.ts';
import { openTestTemporal } from '../../temporal/test-temporal.ts';
import { STEP_UP_TOOLS } from '../../step-ups.ts';
import { describeAction } from './actions.ts';
import type { Round } from './actions.ts';
import { openServices } from './callers.ts';
import { describeCall } from './calls.ts';
import type { Call } from './calls.ts';
import { Life, SUBMISSION_SECONDS } from './life.ts';
import { stepUpSpecification } from './specification.ts';
import type { ModelPolicy } from './specification.ts';

const DAY_MS = 24 * 3_600_000;

export interface StepUpBed {
  /** How many calls of each kind came to what, over all lives: a model that never uses an approval proves nothing. */
  readonly tally: ReadonlyMap<string, number>;
  /** A whole life of a new customer. @throws with the history when it cannot be put in order */
  live(rounds: readonly Round[]): Promise<readonly Call[]>;
  close(): Promise<void>;
}

export async function openStepUpBed(): Promise<StepUpBed> {
  const policy = { ...ROOMY_POLICY, stepUp: { ...DEFAULT_POLICY.stepUp, holdOnNotMe: 1 } };
  let nowMs = Date.parse('2027-03-01T10:00:00Z');
  const temporal = await openTestTemporal();
  const { personalData, otpCodes } = STEP_UP_TOOLS;
  const api = await startTestApi({
    policy,
    temporal: temporal.gateway,
    clock: { nowMs: () => nowMs, advance: (milliseconds) => (nowMs += milliseconds) },
    // The API and the worker of one bank.
    dependencies: { personalData, otpCodes },
  });
  const { tenantId, testDatabase } = api;
  const connect = () =>
    connectDatabase({
      url: testDatabase.applicationUrl,
      maxConnections: 8,
      testNowMs: () => nowMs,
    });
  const [database, ofWorker] = [connect(), connect()];
  const rows = postgres(testDatabase.superuserUrl, { max: 2, onnotice: () => undefined });
  const services = await openServices(api, rows);
  await temporal.work({
    activities: {
      ceremonies: createStepUpActivities({
        store: createStepUpStore(ofWorker, STEP_UP_TOOLS),
        risk: { evaluate: () => Promise.resolve('low' as const) },
      }),
    },
  });
  const run = <T>(work: Parameters<typeof database.tenant<T>>[1]) =>
    database.tenant(tenantId, work);
  const ground = { api, services, tenantId, gateway: temporal.gateway, nowMs: () => nowMs, run };
  const specification = stepUpSpecification(modelPolicy());
  const tally = new Map<string, number>();
  return {
    tally,
    live: async (rounds) => {
      // A day of its own: what was asked for on another one does not count.
      nowMs += DAY_MS - (nowMs % DAY_MS) + DAY_MS / 4;
      const life = await Life.begin(ground);
      await life.renewTokens();
      await life.act({
        kind: 'go through',
        requester: 'payments',
        amount: '400.00',
        upTo: 'approved',
      });
      for (const round of rounds) {
        nowMs += round.waitMs;
        await life.renewTokens();
        await carryOut(round, {
          rows,
          act: (action) => life.act(action),
          hold: holdRowsOf(life.customerId),
        });
        if (round.isSwept) await life.sweep();
        life.look(await lookAt(rows, life.customerId));
      }
      for (const { kind, answer } of life.calls) count(tally, kind, answer);
      const { calls } = life;
      mustBeInOrder({
        subject: 'step-ups',
        calls,
        rounds,
        specification,
        describeCall,
        describeAction,
      });
      return life.calls;
    },
    close: async () => {
      await temporal.close();
      await rows.end();
      await Promise.all([database.close(), ofWorker.close()]);
      await api.close();
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
    unansweredToPause: stepUp.unansweredToPause,
    unansweredWindowMs: stepUp.unansweredWindowSeconds * 1000,
  };
}

function holdRowsOf(customerId: string) {
  return (holding: postgres.TransactionSql, stall: 'ceremony' | 'customer') =>
    stall === 'ceremony'
      ? holding`select from ceremony where customer_id = ${customerId} order by ceremony_id for update`
      : holding`select from customer where customer_id = ${customerId} for update`;
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
