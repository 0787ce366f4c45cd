/**
 * Compares rows and workflows both ways and heals each difference: an open row whose workflow is closed or gone gets a numbered successor,
 * an ended row whose workflow is still open wakes it. It must heal the loss of Temporal itself, so it is a loop of the relay and no
 * workflow; one process at a time does it. It never moves a row's state: workflows and transactions do.
 */
import type { Leadership } from '../db/leadership.ts';
import type { ReconciliationPort } from '../db/reconciliation-port.ts';
import type { TrackedRow } from '../db/reconciliation.ts';
import type { Clock } from '../domain/clock.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { workflowId } from '../domain/ids.ts';
import type { WorkflowKind } from '../domain/ids.ts';
import { KINDS, RECONCILED_KINDS, startKind } from './kinds.ts';
import type { WorkflowCalls } from './kinds.ts';
import { startLoop } from './loop.ts';
import type { Loop, RelayLog } from './loop.ts';
import type { RelayMetrics } from './metrics.ts';

export interface ReconcilerOptions {
  readonly rows: ReconciliationPort;
  readonly calls: WorkflowCalls;
  readonly leadership: Pick<Leadership, 'lead'>;
  readonly clock: Clock;
  readonly metrics: RelayMetrics;
  readonly log: RelayLog;
  readonly everyMs?: number;
  /** A younger row's start or wake may still be under way. */
  readonly settledMs?: number;
  /** Rows looked at in a round, for each tenant, kind and direction. */
  readonly pageSize?: number;
}

export interface Reconciler {
  /** One round, unless another process is at it. */
  reconcileOnce(): Promise<void>;
}

/** Remembers where it stopped: live sessions are walked a page a round, because there may be millions. */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  const cursors = new Map<string, string>();
  return {
    async reconcileOnce() {
      try {
        const isLeader = await options.leadership.lead('reconciler', () =>
          reconcileAll(options, cursors),
        );
        options.metrics.led('reconciler', isLeader);
      } catch (error) {
        // Without Temporal there is nothing to compare with; the next round is soon enough.
        if (error instanceof LatchkeyError && error.code === 'temporal_unavailable') return;
        throw error;
      }
    },
  };
}

export function startReconciler(options: ReconcilerOptions): Loop {
  const { everyMs = 10_000, metrics, log } = options;
  const reconciler = createReconciler(options);
  return startLoop({ name: 'reconciler', everyMs, metrics, log }, async () => {
    await reconciler.reconcileOnce();
    return undefined;
  });
}

async function reconcileAll(
  options: ReconcilerOptions,
  cursors: Map<string, string>,
): Promise<void> {
  for (const tenantId of await options.rows.tenantIds()) {
    for (const kind of RECONCILED_KINDS) {
      for (const isEnded of [true, false]) {
        await reconcilePage(options, cursors, { tenantId, kind, isEnded });
      }
    }
  }
}

async function reconcilePage(
  options: ReconcilerOptions,
  cursors: Map<string, string>,
  page: { readonly tenantId: string; readonly kind: WorkflowKind; readonly isEnded: boolean },
): Promise<void> {
  const key = `${page.tenantId}/${page.kind}/${String(page.isEnded)}`;
  const limit = options.pageSize ?? 100;
  const rows = await options.rows.list({
    ...page,
    settledMs: options.settledMs ?? 30_000,
    afterId: cursors.get(key) ?? '',
    limit,
  });
  for (const row of rows) {
    if (row.isEnded) await closeEnded(options, page.tenantId, page.kind, row);
    else await reviveOpen(options, page.tenantId, page.kind, row);
  }
  const last = rows.at(-1);
  if (last === undefined || rows.length < limit) cursors.delete(key);
  else cursors.set(key, last.id);
}

async function closeEnded(
  { rows, calls, metrics, log }: ReconcilerOptions,
  tenantId: string,
  kind: WorkflowKind,
  { id, healCount }: TrackedRow,
): Promise<void> {
  const workflow = workflowId(kind, tenantId, id, healCount);
  if ((await calls.describe(workflow)) === 'running') {
    log.warn({ workflowId: workflow }, 'a workflow is open although its row has ended: waking it');
    await KINDS[kind].wake(calls, { tenantId, id, healCount }, 'reconciler');
    metrics.healed(kind, 'open');
    return;
  }
  if (await rows.markClosed({ tenantId, kind, id })) metrics.markedClosed(kind);
}

async function reviveOpen(
  { rows, calls, clock, metrics, log }: ReconcilerOptions,
  tenantId: string,
  kind: WorkflowKind,
  row: TrackedRow,
): Promise<void> {
  const { id, healCount } = row;
  const status = await calls.describe(workflowId(kind, tenantId, id, healCount));
  if (status === 'running') return;
  // Counted first: should the start fail, the next round finds this number missing too and takes the next.
  if (!(await rows.countHeal({ tenantId, kind, id, healCount }))) return;
  const successor = { ...row, tenantId, healCount: healCount + 1 };
  await startKind(calls, kind, successor, clock.nowMs());
  metrics.healed(kind, 'missing');
  const started = workflowId(kind, tenantId, id, healCount + 1);
  log.warn({ workflowId: started, found: status }, 'an open row had no workflow: started one');
}
