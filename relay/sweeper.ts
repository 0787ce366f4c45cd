/** The sweeper's loop: one process at a time, tenant by tenant. What it sweeps and why is in db/sweeping.ts. */
import type { Leadership } from '../db/leadership.ts';
import type { SweepPort } from '../db/sweeping.ts';
import { startLoop } from './loop.ts';
import type { Loop, RelayLog } from './loop.ts';
import type { RelayMetrics } from './metrics.ts';

export interface SweeperOptions {
  readonly sweeps: SweepPort;
  readonly leadership: Pick<Leadership, 'lead'>;
  readonly metrics: RelayMetrics;
  readonly log: RelayLog;
  readonly everyMs?: number;
}

/** One round, unless another process is at it: every tenant, whatever happens to the others. @throws AggregateError once all were tried */
export async function sweepOnce({ sweeps, leadership, metrics }: SweeperOptions): Promise<void> {
  const isLeader = await leadership.lead('sweeper', async () => {
    const faults: unknown[] = [];
    for (const tenantId of await sweeps.tenantIds()) {
      try {
        metrics.swept(await sweeps.sweepTenant(tenantId));
      } catch (error) {
        faults.push(error);
      }
    }
    await sweeps.emptyDpopSlots();
    if (faults.length > 0) throw new AggregateError(faults, 'some tenants were not swept whole');
  });
  metrics.led('sweeper', isLeader);
}

export function startSweeper(options: SweeperOptions): Loop {
  const { everyMs = 30_000, metrics, log } = options;
  return startLoop({ name: 'sweeper', everyMs, metrics, log }, async () => {
    await sweepOnce(options);
    return undefined;
  });
}
