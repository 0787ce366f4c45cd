/** Calls back from the outbox to requesters, over real rows: who is called, with what, and when it is given up. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { callbackTarget } from '../../../db/callbacks.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { applyTenant } from '../../../db/tenant-setup.ts';
import type { ClientCallback } from '../../../db/tenant-setup.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import { CALLBACK_ATTEMPTS, createCallbackDelivery } from '../../../relay/callbacks.ts';
import type { SeededCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { SessionRows } from '../../setup/rows/session-rows.ts';
import { insertStepUpRows, moveStepUp } from '../../setup/rows/waiting-step-up.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const kms = createEmbeddedKms([{ kid: 'k1', key: new Uint8Array(32).fill(7) }]);
const callback = { url: 'https://payments.bank.example/hook', secrets: [SECRET] };
const requester = { kind: 'client', id: 'payments' } as const;

let testDatabase: TestDatabase;
let database: Database;
let rows: SessionRows;
let customer: SeededCustomer;
let sent: unknown[] = [];
let fault: LatchkeyError | undefined;

const deliver = async (stepUpId: string, attempts = 1) => {
  const { tenantId } = customer;
  const delivery = createCallbackDelivery({
    target: (tenant, id) =>
      database.tenant(tenant, (tx) => callbackTarget(tx, kms, { tenantId: tenant, stepUpId: id })),
    callbacks: {
      send: (call) => {
        sent.push(call);
        return fault === undefined ? Promise.resolve() : Promise.reject(fault);
      },
    },
  });
  await delivery(tenantId, {
    outboxId: 'out_1',
    topic: 'callback.send',
    subject: stepUpId,
    position: 1,
    attempts,
    createdAtMs: 0,
    payload: { stepUpId },
  });
};

const register = (given: ClientCallback | undefined) =>
  applyTenant(
    testDatabase.ownerUrl,
    {
      slug: 'demo',
      name: 'Demo Bank',
      rpId: 'localhost',
      origins: ['http://localhost:1'],
      clients: [
        {
          kind: 'machine',
          clientId: requester.id,
          name: 'Payments',
          scopes: [],
          jwks: { keys: [] },
          ...(given === undefined ? {} : { callback: given }),
        },
      ],
    },
    { seal: (plain, context) => kms.wrap(plain, context) },
  );

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  rows = new SessionRows(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl });
  customer = await rows.customer('demo');
});
afterAll(async () => {
  await rows?.close();
  await database?.close();
  await testDatabase?.drop();
});
beforeEach(async () => {
  sent = [];
  fault = undefined;
  await rows.sql`update client set status = 'active'`;
  await rows.sql`update ceremony set state = 'ended', outcome = 'cancelled', ended_at = now() where outcome is null`;
  await register(callback);
});

describe('a call back', () => {
  test('says how the step-up stands now, under an id that stays', async () => {
    const stepUpId = await insertStepUpRows(rows.sql, customer, { requester });
    await moveStepUp(rows.sql, stepUpId, 'approved');
    await deliver(stepUpId);
    await moveStepUp(rows.sql, stepUpId, { outcome: 'completed', reason: 'consumed' });
    await deliver(stepUpId);
    const call = { ...callback, allowsPrivateAddresses: false, id: 'out_1' };
    expect(sent).toEqual([
      { ...call, content: { stepUpId, status: 'approved' } },
      { ...call, content: { stepUpId, status: 'consumed' } },
    ]);
  });

  test('goes to the address that the tenant’s file names last, and nowhere once it names none', async () => {
    const stepUpId = await insertStepUpRows(rows.sql, customer, { requester });
    const url = 'https://payments.bank.example/other';
    await register({ ...callback, url, allowsPrivateAddresses: true });
    await deliver(stepUpId);
    expect(sent).toMatchObject([{ url, allowsPrivateAddresses: true }]);
    await register(undefined);
    await deliver(stepUpId);
    expect(sent).toHaveLength(1);
  });

  test('goes to no requester that is staff, a login, or disabled', async () => {
    const { id } = requester;
    for (const kind of ['staff', 'login'] as const)
      await deliver(await insertStepUpRows(rows.sql, customer, { requester: { kind, id } }));
    await rows.sql`update client set status = 'disabled' where client_id = ${id}`;
    await deliver(await insertStepUpRows(rows.sql, customer, { requester }));
    expect(sent).toEqual([]);
  });

  test('is tried again for hours, then waits for an operator', async () => {
    const stepUpId = await insertStepUpRows(rows.sql, customer, { requester });
    fault = new LatchkeyError('vendor_unavailable');
    await expect(deliver(stepUpId, CALLBACK_ATTEMPTS - 1)).rejects.toMatchObject({
      code: 'vendor_unavailable',
    });
    await expect(deliver(stepUpId, CALLBACK_ATTEMPTS)).rejects.toMatchObject({
      code: 'vendor_refused',
    });
  });
});

describe('the secrets of a callback', () => {
  test('lie sealed, and open for their own client alone', async () => {
    const [row] = await rows.sql`select * from client_callback`;
    expect(Buffer.from(row?.['sealed_secrets']).includes(SECRET.slice(6))).toBe(false);
    await rows.sql`update client_callback set client_id = 'demo-fraud'`;
    const stepUpId = await insertStepUpRows(rows.sql, customer);
    await expect(deliver(stepUpId)).rejects.toMatchObject({ code: 'internal_error' });
    await rows.sql`delete from client_callback`;
  });

  test('are not taken without the keys that seal them', async () => {
    const document = {
      slug: 'demo',
      name: 'Demo Bank',
      rpId: 'localhost',
      origins: ['http://localhost:1'],
      clients: [
        {
          kind: 'machine' as const,
          clientId: requester.id,
          name: 'Payments',
          scopes: [],
          jwks: { keys: [] },
          callback,
        },
      ],
    };
    await expect(applyTenant(testDatabase.ownerUrl, document)).rejects.toThrow(TypeError);
  });
});
