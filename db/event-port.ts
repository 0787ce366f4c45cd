/** Events as the relay sees them: each call one short transaction bound to a tenant, under one claimer's name. */
import { appendAudit } from './audit.ts';
import type { Database, TenantEntry } from './connection.ts';
import { claimEvents, numberEvents, settleEvent, stopSink } from './events.ts';
import type { ClaimedEvent, EventOutcome } from './events.ts';

export interface EventPort {
  tenants(): Promise<readonly TenantEntry[]>;
  number(tenantId: string, sinks: readonly string[], limit: number): Promise<number>;
  claim(tenantId: string, sink: string, limit: number): Promise<readonly ClaimedEvent[]>;
  /** false: the lease was lost. */
  settle(tenantId: string, sink: string, outboxId: string, outcome: EventOutcome): Promise<boolean>;
  /** With its audit row. */
  stop(tenantId: string, sink: string, reason: string): Promise<void>;
}

export function createEventPort(
  database: Database,
  /** A lease longer than any delivery: a second one while the first is under way would be a duplicate for nothing. */
  { claimer, leaseMs }: { readonly claimer: string; readonly leaseMs: number },
): EventPort {
  return {
    tenants: () => database.tenants(),
    number: (tenantId, sinks, limit) =>
      database.tenant(tenantId, (tx) => numberEvents(tx, { tenantId, sinks, limit })),
    claim: (tenantId, sink, limit) =>
      database.tenant(tenantId, (tx) =>
        claimEvents(tx, { tenantId, sink, claimer, limit, leaseMs }),
      ),
    settle: (tenantId, sink, outboxId, outcome) =>
      database.tenant(tenantId, (tx) =>
        settleEvent(tx, { tenantId, sink, outboxId, claimer }, outcome),
      ),
    stop: (tenantId, sink, reason) =>
      database.tenant(tenantId, async (tx) => {
        await stopSink(tx, { tenantId, sink, reason });
        await appendAudit(tx, {
          tenantId,
          actor: { kind: 'system', id: claimer },
          action: 'events.sink_stopped',
          subject: { kind: 'event_sink', id: sink },
          detail: { reason },
        });
      }),
  };
}
