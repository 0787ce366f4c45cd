/** The link in a notice: in which notices it stands, that a resent message carries the same, and that the code of a freeze request goes out once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { createOtpCodes } from '../../../adapters/kms/otp-codes.ts';
import { newId } from '../../../adapters/random.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { insertContact } from '../../../db/enrollment.ts';
import { createFreezeLinks } from '../../../db/freeze-links.ts';
import {
  judgeFreezeCode,
  requestFreeze,
  sweepFreezeRequests,
} from '../../../db/freeze-requests.ts';
import { messageFacts } from '../../../db/messages.ts';
import type { MessagePayload } from '../../../db/outbox.ts';
import { createPersonalData } from '../../../db/personal-data.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { WITH_FREEZE_LINK } from '../../../domain/texts/freeze-line.ts';
import { createMessageDelivery } from '../../../relay/messages.ts';
import { insertCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';

const PHONE = '+6421123456';
const kms = createEmbeddedKms([{ kid: 'k1', key: new Uint8Array(32).fill(7) }]);
const personalData = createPersonalData(kms);
const otpCodes = createOtpCodes(kms);
const links = createFreezeLinks(kms);

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let nowMs = Date.parse('2027-03-01T10:00:00Z');
const customerId = newId('customer');
const contactId = newId('contact');
let sent: string[] = [];

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);
const keep = async (text: string) => {
  sent.push(text);
  await Promise.resolve();
};
const deliver = createMessageDelivery({
  facts: (tenant, channel, payload) =>
    database.tenant(tenant, (tx) =>
      messageFacts(tx, personalData, { tenantId: tenant, channel, payload }),
    ),
  otpCodes,
  freezeLink: ({ tenantId: tenant, slug, ...facts }) =>
    `https://bank.example/freeze.html#${slug}.${links.make(tenant, facts)}`,
  sms: { send: ({ text }) => keep(text) },
  email: { send: ({ text }) => keep(text) },
});

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
  await run(async (tx) => {
    await insertCustomer(tx, tenantId, { customerId });
    await personalData.createKey(tx, tenantId, customerId);
    await insertContact(tx, personalData, {
      tenantId,
      customerId,
      contactId,
      kind: 'phone',
      value: PHONE,
    });
    await tx`update contact set status = 'proved', proved_at = latchkey_now() where contact_id = ${contactId}`;
  });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

async function send(payload: Pick<MessagePayload, 'template'> & Partial<MessagePayload>) {
  sent = [];
  const row = {
    outboxId: newId('outbox'),
    subject: contactId,
    position: 1,
    attempts: 1,
    createdAtMs: nowMs,
    topic: 'message.sms' as const,
    payload: { customerId, contactId, locale: 'en', ...payload },
  };
  await deliver(tenantId, row);
  const [first] = sent;
  await deliver(tenantId, row);
  expect(sent[1]).toBe(first);
  return { text: first ?? '', outboxId: row.outboxId };
}

test('every notice of what somebody did to the account ends with a link that names customer, message and time', async () => {
  for (const template of [
    'session_ended',
    'device_stopped',
    'device_resumed',
    'passkey_removed',
    'hold_released',
    'step_up_not_me',
    'device_reported',
    'report_lifted',
    'freeze_lifted',
  ]) {
    const { text, outboxId } = await send({ template });
    const [, token = ''] = /#demo\.([A-Za-z0-9_-]+)$/.exec(text) ?? [];
    expect({ template, facts: links.read(tenantId, token) }).toEqual({
      template,
      facts: { customerId, messageId: outboxId, sentAtMs: nowMs },
    });
    // Three parts of an SMS at most.
    expect(text.length).toBeLessThanOrEqual(459);
  }
});

test('what says that the account is stopped already, and a code that sets something up, carry none', async () => {
  for (const template of ['customer_frozen', 'session_cut_off'])
    expect((await send({ template })).text).not.toContain('#');
  for (const template of ['enrollment_code', 'email_code', 'freeze_code', 'enrollment_reminder'])
    expect([...WITH_FREEZE_LINK]).not.toContain(template);
});

test('the code of a freeze request goes to the number, is the request’s, and is sent no more once it is old or used', async () => {
  const ask = () => {
    const requestId = newId('freezeRequest');
    const asked = { tenantId, requestId, jkt: 'jkt', phone: PHONE, policy: DEFAULT_POLICY };
    return run((tx) => requestFreeze(tx, personalData, asked)).then(() => requestId);
  };
  const requestId = await ask();
  const code = otpCodes.codeFor(requestId, DEFAULT_POLICY.otp.digits);
  const payload = { template: 'freeze_code', freezeRequestId: requestId };
  expect((await send(payload)).text).toContain(`${code} is your code to freeze your account`);
  const freezeId = newId('freeze');
  const guess = { tenantId, requestId, jkt: 'jkt', code, freezeId, policy: DEFAULT_POLICY };
  expect(await run((tx) => judgeFreezeCode(tx, { otpCodes }, guess))).toHaveProperty(
    'frozenUntilMs',
  );
  expect((await send(payload)).text).toBe('');
  const old = await ask();
  nowMs += DEFAULT_POLICY.otp.ttlSeconds * 1000;
  expect((await send({ template: 'freeze_code', freezeRequestId: old })).text).toBe('');
});

test('a request is forgotten a day after its end', async () => {
  const count = () => run((tx) => tx`select 1 from freeze_request`).then((rows) => rows.length);
  const before = await count();
  expect(before).toBeGreaterThan(0);
  nowMs += 86_400_000;
  expect(await run((tx) => sweepFreezeRequests(tx, 500))).toBe(0);
  nowMs += 1;
  expect(await run((tx) => sweepFreezeRequests(tx, 500))).toBe(before);
  expect(await count()).toBe(0);
});

test('a token is read for its own tenant alone, and what is no id is never made one', () => {
  const facts = { customerId, messageId: newId('outbox'), sentAtMs: 1_800_000_000_000 };
  const token = links.make(tenantId, facts);
  expect(links.read(tenantId, token)).toEqual(facts);
  expect(links.read(newId('tenant'), token)).toBeUndefined();
  expect(links.read(tenantId, `${token}=`)).toBeUndefined();
  expect(() => links.make(tenantId, { ...facts, customerId: 'somebody' })).toThrow(
    'an id of customer is needed',
  );
});
