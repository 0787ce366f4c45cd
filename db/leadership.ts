/**
 * One at a time among all processes: work done under a session-level advisory lock, on a connection that is held for nothing else. Where a
 * pooler breaks such locks two may work at once; every statement they run is a compare-and-set, so that is waste and never harm.
 */
import postgres from 'postgres';

export type LeaderTask = 'reconciler' | 'sweeper';

/** Any number of our own that tells Latchkey's locks from others in the same database. */
const LOCK_CLASS = 0x1a7c;
const LOCK_OF_TASK = { reconciler: 1, sweeper: 2 } as const satisfies Record<LeaderTask, number>;

export interface Leadership {
  /** Runs the work unless somebody else is at the same task; answers whether it ran. */
  lead(task: LeaderTask, work: () => Promise<void>): Promise<boolean>;
  close(): Promise<void>;
}

export function createLeadership(url: string): Leadership {
  // One connection a task, which is the lock's session. Not a reserved one: without its own question about types the driver never hands one out
  // (porsager/postgres 3.4.9), and that question ends the process when it fails (db/text-array.ts).
  const connect = () =>
    postgres(url, {
      max: 1,
      connect_timeout: 5,
      fetch_types: false,
      connection: { application_name: 'latchkey-leader' },
      onnotice: () => undefined,
    });
  const connections = { reconciler: connect(), sweeper: connect() } as const;
  const underWay = new Set<LeaderTask>();
  return {
    async lead(task, work) {
      // The session that holds the lock would be given it once more.
      if (underWay.has(task)) return false;
      underWay.add(task);
      const connection = connections[task];
      const lock = LOCK_OF_TASK[task];
      try {
        const [row] = await connection<{ locked: boolean }[]>`
          select pg_try_advisory_lock(${LOCK_CLASS}::integer, ${lock}::integer) as locked`;
        if (row?.locked !== true) return false;
        try {
          await work();
        } finally {
          await connection`select pg_advisory_unlock(${LOCK_CLASS}::integer, ${lock}::integer)`;
        }
        return true;
      } finally {
        underWay.delete(task);
      }
    },
    close: async () => {
      await Promise.all(Object.values(connections).map((sql) => sql.end({ timeout: 5 })));
    },
  };
}
