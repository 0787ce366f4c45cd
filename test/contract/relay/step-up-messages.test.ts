/** What customers read about step-ups, from the transaction that decides to the text that goes out. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { messageFacts } from '../../../db/messages.ts';
import { createOutboxPort } from '../../../db/outbox-port.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import { createMessageDelivery } from '../../../relay/messages.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { SessionRows } from '../../setup/rows/session-rows.ts';
import {
  asked,
  drive,
  insertStepUpCustomer,
  payment,
  proveKeys,
  sentCode,
  show,
  STEP_UP_TOOLS,
} from '../../setup/step-ups.ts';
import type { StepUpCustomer } from '../../setup/step-ups.ts';

const PHONE = '+6421000000';
const { personalData, otpCodes } = STEP_UP_TOOLS;

let testDatabase: TestDatabase;
let database: Database;
let rows: SessionRows;
let customer: StepUpCustomer;
const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  database.tenant(customer.tenantId, work);

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  rows = new SessionRows(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl });
});
afterAll(async () => {
  await rows?.close();
  await database?.close();
  await testDatabase?.drop();
});
beforeEach(async () => {
  const { tenantId } = await rows.customer('demo');
  customer = await database.tenant(tenantId, (tx) => insertStepUpCustomer(tx, tenantId));
  await run(async (tx) => {
    const { customerId } = customer;
    const target = { tenantId, customerId, purpose: 'contact.phone' };
    const sealed = await personalData.seal(tx, target, PHONE);
    await tx`update contact set sealed_value = ${sealed} where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  });
});

/** Every SMS that waits for this customer, as it would go out. */
async function messages(): Promise<readonly { readonly to: string; readonly text: string }[]> {
  const sent: { to: string; text: string }[] = [];
  const deliver = createMessageDelivery({
    facts: (tenantId, channel, payload) =>
      database.tenant(tenantId, (tx) =>
        messageFacts(tx, personalData, { tenantId, channel, payload }),
      ),
    otpCodes,
    sms: {
      send: ({ to, text }) => {
        sent.push({ to, text });
        return Promise.resolve();
      },
    },
    email: { send: () => Promise.resolve() },
  });
  const outbox = createOutboxPort(database, { claimer: 'test', leaseMs: 30_000 });
  for (const row of await outbox.claim(customer.tenantId, ['message.sms'], 20))
    if (row.topic === 'message.sms' && row.payload.customerId === customer.customerId)
      await deliver(customer.tenantId, row);
  return sent;
}

async function keysProved(locale: string): Promise<string> {
  const stepUpId = await run((tx) => asked(tx, customer, { action: payment('40000.00'), locale }));
  await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
  const opened = await run((tx) => show(tx, customer, stepUpId));
  expect(await messages()).toEqual([]);
  await run((tx) => proveKeys(tx, customer, stepUpId, opened));
  return stepUpId;
}

describe('the code of a high value', () => {
  test('goes out once the keys were good, and names purpose, amount, payee and account', async () => {
    const stepUpId = await keysProved('en');
    const code = await run((tx) => sentCode(tx, customer, stepUpId));
    expect(await messages()).toEqual([
      {
        to: PHONE,
        text: `Demo Bank: ${code} is your code to approve this: Pay 40,000.00 NZD to Mere Kahu; Account: 12-3456-7890123-00; Reference: Invoice 7. Valid 5 min. The bank never asks for it. Not what you want? Refuse it in the app.`,
      },
    ]);
  });

  test('speaks the customer’s language', async () => {
    await keysProved('de');
    expect(await messages()).toMatchObject([
      { text: expect.stringContaining('um dies freizugeben: 40.000,00 NZD an Mere Kahu zahlen') },
    ]);
  });

  test('goes out no more when the step-up has ended meanwhile', async () => {
    const stepUpId = await keysProved('en');
    const actor = { kind: 'customer', id: customer.customerId } as const;
    await run((tx) =>
      endStepUp(tx, STEP_UP_TOOLS, {
        tenantId: customer.tenantId,
        stepUpId,
        event: 'denied',
        reason: 'declined',
        actor,
      }),
    );
    expect(await messages()).toEqual([]);
  });
});

describe('a refusal', () => {
  test.each([
    ['not_me', 1],
    ['declined', 0],
  ] as const)('as %s is answered with %i notices', async (reason, notices) => {
    const stepUpId = await run((tx) => asked(tx, customer));
    const actor = { kind: 'customer', id: customer.customerId } as const;
    const { tenantId } = customer;
    const end = { tenantId, stepUpId, event: 'denied', reason, actor } as const;
    await run((tx) => endStepUp(tx, STEP_UP_TOOLS, end));
    await run((tx) => endStepUp(tx, STEP_UP_TOOLS, end));
    const sent = await messages();
    expect(sent.filter(({ text }) => text.includes('was not yours. We stopped it'))).toHaveLength(
      notices,
    );
  });
});
