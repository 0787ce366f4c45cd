/** The outbox as the relay sees it: each call one short transaction bound to a tenant, under one claimer's name. */
import type { Database } from './connection.ts';
import { claimOutbox, markDelivered, markFailed, releaseClaim } from './outbox.ts';
import type { ClaimedRow, CommandTopic, Failure } from './outbox.ts';

export interface OutboxPort {
  tenantIds(): Promise<readonly string[]>;
  claim(
    tenantId: string,
    topics: readonly CommandTopic[],
    limit: number,
  ): Promise<readonly ClaimedRow[]>;
  delivered(tenantId: string, outboxId: string): Promise<boolean>;
  failed(
    tenantId: string,
    outboxId: string,
    failure: Pick<Failure, 'errorCode' | 'next'>,
  ): Promise<boolean>;
  release(tenantId: string, outboxId: string): Promise<boolean>;
}

export function createOutboxPort(
  database: Database,
  /** A lease longer than any delivery: a second one while the first is under way would be a duplicate for nothing. */
  { claimer, leaseMs }: { readonly claimer: string; readonly leaseMs: number },
): OutboxPort {
  return {
    tenantIds: async () => (await database.tenants()).map(({ tenantId }) => tenantId),
    claim: (tenantId, topics, limit) =>
      database.tenant(tenantId, (tx) =>
        claimOutbox(tx, { tenantId, topics, claimer, limit, leaseMs }),
      ),
    delivered: (tenantId, outboxId) =>
      database.tenant(tenantId, (tx) => markDelivered(tx, { tenantId, outboxId, claimer })),
    failed: (tenantId, outboxId, failure) =>
      database.tenant(tenantId, (tx) =>
        markFailed(tx, { tenantId, outboxId, claimer, ...failure }),
      ),
    release: (tenantId, outboxId) =>
      database.tenant(tenantId, (tx) => releaseClaim(tx, { tenantId, outboxId, claimer })),
  };
}
