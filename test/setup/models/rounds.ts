/**
 * Random lives of a customer, whatever they are about: how a round of things that happen at once is carried out, with somebody holding a row until
 * nothing else can go on, and the report of a history that no order explains. What happens, and what must come of it, is each model's own.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type postgres from 'postgres';
import { linearize } from './linearizable.ts';
import type { Specification, Timed } from './linearizable.ts';

/** Each asks PostgreSQL once; what is waited for comes within a few. */
const MOST_LOOKS = 400;

export interface RoundOf<Action, Stall extends string> {
  readonly waitMs: number;
  /** Whose row somebody holds until nothing else can go on, so that all that needs it meets there. */
  readonly stall: 'none' | Stall;
  /** Side by side; what stands in one lane happens one after the other. */
  readonly lanes: readonly (readonly Action[])[];
}

interface Carrying<Action, Stall> {
  readonly rows: postgres.Sql;
  readonly act: (action: Action) => Promise<unknown>;
  /** Locks the row in that transaction. */
  readonly hold: (holding: postgres.TransactionSql, stall: Stall) => Promise<unknown>;
}

export async function carryOut<Action, Stall extends string>(
  { stall, lanes }: RoundOf<Action, Stall>,
  { rows, act, hold }: Carrying<Action, Stall>,
): Promise<void> {
  let underWay = lanes.length;
  const all = () =>
    Promise.all(
      lanes.map(async (lane) => {
        try {
          for (const action of lane) await act(action);
        } finally {
          underWay -= 1;
        }
      }),
    );
  if (stall === 'none') {
    await all();
    return;
  }
  const { carried } = await rows.begin(async (holding) => {
    await hold(holding, stall);
    const begun = all();
    await untilNothingMoves(rows, () => underWay);
    return { carried: begun };
  });
  await carried;
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

interface Life<State, Call extends Timed, Action, Stall extends string> {
  /** What the calls were about, as the report names it. */
  readonly subject: string;
  readonly calls: readonly Call[];
  readonly rounds: readonly RoundOf<Action, Stall>[];
  readonly specification: Specification<State, Call>;
  readonly describeCall: (call: Call) => string;
  readonly describeAction: (action: Action) => string;
}

/** @throws with the history when no order of the calls is one that the specification accepts */
export function mustBeInOrder<State, Call extends Timed, Action, Stall extends string>({
  subject,
  calls,
  rounds,
  specification,
  describeCall,
  describeAction,
}: Life<State, Call, Action, Stall>): void {
  const verdict = linearize(calls, specification);
  if (verdict.isLinearizable) return;
  const lines = [
    `no order of these calls is one that ${subject} may have:`,
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
