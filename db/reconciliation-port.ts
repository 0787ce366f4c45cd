/** Reconciliation as the relay sees it: each call one short transaction bound to a tenant. */
import type { Database } from './connection.ts';
import { countHeal, listTracked, markWorkflowClosed, trackedState } from './reconciliation.ts';
import type { TrackedKey, TrackedQuery, TrackedRow } from './reconciliation.ts';

export interface ReconciliationPort {
  tenantIds(): Promise<readonly string[]>;
  list(query: TrackedQuery): Promise<readonly TrackedRow[]>;
  state(key: TrackedKey): Promise<{ healCount: number; customerId: string } | undefined>;
  countHeal(key: TrackedKey & { readonly healCount: number }): Promise<boolean>;
  markClosed(key: TrackedKey): Promise<boolean>;
}

export function createReconciliationPort(database: Database): ReconciliationPort {
  return {
    tenantIds: async () => (await database.tenants()).map(({ tenantId }) => tenantId),
    list: (query) => database.tenant(query.tenantId, (tx) => listTracked(tx, query)),
    state: (key) => database.tenant(key.tenantId, (tx) => trackedState(tx, key)),
    countHeal: (key) => database.tenant(key.tenantId, (tx) => countHeal(tx, key)),
    markClosed: (key) => database.tenant(key.tenantId, (tx) => markWorkflowClosed(tx, key)),
  };
}
