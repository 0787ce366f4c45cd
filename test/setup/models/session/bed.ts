/**
 * Lives of customers over one API in this process and its database: who takes part, how a round of a life is carried out, and whether what came
 * of it can be put in order. Time stands still but for what a round lets pass.
 */
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
import { carryOut, mustBeInOrder as mustHaveAnOrder } from '../rounds.ts';
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
        await carryOut(round, { rows, act: (action) => life.act(action), hold: holdRowsOf(cast) });
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

function holdRowsOf({ customerId }: Cast) {
  return (holding: postgres.TransactionSql, stall: 'session' | 'customer') =>
    stall === 'session'
      ? holding`select from session where customer_id = ${customerId} for update`
      : holding`select from customer where customer_id = ${customerId} for update`;
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
  const specification = sessionSpecification(lifetimes);
  mustHaveAnOrder({
    subject: 'sessions',
    calls,
    rounds,
    specification,
    describeCall,
    describeAction,
  });
}
