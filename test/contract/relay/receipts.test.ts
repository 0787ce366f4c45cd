/** Receipts by the outbox, over real rows: asked for by the approval's own transaction, made when the key management is there, missed by nobody. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { createOutboxPort } from '../../../db/outbox-port.ts';
import { requestMissingReceipts } from '../../../db/receipts.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import type { StepUpSubject } from '../../../domain/step-up.ts';
import { relayRound } from '../../../relay/relay.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { createRelayTally } from '../../setup/relay-tally.ts';
import { approved, asked, insertStepUpCustomer, read } from '../../setup/step-ups.ts';

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

const approve = async (): Promise<string> =>
  await approved(run, await run((tx) => insertStepUpCustomer(tx, tenantId)));

const rowsOf = (stepUpId: string) =>
  run(
    (tx) => tx<{ status: string; errorCode: string | null }[]>`
      select status, error_code from outbox where topic = 'receipt.seal' and subject = ${stepUpId} order by position`,
  ).then((rows) => [...rows]);

const sealed = ({ stepUpId }: StepUpSubject) =>
  run((tx) => tx`update step_up set receipt_id = 'r' where step_up_id = ${stepUpId}`);

/** One round of the lane; a failed row is due again at once. */
const round = (seal: (subject: StepUpSubject) => Promise<unknown>) =>
  relayRound(
    {
      outbox: createOutboxPort(database, { claimer: 'test', leaseMs: 30_000 }),
      deliver: async (tenant, row) => {
        if (row.topic === 'receipt.seal')
          await seal({ tenantId: tenant, stepUpId: row.payload.stepUpId });
      },
      backoffMs: () => 0,
      metrics: createRelayTally(),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      failPoint: () => undefined,
    },
    'receipts',
  );

const missing = (graceSeconds = 0) =>
  run((tx) => requestMissingReceipts(tx, { tenantId, limit: 100, graceSeconds }));

describe('the receipt of an approval', () => {
  test('is asked for by its transaction, once, and by no other move', async () => {
    const customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
    const waiting = await run((tx) => asked(tx, customer));
    expect(await rowsOf(waiting)).toEqual([]);
    const stepUpId = await approve();
    expect(await rowsOf(stepUpId)).toEqual([{ status: 'pending', errorCode: null }]);
    await round(sealed);
    expect(await rowsOf(stepUpId)).toEqual([{ status: 'delivered', errorCode: null }]);
    expect((await run((tx) => read(tx, tenantId, stepUpId))).receiptId).toBe('r');
  });

  test('waits for a key management that is away, however often it is asked, and is no dead letter', async () => {
    const stepUpId = await approve();
    const away = () => Promise.reject(new LatchkeyError('vendor_unavailable'));
    for (let tries = 0; tries < 10; tries += 1) await round(away);
    expect(await rowsOf(stepUpId)).toEqual([
      { status: 'pending', errorCode: 'vendor_unavailable' },
    ]);
    expect((await run((tx) => read(tx, tenantId, stepUpId))).state).toBe('approved');
    await round(sealed);
    expect(await rowsOf(stepUpId)).toMatchObject([{ status: 'delivered' }]);
  });

  test('that cannot be made is given up, for people to see, and is not asked for again', async () => {
    const stepUpId = await approve();
    const broken = () => Promise.reject(new TypeError('a defect'));
    for (let tries = 0; tries < 10; tries += 1) await round(broken);
    expect(await rowsOf(stepUpId)).toEqual([{ status: 'dead', errorCode: 'internal_error' }]);
    expect(await missing()).toBe(0);
    await run((tx) => tx`delete from outbox where subject = ${stepUpId}`);
    await sealed({ tenantId, stepUpId });
  });
});

describe('a receipt that nobody asked for', () => {
  test('is asked for once, and neither too early nor when it waits already or is there', async () => {
    const [lost, fine] = [await approve(), await approve()];
    await run((tx) => tx`delete from outbox where topic = 'receipt.seal' and subject = ${lost}`);
    expect(await missing(60)).toBe(0);
    expect(await missing()).toBe(1);
    expect(await missing()).toBe(0);
    expect(await rowsOf(lost)).toEqual([{ status: 'pending', errorCode: null }]);
    await round(sealed);
    expect(await rowsOf(fine)).toHaveLength(1);
    expect(await missing()).toBe(0);
  });
});
