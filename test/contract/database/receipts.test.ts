/**
 * Receipts on real rows: one a step-up whoever makes it how often, verified by the SDK's verifier as it comes out, whichever key signed; the public
 * halves stay for ever. Passkey and approval key really sign here.
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEmbeddedSigner } from '../../../adapters/kms/lasting-keys.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { listReceiptKeys } from '../../../db/receipt-keys.ts';
import { createReceiptStore, readReceipt } from '../../../db/receipts.ts';
import { createRevocationReceiptSigner } from '../../../db/revocation-receipts.ts';
import { createRevocationStore } from '../../../db/revocation-store.ts';
import { createRevocationActivities } from '../../../activities/revocation.ts';
import { revocationFacts } from '../../../db/revocation.ts';
import { canonicalJson } from '../../../domain/canonical-json.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import type { LastingSigner } from '../../../domain/ports.ts';
import { verifyReceipt } from '../../../sdk/receipt/receipt.ts';
import { SoftwareAuthenticator } from '../../setup/authenticator.ts';

import { cutOffCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';
import { coseKeyOf } from '../../setup/receipt.ts';
import {
  approvalOf,
  asked,
  drive,
  guess,
  insertStepUpCustomer,
  payment,
  read,
  sentCode,
  show,
  STEP_UP_TOOLS,
  submit,
} from '../../setup/step-ups.ts';
import type { StepUpCustomer } from '../../setup/step-ups.ts';

const ISSUER = 'https://bank.example/t/demo';
const master = (kid: string, fill: number) => ({ kid, key: new Uint8Array(32).fill(fill) });
const oldSigner = createEmbeddedSigner([master('m1', 1)]);
const newSigner = createEmbeddedSigner([master('m2', 2), master('m1', 1)]);

let testDatabase: TestDatabase;
let owner: postgres.Sql;
let database: Database;
let tenantId: string;
let nowMs = Date.parse('2027-03-01T10:00:00Z');
let customer: StepUpCustomer;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
  owner = postgres(testDatabase.superuserUrl, { max: 1 });
});
afterAll(async () => {
  await owner.end();
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  await owner`truncate receipt, receipt_key cascade`;
  await owner`update step_up set receipt_id = null`;
  customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
});

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);
const storeOf = (signer: LastingSigner) =>
  createReceiptStore(database, {
    ...STEP_UP_TOOLS,
    signer,
    issuerOf: () => Promise.resolve(ISSUER),
  });
const receiptOf = (stepUpId: string) =>
  run(async (tx) => readReceipt(tx, STEP_UP_TOOLS, await read(tx, tenantId, stepUpId)));
const keyFile = async () =>
  JSON.stringify({
    issuer: ISSUER,
    keys: (await listReceiptKeys(database)).map(({ keyId, publicJwk, validFrom, validUntil }) => ({
      ...publicJwk,
      kid: keyId,
      validFrom: validFrom.toISOString(),
      validUntil: validUntil?.toISOString() ?? null,
    })),
  });

/** Signed as a phone would. */
async function approve(amount = '400.00'): Promise<string> {
  const authenticator = new SoftwareAuthenticator('http://localhost');
  const registered = authenticator.register({
    rp: { id: 'localhost', name: 'Bank' },
    user: { id: 'dXNlcg', name: 'x', displayName: 'x' },
    challenge: 'AAAA',
    pubKeyCredParams: [],
  });
  const approvalKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cose = Buffer.from(coseKeyOf(registered.response.attestationObject), 'base64url');
  const jwk = approvalKey.publicKey.export({ format: 'jwk' });
  await owner`update credential set public_key = ${cose}, sign_count = 0 where credential_id = ${customer.credentialId}`;
  await owner`update device set approval_jwk = ${owner.json({ kty: 'EC', crv: 'P-256', x: jwk.x ?? '', y: jwk.y ?? '' })} where device_id = ${customer.deviceId}`;
  const stepUpId = await run((tx) => asked(tx, customer, { action: payment(amount) }));
  await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
  nowMs += 5_000;
  const opened = await run((tx) => show(tx, customer, stepUpId));
  const challenge = Buffer.from(opened.challenge).toString('base64url');
  const encode = (value: Record<string, string>) =>
    Buffer.from(canonicalJson(value)).toString('base64url');
  const signed = `${encode({ alg: 'ES256', typ: 'latchkey-approval+jwt' })}.${encode({ challenge, iss: ISSUER, stepUpId })}`;
  const signature = sign('sha256', Buffer.from(signed), {
    key: approvalKey.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  const assertion = authenticator.authenticate({ challenge, rpId: 'localhost' });
  const payload = approvalOf(customer, opened, {
    assertion: { ...assertion, response: { ...assertion.response } },
    approvalSignature: `${signed}.${signature.toString('base64url')}`,
    signCount: 1,
  });
  nowMs += 5_000;
  const submissionId = await run((tx) =>
    submit(tx, customer, stepUpId, { step: 'step_up_approval', payload }),
  );
  await run((tx) => drive(tx, customer, stepUpId, { event: 'keys_proved', submissionId }));
  if (amount === '400.00') return stepUpId;
  nowMs += 5_000;
  const code = await run((tx) => sentCode(tx, customer, stepUpId));
  await run((tx) => guess(tx, customer, stepUpId, code));
  await run((tx) => drive(tx, customer, stepUpId, { event: 'code_matched' }));
  return stepUpId;
}

describe('the receipt of an approval', () => {
  it.each(['400.00', '40000.00'])('of %s is genuine to whoever verifies it', async (amount) => {
    const stepUpId = await approve(amount);
    nowMs += 700;
    const receiptId = await storeOf(oldSigner).seal({ tenantId, stepUpId });
    expect(receiptId).toMatch(/^rcp_[0-9a-f]{32}$/);
    const text = JSON.stringify(await receiptOf(stepUpId));
    const { verdict, checks } = await verifyReceipt(text, { keys: await keyFile() });
    expect(checks.filter(({ result }) => result !== 'passed')).toEqual([]);
    expect(verdict).toBe('genuine');
    expect(await run((tx) => read(tx, tenantId, stepUpId))).toMatchObject({ receiptId });
  });

  it('is genuine although its key is the first, and was written down after the approval was read', async () => {
    const stepUpId = await approve();
    const slow: LastingSigner = {
      sign: (purpose, message) => oldSigner.sign(purpose, message),
      publicKeys: (purpose) => {
        nowMs += 900;
        return oldSigner.publicKeys(purpose);
      },
    };
    await storeOf(slow).seal({ tenantId, stepUpId });
    const text = JSON.stringify(await receiptOf(stepUpId));
    expect((await verifyReceipt(text, { keys: await keyFile() })).verdict).toBe('genuine');
  });

  it('is one, however many workers make it at once and again', async () => {
    const stepUpId = await approve();
    const store = storeOf(oldSigner);
    const made = await Promise.all(
      Array.from({ length: 6 }, () => store.seal({ tenantId, stepUpId })),
    );
    made.push(await store.seal({ tenantId, stepUpId }));
    expect(new Set(made).size).toBe(1);
    const rows = await run(
      (tx) =>
        tx<{ receiptId: string }[]>`select receipt_id from receipt where step_up_id = ${stepUpId}`,
    );
    expect(rows.map(({ receiptId }) => receiptId)).toEqual([made[0]]);
    const audited = await run(
      (tx) => tx`select 1 from audit where ceremony_id = ${stepUpId} and action = 'receipt.sealed'`,
    );
    expect(audited).toHaveLength(1);
  });

  it('is pending while the key management is away, and is made when it is back', async () => {
    const stepUpId = await approve();
    const away: LastingSigner = {
      publicKeys: (purpose) => oldSigner.publicKeys(purpose),
      sign: () => Promise.reject(new LatchkeyError('vendor_unavailable')),
    };
    await expect(storeOf(away).seal({ tenantId, stepUpId })).rejects.toMatchObject({
      code: 'vendor_unavailable',
    });
    await expect(receiptOf(stepUpId)).rejects.toMatchObject({ code: 'receipt_pending' });
    expect(await storeOf(oldSigner).seal({ tenantId, stepUpId })).not.toBeNull();
  });

  it('is not made of what nobody approved', async () => {
    const stepUpId = await run((tx) => asked(tx, customer));
    expect(await storeOf(oldSigner).seal({ tenantId, stepUpId })).toBeNull();
    expect(await storeOf(oldSigner).seal({ tenantId, stepUpId: 'cer_none' })).toBeNull();
    await expect(receiptOf(stepUpId)).rejects.toMatchObject({ code: 'step_up_not_approved' });
  });

  it('is unreadable at rest, and gone with the customer’s key', async () => {
    const stepUpId = await approve();
    await storeOf(oldSigner).seal({ tenantId, stepUpId });
    const [row] = await run((tx) => tx<{ sealed: Uint8Array }[]>`select sealed from receipt`);
    expect(Buffer.from(row?.sealed ?? []).includes('Mere Kahu')).toBe(false);
    await run((tx) => STEP_UP_TOOLS.personalData.eraseKey(tx, tenantId, customer.customerId));
    await expect(receiptOf(stepUpId)).rejects.toMatchObject({ code: 'internal_error' });
  });
});

describe('the keys of receipts', () => {
  it('are rotated without breaking an old receipt, and the old one ends for good a day later', async () => {
    const first = await approve();
    await storeOf(oldSigner).seal({ tenantId, stepUpId: first });
    customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
    const second = await approve();
    await storeOf(newSigner).seal({ tenantId, stepUpId: second });
    customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
    const third = await approve();
    // A worker that was started with the old list.
    await storeOf(oldSigner).seal({ tenantId, stepUpId: third });
    const keys = await keyFile();
    for (const stepUpId of [first, second, third]) {
      const text = JSON.stringify(await receiptOf(stepUpId));
      expect((await verifyReceipt(text, { keys })).verdict).toBe('genuine');
    }
    const [current, ended] = await listReceiptKeys(database);
    expect(current).toMatchObject({ slug: 'demo', validUntil: null });
    expect(ended?.validUntil).not.toBeNull();

    customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
    const late = await approve();
    nowMs += 25 * 3_600_000;
    await expect(storeOf(oldSigner).seal({ tenantId, stepUpId: late })).rejects.toMatchObject({
      code: 'vendor_unavailable',
    });
    expect(await storeOf(newSigner).seal({ tenantId, stepUpId: late })).not.toBeNull();
    expect(await listReceiptKeys(database)).toHaveLength(2);
  });

  it('sign the receipt of a cut-off too', async () => {
    const answer = await run((tx) => cutOffCustomer(tx, customer));
    const subject = { tenantId, revocationId: answer?.revocationId ?? '' };
    const activities = createRevocationActivities({
      store: createRevocationStore(database),
      signer: createRevocationReceiptSigner({
        database,
        signer: oldSigner,
        issuerOf: () => Promise.resolve(ISSUER),
      }),
      bell: { ring: () => Promise.resolve() },
      heartbeat: { beat: () => undefined, pause: () => Promise.resolve() },
      nowMs: () => nowMs,
    });
    await activities.endRows(subject);
    await activities.sealReceipt(subject);
    const sealed = await run((tx) => revocationFacts(tx, subject));
    const text = JSON.stringify(sealed?.receipt);
    const keys = await keyFile();
    expect((await verifyReceipt(text, { keys })).verdict).toBe('genuine');
    const changed = text.replace('"newEpoch":2', '"newEpoch":3');
    expect((await verifyReceipt(changed, { keys })).verdict).toBe('refused');
    await activities.sealReceipt(subject);
    expect((await run((tx) => revocationFacts(tx, subject)))?.receipt).toEqual(sealed?.receipt);
  });
});
