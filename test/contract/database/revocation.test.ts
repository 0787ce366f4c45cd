import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { createRevocationStore } from '../../../db/revocation-store.ts';
import { wasHeld } from '../../../db/cut-off.ts';
import { revocationFacts } from '../../../db/revocation.ts';
import { revocationReceipt } from '../../../domain/revocation.ts';
import {
  cutOffCustomer,
  insertCustomer,
  insertLiveSession,
  insertProvedPhone,
  releaseCustomer,
} from '../../setup/customer.ts';
import type { CustomerKey, SeededCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({ url: testDatabase.applicationUrl });
  ({ tenantId } = await bootstrapDemoTenant({
    ownerUrl: testDatabase.ownerUrl,
    publicUrl: 'http://localhost:4600',
    fraudClientJwks: { keys: [] },
  }));
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const inTenant = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);

/** With a proved number and one live session. */
async function newCustomer(): Promise<SeededCustomer & { readonly contactId: string }> {
  return await inTenant(async (tx) => {
    const customer = await insertCustomer(tx, tenantId);
    await insertLiveSession(tx, customer);
    return { ...customer, contactId: await insertProvedPhone(tx, customer) };
  });
}

const cutOffNow = (customer: CustomerKey) => inTenant((tx) => cutOffCustomer(tx, customer));

async function statesOf({ customerId }: SeededCustomer) {
  return await inTenant(async (tx) => {
    const [row] = await tx`
      select security_epoch, cut_off_seq,
        (select string_agg(status, ',') from device d where d.customer_id = c.customer_id) as devices,
        (select string_agg(status, ',') from credential d where d.customer_id = c.customer_id) as credentials,
        (select string_agg(status, ',' order by status) from session s where s.customer_id = c.customer_id) as sessions,
        (select count(*)::integer from hold h where h.customer_id = c.customer_id and status = 'active') as holds
      from customer c where customer_id = ${customerId}`;
    return { ...row };
  });
}

describe('a cut-off', () => {
  it('raises the epoch, places the hold and suspends devices and passkeys in one transaction', async () => {
    const customer = await newCustomer();
    const answer = await cutOffNow(customer);
    expect(answer).toMatchObject({ oldEpoch: 1, newEpoch: 2, devices: 1, credentials: 1 });
    expect(await statesOf(customer)).toEqual({
      securityEpoch: 2,
      cutOffSeq: 1,
      devices: 'suspended',
      credentials: 'suspended',
      sessions: 'live',
      holds: 1,
    });
  });

  it('leaves nothing behind when its transaction fails', async () => {
    const customer = await newCustomer();
    await expect(
      inTenant(async (tx) => {
        await cutOffCustomer(tx, customer);
        throw new Error('the process died here');
      }),
    ).rejects.toThrow('the process died here');
    expect(await statesOf(customer)).toMatchObject({
      securityEpoch: 1,
      devices: 'trusted',
      holds: 0,
    });
  });

  it('answers nothing for a customer that does not exist', async () => {
    expect(await cutOffNow({ tenantId, customerId: newId('customer') })).toBeUndefined();
  });

  it('raises the epoch again when it is repeated, under one hold', async () => {
    const customer = await newCustomer();
    await cutOffNow(customer);
    expect(await cutOffNow(customer)).toMatchObject({ oldEpoch: 2, newEpoch: 3, devices: 0 });
    expect(await statesOf(customer)).toMatchObject({ holds: 1, securityEpoch: 3 });
  });
});

describe('ending the rows of a cut-off', () => {
  it('ends what began before, counts it, and finds nothing the second time', async () => {
    const customer = await newCustomer();
    await inTenant((tx) => insertLiveSession(tx, customer));
    const answer = await cutOffNow(customer);
    const subject = { tenantId, revocationId: answer?.revocationId ?? '' };
    const store = createRevocationStore(database);
    expect(await store.endRows(subject)).toMatchObject({ ended: 2 });
    expect(await store.endRows(subject)).toMatchObject({ ended: 0 });
    expect(await store.wakeTargets(subject, '', 200)).toHaveLength(2);
    expect(await store.openWorkflows(subject)).toBe(2);
    const facts = await store.facts(subject);
    await store.seal(subject, (sealedAtMs) => revocationReceipt(facts, sealedAtMs));
    const sealed = await inTenant((tx) => revocationFacts(tx, subject));
    expect(sealed).toMatchObject({ status: 'sealed', sessionsEnded: 2, ceremoniesEnded: 0 });
  });

  it('leaves alone what began after the release, under the new epoch', async () => {
    const customer = await newCustomer();
    const answer = await cutOffNow(customer);
    await inTenant((tx) => insertLiveSession(tx, customer, { epoch: 2 }));
    const store = createRevocationStore(database);
    expect(
      await store.endRows({ tenantId, revocationId: answer?.revocationId ?? '' }),
    ).toMatchObject({ ended: 1 });
    expect(await statesOf(customer)).toMatchObject({ sessions: 'ended,live' });
  });

  it('does nothing for an id that the API never wrote', async () => {
    const store = createRevocationStore(database);
    expect(await store.endRows({ tenantId, revocationId: newId('revocation') })).toMatchObject({
      ended: 0,
    });
  });

  it('tells the customer once, over proved channels', async () => {
    const customer = await newCustomer();
    const answer = await cutOffNow(customer);
    const store = createRevocationStore(database);
    const subject = { tenantId, revocationId: answer?.revocationId ?? '' };
    await store.endRows(subject);
    await store.endRows(subject);
    const notices = await inTenant(
      (tx) => tx`select topic, payload from outbox where subject = ${customer.contactId}`,
    );
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatchObject({
      topic: 'message.sms',
      payload: { template: 'session_cut_off' },
    });
  });
});

describe('a release', () => {
  it('lifts the hold and reinstates exactly what the cut-offs of that hold suspended', async () => {
    const customer = await newCustomer();
    await cutOffNow(customer);
    await cutOffNow(customer);
    const released = await inTenant((tx) => releaseCustomer(tx, customer));
    expect(released).toMatchObject({ devices: 1, credentials: 1 });
    expect(await statesOf(customer)).toMatchObject({
      devices: 'trusted',
      credentials: 'active',
      holds: 0,
      securityEpoch: 3,
    });
  });

  it('answers nothing without an active hold, and knows whether there ever was one', async () => {
    const customer = await newCustomer();
    const release = () => inTenant((tx) => releaseCustomer(tx, customer));
    expect(await release()).toBeUndefined();
    expect(await inTenant((tx) => wasHeld(tx, tenantId, customer.customerId))).toBe(false);
    await cutOffNow(customer);
    await release();
    expect(await release()).toBeUndefined();
    expect(await inTenant((tx) => wasHeld(tx, tenantId, customer.customerId))).toBe(true);
  });
});
