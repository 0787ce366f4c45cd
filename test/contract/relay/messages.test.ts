import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { createOtpCodes } from '../../../adapters/kms/otp-codes.ts';
import { newId } from '../../../adapters/random.ts';
import { DEMO_APP_CLIENT } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { insertContact, insertEnrollment } from '../../../db/enrollment.ts';
import { messageFacts } from '../../../db/messages.ts';
import type { ClaimedRow, MessagePayload } from '../../../db/outbox.ts';
import { createPersonalData } from '../../../db/personal-data.ts';
import { openCodeAttempt, supersedeAttempts } from '../../../db/step-attempts.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { createMessageDelivery } from '../../../relay/messages.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { SessionRows } from '../../setup/rows/session-rows.ts';

const PHONE = '+41791234567';
const EMAIL = 'ada@example.org';
const { ttlSeconds } = DEFAULT_POLICY.otp;

const kms = createEmbeddedKms([{ kid: 'k1', key: new Uint8Array(32).fill(7) }]);
const personalData = createPersonalData(kms);
const otpCodes = createOtpCodes(kms);

let testDatabase: TestDatabase;
let database: Database;
let rows: SessionRows;
let tenantId: string;
let nowMs = Date.now();
let sent: Record<string, string>[] = [];
const customerId = newId('customer');
const enrollmentId = newId('ceremony');
const phoneId = newId('contact');
const emailId = newId('contact');

const deliver = createMessageDelivery({
  facts: (tenant, channel, payload) =>
    database.tenant(tenant, (tx) =>
      messageFacts(tx, personalData, { tenantId: tenant, channel, payload }),
    ),
  otpCodes,
  sms: {
    send: async (message) => {
      sent.push({ ...message });
      await Promise.resolve();
    },
  },
  email: {
    send: async (message) => {
      sent.push({ ...message });
      await Promise.resolve();
    },
  },
});

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  rows = new SessionRows(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
  ({ tenantId } = await rows.customer('demo'));
  await database.tenant(tenantId, async (tx) => {
    await insertEnrollment(tx, personalData, {
      tenantId,
      enrollmentId,
      customerId,
      contactId: phoneId,
      clientId: DEMO_APP_CLIENT,
      jkt: 'jkt',
      phone: PHONE,
      locale: 'en',
    });
    await insertContact(tx, personalData, {
      tenantId,
      customerId,
      contactId: emailId,
      kind: 'email',
      value: EMAIL,
    });
  });
});

afterAll(async () => {
  await rows?.close();
  await database?.close();
  await testDatabase?.drop();
});

beforeEach(() => {
  sent = [];
});

type MessageRow = Extract<ClaimedRow, { readonly topic: 'message.sms' | 'message.email' }>;
const message = (
  topic: MessageRow['topic'],
  payload: Partial<MessagePayload> & Pick<MessagePayload, 'template'>,
): MessageRow => ({
  outboxId: 'out_1',
  topic,
  subject: customerId,
  position: 1,
  attempts: 1,
  createdAtMs: nowMs,
  payload: {
    customerId,
    contactId: topic === 'message.sms' ? phoneId : emailId,
    locale: 'en',
    ...payload,
  },
});

async function openAttempt(): Promise<string> {
  const attemptId = newId('attempt');
  await database.tenant(tenantId, async (tx) => {
    await supersedeAttempts(tx, { tenantId, ceremonyId: enrollmentId });
    await openCodeAttempt(tx, {
      tenantId,
      ceremonyId: enrollmentId,
      step: 'phone',
      attemptId,
      contactId: phoneId,
      limits: DEFAULT_POLICY.otp,
      lastMomentMs: nowMs + 3_600_000,
    });
  });
  return attemptId;
}

describe('a queued message', () => {
  test('goes to the address under the outbox id, with a code that was stored nowhere', async () => {
    const attemptId = await openAttempt();
    await deliver(tenantId, message('message.sms', { template: 'enrollment_code', attemptId }));
    const code = otpCodes.codeFor(attemptId, 6);
    expect(sent).toEqual([
      { to: PHONE, reference: 'out_1', text: expect.stringContaining(`${code} is your code`) },
    ]);
    expect(sent[0]?.['text']).toContain(`Valid ${String(ttlSeconds / 60)} min`);
  });

  test('is rendered for its channel, with the facts of the moment', async () => {
    await deliver(tenantId, message('message.email', { template: 'enrollment_reminder' }));
    expect(sent).toEqual([
      {
        to: EMAIL,
        reference: 'out_1',
        subject: 'Finish setting up the Demo Bank app',
        text: expect.stringContaining('deleted in 72 hours'),
      },
    ]);
  });

  test('is not sent when its code was replaced, or has just expired', async () => {
    const replaced = await openAttempt();
    const current = await openAttempt();
    await deliver(
      tenantId,
      message('message.sms', { template: 'enrollment_code', attemptId: replaced }),
    );
    expect(sent).toEqual([]);
    nowMs += ttlSeconds * 1_000 - 1;
    await deliver(
      tenantId,
      message('message.sms', { template: 'enrollment_code', attemptId: current }),
    );
    expect(sent).toHaveLength(1);
    nowMs += 1;
    await deliver(
      tenantId,
      message('message.sms', { template: 'enrollment_code', attemptId: current }),
    );
    expect(sent).toHaveLength(1);
  });

  test('is not sent to a contact of another customer or channel', async () => {
    await deliver(
      tenantId,
      message('message.sms', { template: 'hold_released', contactId: emailId }),
    );
    await deliver(
      tenantId,
      message('message.sms', { template: 'hold_released', customerId: newId('customer') }),
    );
    expect(sent).toEqual([]);
  });

  test('is refused for good when nobody can render it', async () => {
    await expect(
      deliver(tenantId, message('message.sms', { template: 'no_such_text' })),
    ).rejects.toMatchObject({
      code: 'internal_error',
    });
    await expect(
      deliver(tenantId, message('message.sms', { template: 'enrollment_code' })),
    ).rejects.toMatchObject({
      code: 'internal_error',
    });
    expect(sent).toEqual([]);
  });

  test('is not sent to somebody who was erased', async () => {
    await database.tenant(tenantId, (tx) => personalData.eraseKey(tx, tenantId, customerId));
    await deliver(tenantId, message('message.sms', { template: 'hold_released' }));
    expect(sent).toEqual([]);
  });
});
