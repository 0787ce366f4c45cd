/** Which step-ups the reconciler takes for open: those that have not ended, whether or not they have their receipt. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { createReconciliationPort } from '../../../db/reconciliation-port.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import {
  approved,
  asked,
  drive,
  insertStepUpCustomer,
  PAYMENTS,
  STEP_UP_TOOLS,
} from '../../setup/step-ups.ts';

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  ({ tenantId } = await bootstrapDemoTenant({
    ownerUrl: testDatabase.ownerUrl,
    publicUrl: 'http://localhost:1',
    fraudClientJwks: { keys: [] },
  }));
  database = connectDatabase({ url: testDatabase.applicationUrl });
});
afterAll(async () => {
  await database?.close();
  await testDatabase?.drop();
});

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);

async function cancel(stepUpId: string): Promise<void> {
  const actor = { kind: 'machine', id: PAYMENTS.id } as const;
  await run((tx) =>
    endStepUp(tx, STEP_UP_TOOLS, { tenantId, stepUpId, event: 'cancelled', actor }),
  );
}

/** In which of the reconciler's two lists it stands. */
async function isListedAsEnded(stepUpId: string): Promise<boolean> {
  const query = { tenantId, kind: 'step_up', settledMs: 0, afterId: '', limit: 100 } as const;
  const rows = createReconciliationPort(database);
  const [open, ended] = [
    await rows.list({ ...query, isEnded: false }),
    await rows.list({ ...query, isEnded: true }),
  ];
  const found = [...open, ...ended].filter(({ id }) => id === stepUpId);
  expect(found).toHaveLength(1);
  return ended.some(({ id }) => id === stepUpId);
}

describe('a step-up that has ended', () => {
  test('is over also while its approval has no receipt: the outbox has that made', async () => {
    const customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
    const stepUpId = await approved(run, customer);
    expect(await isListedAsEnded(stepUpId)).toBe(false);
    await cancel(stepUpId);
    expect(await isListedAsEnded(stepUpId)).toBe(true);
    const rows = createReconciliationPort(database);
    const key = { tenantId, kind: 'step_up', id: stepUpId } as const;
    expect(await rows.countHeal({ ...key, healCount: 0 })).toBe(false);
    expect(await rows.markClosed(key)).toBe(true);
  });

  test('without an approval is over at once', async () => {
    const customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
    const stepUpId = await run((tx) => asked(tx, customer));
    await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
    await cancel(stepUpId);
    expect(await isListedAsEnded(stepUpId)).toBe(true);
  });
});
