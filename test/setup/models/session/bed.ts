/**
 * Lives of customers over one API in this process and its database: who takes part, how a round of a life is carried out, and whether what came
 * of it can be put in order. Time stands still but for what a round lets pass.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import postgres from 'postgres';
import { startTestApi } from '../../api.ts';
import type { TestApi, TestClock } from '../../api.ts';
import { describeAction } from './actions.ts';
import type { Round } from './actions.ts';
import { describeCall } from './calls.ts';
import type { Call, SeenRow } from './calls.ts';
import { castOf } from './cast.ts';
import type { Cast } from './cast.ts';
import { Life } from './life.ts';
import { linearize } from '../linearizable.ts';
import { SHORT_LIFETIMES, SHORT_POLICY } from './model-state.ts';
import type { Lifetimes } from './model-state.ts';
import { sessionSpecification } from './specification.ts';
import { doorInto } from './wire.ts';

const GATEWAY = { origin: 'https://api.bank.example', pathPrefix: '/bank', scope: 'accounts:read' };
const QUESTION = {
  htu: 'https://api.bank.example/bank/accounts',
  headers: {
    'x-gateway-id': 'bank',
    'x-original-method': 'GET',
    'x-original-uri': '/bank/accounts',
  },
};
/** Each asks PostgreSQL once; what is waited for comes within a few. */
const MOST_LOOKS = 400;

export interface LifeBed {
  readonly api: TestApi;
  readonly calls: () => number;
  /** A whole life of a new customer. @throws with the history when it cannot be put in order */
  live(rounds: readonly Round[]): Promise<readonly Call[]>;
  close(): Promise<void>;
}

export async function openLifeBed(): Promise<LifeBed> {
  const clock = stoppedClock();
  const api = await startTestApi({
    policy: SHORT_POLICY,
    clock,
    configuration: { gateways: { bank: GATEWAY } },
  });
  const rows = postgres(api.testDatabase.superuserUrl, { max: 2, onnotice: () => undefined });
  let calls = 0;
  return {
    api,
    calls: () => calls,
    live: async (rounds) => {
      const cast = await castOf(api, doorInto(api), QUESTION);
      const life = new Life(cast);
      await life.act({ kind: 'login', holder: 'handset' });
      for (const round of rounds) {
        clock.advance(round.waitMs);
        await act(rows, cast, life, round);
        life.history.look(await lookAt(rows, cast.customerId));
      }
      calls += life.history.calls.length;
      mustBeInOrder(life.history.calls, rounds, SHORT_LIFETIMES);
      return life.history.calls;
    },
    close: async () => {
      await rows.end();
      await api.close();
    },
  };
}

function stoppedClock(): TestClock {
  // Whole seconds, as tokens count.
  let nowMs = Math.ceil(Date.now() / 1000) * 1000;
  return {
    nowMs: () => nowMs,
    advance: (milliseconds) => {
      nowMs += milliseconds;
    },
  };
}

async function act(rows: postgres.Sql, cast: Cast, life: Life, round: Round): Promise<void> {
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
    const { customerId } = cast;
    await (stall === 'session'
      ? holding`select from session where customer_id = ${customerId} for update`
      : holding`select from customer where customer_id = ${customerId} for update`);
    const carried = carryOut();
    await untilNothingMoves(rows, () => underWay);
    return { carried };
  });
  await lanes.carried;
}

/** Every lane that has not come to its end waits for a lock. */
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
export async function lookAt(rows: postgres.Sql, customerId: string) {
  const [customer] = await rows<{ epoch: number; held: boolean }[]>`
    select security_epoch::int as epoch,
      exists (select from hold h where h.customer_id = c.customer_id and h.status = 'active') as held
    from customer c where customer_id = ${customerId}`;
  const sessions = await rows<SeenRow[]>`
    select session_id as id, status = 'live' as "isLive", epoch::int, generation::int, redeliveries::int, troubled::int from session
    where customer_id = ${customerId}`;
  const seen = { epoch: customer?.epoch ?? 0, isHeld: customer?.held ?? false };
  return { ...seen, rows: sessions.map((row) => ({ ...row })) };
}

export function mustBeInOrder(
  calls: readonly Call[],
  rounds: readonly Round[],
  lifetimes: Lifetimes,
): void {
  const verdict = linearize(calls, sessionSpecification(lifetimes));
  if (verdict.isLinearizable) return;
  const lines = [
    'no order of these calls is one that sessions may have:',
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
