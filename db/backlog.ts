/**
 * What waits, read from the rows for whoever watches: the outbox, open ceremonies by step, revocations without a receipt. Numbers and ages
 * only, each from a partial index over rows that are open, so that it stays cheap however long the house has stood.
 */
import type { Database, Tx } from './connection.ts';

export interface Backlog {
  readonly outbox: readonly {
    readonly topic: string;
    readonly pending: number;
    readonly oldestSeconds: number;
  }[];
  readonly dead: readonly { readonly topic: string; readonly rows: number }[];
  readonly ceremonies: readonly {
    readonly kind: string;
    readonly step: string;
    readonly open: number;
  }[];
  readonly revocations: { readonly running: number; readonly oldestSeconds: number };
}

export type BacklogReader = () => Promise<Backlog>;

export function createBacklogReader(database: Database): BacklogReader {
  return async () => {
    const tenants = await database.tenants();
    const parts: Backlog[] = [];
    // One after the other: watching must not take the pool from those who work.
    for (const { tenantId } of tenants)
      parts.push(await database.tenant(tenantId, (tx) => tenantBacklog(tx, tenantId)));
    return {
      outbox: parts.flatMap(({ outbox }) => outbox),
      dead: parts.flatMap(({ dead }) => dead),
      ceremonies: parts.flatMap(({ ceremonies }) => ceremonies),
      revocations: {
        running: parts.reduce((sum, { revocations }) => sum + revocations.running, 0),
        oldestSeconds: Math.max(0, ...parts.map(({ revocations }) => revocations.oldestSeconds)),
      },
    };
  };
}

export async function tenantBacklog(tx: Tx, tenantId: string): Promise<Backlog> {
  // A row that is not due yet waits on purpose; one that was tried has been due since it was written.
  const outbox = await tx<Backlog['outbox'][number][]>`
    with t as materialized (select latchkey_now() as now)
    select topic, count(*) as pending,
      coalesce(extract(epoch from max(t.now - created_at) filter (where attempts > 0 or not_before <= t.now)), 0)::float8 as oldest_seconds
    from outbox, t where tenant_id = ${tenantId} and status = 'pending' group by topic
    union all
    select 'event', count(*), coalesce(extract(epoch from max(t.now - o.created_at)), 0)::float8
    from event_delivery d join outbox o using (tenant_id, outbox_id), t
    where d.tenant_id = ${tenantId} and d.status = 'pending' having count(*) > 0`;
  const dead = await tx<Backlog['dead'][number][]>`
    select topic, count(*) as rows from outbox where tenant_id = ${tenantId} and status = 'dead' group by topic
    union all
    select 'event', count(*) from event_delivery where tenant_id = ${tenantId} and status = 'dead' having count(*) > 0`;
  const ceremonies = await tx<Backlog['ceremonies'][number][]>`
    select kind, state as step, count(*) as open from ceremony
    where tenant_id = ${tenantId} and outcome is null group by kind, state`;
  const [revocations] = await tx<Backlog['revocations'][]>`
    select count(*) as running, coalesce(extract(epoch from max(latchkey_now() - effective_at)), 0)::float8 as oldest_seconds
    from revocation where tenant_id = ${tenantId} and workflow_closed_at is null and status = 'running'`;
  if (revocations === undefined) throw new TypeError('a count answers one row');
  return { outbox: [...outbox], dead: [...dead], ceremonies: [...ceremonies], revocations };
}
