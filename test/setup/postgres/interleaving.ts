/**
 * Two or three transactions on connections of their own, moved statement by statement in an order that the test chooses. Whether one waits
 * for a lock is asked of PostgreSQL (pg_stat_activity), never guessed from a clock. The code under test is the real one: the gate is hung on
 * the queries it awaits.
 */
import postgres from 'postgres';
import { vi } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import type { TestDatabase } from '../database.ts';

export type ActorState = 'at_gate' | 'running' | 'waiting_for_lock' | 'committed' | 'failed';

export class Actor {
  readonly name: string;
  /** Rejects as the transaction did. */
  readonly outcome: Promise<unknown>;
  statements = 0;
  error: unknown;
  /** Statements that are begun together stand here in their order. */
  readonly #gates: (() => void)[] = [];
  #underWay = 0;
  #end: 'committed' | 'failed' | undefined;
  #pid = 0;
  readonly #ask: (pid: number) => Promise<boolean>;

  constructor(
    name: string,
    observer: postgres.Sql,
    database: Database,
    tenantId: string,
    work: (tx: Tx) => Promise<unknown>,
  ) {
    this.name = name;
    this.#ask = (pid) => isWaitingForLock(observer, pid);
    this.outcome = database.tenant(tenantId, async (tx) => {
      const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
      this.#pid = row?.pid ?? 0;
      const result = await work(gated(tx, this.#pass));
      // The commit is a step too.
      await this.#gate();
      return result;
    });
    void this.outcome.then(
      () => (this.#end = 'committed'),
      (error: unknown) => {
        this.error = error;
        this.#end = 'failed';
      },
    );
  }

  async state(): Promise<ActorState> {
    if (this.#end !== undefined) return this.#end;
    if (this.#underWay === 0 && this.#gates.length > 0) return 'at_gate';
    return (await this.#ask(this.#pid)) ? 'waiting_for_lock' : 'running';
  }

  /** Until it stands at its next statement, waits for a lock, or is done. */
  async settled(): Promise<ActorState> {
    const look = async (): Promise<ActorState> => {
      const state = await this.state();
      if (state === 'running') throw new Error(`${this.name} is still running`);
      return state;
    };
    return await vi.waitFor(look, { timeout: 10_000, interval: 2 });
  }

  /** Lets one statement (at the end: the commit) through, if it stands at one. */
  async step(): Promise<ActorState> {
    const before = await this.settled();
    if (before !== 'at_gate') return before;
    this.statements += 1;
    this.#gates.shift()?.();
    return await this.settled();
  }

  /** Everything that is left, waiting for locks as long as it takes; somebody must let them go. */
  async end(): Promise<ActorState> {
    const look = async (): Promise<ActorState> => {
      const state = await this.finish();
      if (state === 'waiting_for_lock') throw new Error(`${this.name} still waits for a lock`);
      return state;
    };
    return await vi.waitFor(look, { timeout: 10_000, interval: 2 });
  }

  /** Everything that is left, up to the first lock that somebody else holds. */
  async finish(): Promise<ActorState> {
    for (;;) {
      const state = await this.step();
      if (state === 'committed' || state === 'failed' || state === 'waiting_for_lock') return state;
    }
  }

  async #gate(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#gates.push(resolve);
    });
  }

  /** One statement: to its gate, through it, and back with its answer before the next goes. */
  readonly #pass: Pass = async (run) => {
    await this.#gate();
    this.#underWay += 1;
    try {
      return await run();
    } finally {
      this.#underWay -= 1;
    }
  };
}

type Pass = (run: () => Promise<unknown>) => Promise<unknown>;

export interface Stage {
  actor(name: string, work: (tx: Tx) => Promise<unknown>): Actor;
  close(): Promise<void>;
}

/** Connections for as many actors as there are names; each actor's are closed with the stage. */
export function openStage(database: TestDatabase, tenantId: string): Stage {
  const observer = postgres(database.superuserUrl, { max: 1, onnotice: () => undefined });
  const pools = new Map<string, Database>();
  return {
    actor: (name, work) => {
      let pool = pools.get(name);
      if (pool === undefined) {
        pool = connectDatabase({ url: database.applicationUrl, maxConnections: 1 });
        pools.set(name, pool);
      }
      return new Actor(name, observer, pool, tenantId, work);
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
      await observer.end();
    },
  };
}

async function isWaitingForLock(observer: postgres.Sql, pid: number): Promise<boolean> {
  const rows = await observer`
    select 1 from pg_stat_activity where pid = ${pid} and wait_event_type = 'Lock'
      and wait_event in ('transactionid', 'tuple', 'advisory')`;
  return rows.length > 0;
}

/** A query of postgres.js runs when it is awaited; fragments never are, so they pass ungated. */
function gated(tx: Tx, pass: Pass): Tx {
  return new Proxy(tx, {
    apply: (target, self, args) => {
      const query: unknown = Reflect.apply(target, self, args);
      if (!(query instanceof Promise)) return query;
      const then = query.then.bind(query);
      let isGated = false;
      // oxlint-disable-next-line unicorn/no-thenable -- the query is a promise already: its own `then` is delayed
      query.then = (resolve, reject) => {
        // The driver listens to its own queries once they run: only the first to ask is the code under test.
        if (isGated) return then(resolve, reject);
        isGated = true;
        return pass(() => then()).then(resolve, reject);
      };
      return query;
    },
  });
}

/** Every way to merge two sequences of that many steps, as strings of `a` and `b`. */
export function mergesOf(a: number, b: number): readonly string[] {
  if (a === 0 || b === 0) return ['a'.repeat(a) + 'b'.repeat(b)];
  return [
    ...mergesOf(a - 1, b).map((rest) => `a${rest}`),
    ...mergesOf(a, b - 1).map((rest) => `b${rest}`),
  ];
}

/** Moves both as the letters say, one statement a letter, then to their ends. Answers who had committed, in order. */
export async function play(order: string, a: Actor, b: Actor): Promise<string[]> {
  const committed: string[] = [];
  for (const actor of [a, b])
    void actor.outcome.then(
      () => committed.push(actor.name),
      () => undefined,
    );
  for (const letter of order) await (letter === 'a' ? a : b).step();
  await Promise.all([a.end(), b.end()]);
  return committed;
}
