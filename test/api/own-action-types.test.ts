/** A tenant's own type of action, from the file that docs/step-ups.md shows to the use of its approval, over HTTP alone. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readTenantFile } from '../../cli/tenant-file.ts';
import { applyTenant } from '../../db/tenant-setup.ts';
import type { TenantDocument } from '../../db/tenant-setup.ts';
import { StepUpStack, approvalBody, openIt } from '../setup/beds/step-up-stack.ts';
import type { Answer, Caller } from '../setup/callers.ts';
import { createCaller } from '../setup/callers.ts';
import { createBanker, logIn } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { ASSERTION_TYPE, createMachine, makeClientAssertion } from '../setup/machine.ts';
import { createKeyPair } from '../setup/proof.ts';
import type { KeyPair } from '../setup/proof.ts';
import { payment } from '../setup/step-ups.ts';

const RELEASE = {
  type: 'release_card',
  card: '1234 gold',
  until: 'tonight',
  amount: '4000.00',
  currency: 'NZD',
  shop: { name: 'Mere Kahu', account: '12-3456-7890123-00' },
};

let stack: StepUpStack;
let issuer: string;
let file: TenantDocument;
let cards: Caller;
let banker: Banker;
let count = 0;
beforeAll(async () => {
  stack = await StepUpStack.start();
  ({ issuer } = await stack.api.tenant());
  const key = await createKeyPair();
  file = await documentedFile(key);
  await apply(file);
  cards = await machineWith(key);
});
afterAll(async () => {
  await stack?.close();
});
beforeEach(async () => {
  banker = await createBanker(stack.api);
  await logIn(banker, banker.phone);
});

/** The page's own, with a key and a secret in their places, for the tenant that the tests have. */
async function documentedFile({ publicJwk: { x, y } }: KeyPair): Promise<TenantDocument> {
  const page = await readFile('docs/step-ups.md', 'utf8');
  const [, text = ''] = /```json\n(\{\n {2}"slug"[\s\S]*?)```/.exec(page) ?? [];
  const filled = text
    .replace('"x": "PUT-THE-PUBLIC-KEY-OF-YOUR-SERVICE-HERE"', `"x": "${x}"`)
    .replace('"y": "PUT-THE-PUBLIC-KEY-OF-YOUR-SERVICE-HERE"', `"y": "${y}"`)
    .replace('PUT-24-TO-64-RANDOM-BYTES-IN-BASE64-HERE', Buffer.alloc(32, 7).toString('base64'));
  const { slug, name, rpId } = await stack.api.tenant();
  const [row] = await stack.api.inTenant(
    (tx) => tx<{ origins: string[] }[]>`select origins from tenant`,
  );
  return { ...readTenantFile(filled), slug, name, rpId, origins: row?.origins ?? [] };
}

/** What is sealed there is another test's business. */
const apply = (document: TenantDocument) =>
  applyTenant(stack.api.testDatabase.ownerUrl, document, {
    seal: (sealed) => Promise.resolve({ kekId: 'k1', sealed }),
  });

async function machineWith({ privateKey }: KeyPair): Promise<Caller> {
  const machine = await createCaller(stack.api);
  const answer = await machine.postForm('/oauth/token', {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await makeClientAssertion(stack.api, {
      claims: { iss: 'cards', sub: 'cards' },
      header: { kid: 'cards-1' },
      signWith: privateKey,
    }),
  });
  machine.accessToken = String(answer.body.access_token);
  return machine;
}

const ask = (action: object, by: Caller = cards): Promise<Answer> => {
  const reference = `card-${String((count += 1))}`;
  return by.post('/step-ups', { customerId: banker.customerId, action, reference });
};
const use = (stepUpId: string, action: object) =>
  cards.post(`/step-ups/${stepUpId}/consume`, { action });

async function asked(action: object): Promise<string> {
  const { status, body } = await ask(action);
  expect([status, body.required]).toEqual([201, 'latchkey:3']);
  await stack.reaches(String(body.stepUpId), 'open');
  return String(body.stepUpId);
}

async function approve(stepUpId: string, locale = 'en'): Promise<Answer> {
  const opened = await openIt(banker.phone, stepUpId, { locale });
  const body = await approvalBody(banker, banker.phone, { opened, issuer });
  expect((await banker.phone.post(`/auth/step-ups/${stepUpId}/approve`, body)).body).toMatchObject({
    status: 'approved',
  });
  return opened;
}

describe("an action of the tenant's own type", () => {
  test('is shown in the words of the file, approved by passkey and approval key, and used once', async () => {
    const stepUpId = await asked(RELEASE);
    const opened = await approve(stepUpId);
    expect(opened.body).toMatchObject({
      type: 'release_card',
      requester: { kind: 'client', name: 'Cards' },
      display: {
        locale: 'en',
        template: 'release_card',
        version: 1,
        text: 'Release the card 1234 gold for 4,000.00 NZD\nCard: 1234 gold\nUp to: 4,000.00 NZD\nAt: Mere Kahu (12-3456-7890123-00)\nUntil: tonight',
      },
    });
    expect(await use(stepUpId, { ...RELEASE, amount: '4000.01' })).toMatchObject({
      status: 409,
      body: { code: 'action_mismatch' },
    });
    // Another spelling of the same.
    const first = await use(stepUpId, { ...RELEASE, amount: '4000' });
    expect(first).toMatchObject({ status: 200, body: { status: 'consumed', isRepeat: false } });
    expect((await use(stepUpId, RELEASE)).body).toMatchObject({ isRepeat: true });
  });

  test('is shown in another language of the file, and in English where it has none', async () => {
    const stepUpId = await asked({ ...RELEASE, note: 'Umzug' });
    const german = await openIt(banker.phone, stepUpId, { locale: 'de-CH' });
    expect(german.body.display).toMatchObject({
      locale: 'de',
      text: expect.stringMatching(/^Karte 1234 gold für 4\.000,00 NZD freigeben\n.*Notiz: Umzug$/s),
    });
    const other = await openIt(banker.phone, stepUpId, { locale: 'mi' });
    expect(other.body.display).toMatchObject({ locale: 'en' });
  });

  test('counts its money: below the thresholds nobody is asked, far above a code is needed too', async () => {
    const small = await ask({ ...RELEASE, amount: '40.00' });
    expect([small.status, small.body]).toEqual([200, { status: 'not_required', required: 'none' }]);
    const high = await ask({ ...RELEASE, amount: '40000.00' });
    expect([high.status, high.body.required]).toEqual([201, 'latchkey:4']);
  });

  const { shop: _shop, ...withoutShop } = RELEASE;
  test.each([
    ['without a member', withoutShop, 'shop', 'missing'],
    ['with one more', { ...RELEASE, pin: '1234' }, 'pin', 'unknown_member'],
    ['with an amount that is a number', { ...RELEASE, amount: 400.5 }, 'amount', 'not_a_string'],
    ['with an amount below zero', { ...RELEASE, amount: '-400.00' }, 'amount', 'not_an_amount'],
    [
      'with a word that is not in the list',
      { ...RELEASE, until: 'never' },
      'until',
      'unknown_value',
    ],
    [
      'with a name that imitates another',
      { ...RELEASE, shop: { ...RELEASE.shop, name: 'M\u0435re Kahu' } },
      'shop.name',
      'mixed_scripts',
    ],
    [
      'with an account that is none',
      { ...RELEASE, shop: { ...RELEASE.shop, account: 'over there' } },
      'shop.account',
      'not_an_account',
    ],
    ['that is too long', { ...RELEASE, card: 'x'.repeat(21) }, 'card', 'too_long'],
    ['of a type that nobody wrote', { ...RELEASE, type: 'release_cards' }, 'type', 'unknown_type'],
  ])('is refused %s, and the customer is not asked', async (_what, action, member, why) => {
    expect(await ask(action)).toMatchObject({
      status: 422,
      body: { code: 'action_invalid', member, why },
    });
    expect((await banker.phone.get('/auth/step-ups')).body).toEqual({ stepUps: [] });
  });

  test('takes the scope of its type, which another service does not have', async () => {
    const payments = await createMachine(stack.api, { client: 'demo-payments' });
    expect(await ask(RELEASE, payments)).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope', scope: 'step-ups:release-card' },
    });
    expect((await ask(payment('400.00'))).status).toBe(201);
  });

  test('may change while the customer thinks: what was asked before is used as it was', async () => {
    const stepUpId = await asked(RELEASE);
    const shown = await openIt(banker.phone, stepUpId);
    await apply({ ...file, actionTypes: changed(file) });
    // Opened in the same way it is the same text, part for part.
    expect((await openIt(banker.phone, stepUpId)).body.display).toEqual(shown.body.display);
    await approve(stepUpId);
    expect((await use(stepUpId, RELEASE)).body).toMatchObject({ status: 'consumed' });
    expect(await ask(RELEASE)).toMatchObject({ status: 201 });
    expect(await ask({ ...RELEASE, country: 'NZ' })).toMatchObject({ status: 409 });
  });
});

/** One more member, and it must be shown. */
function changed({ actionTypes = [] }: TenantDocument) {
  return actionTypes.map(({ name, members, templates: { en } }) => ({
    name,
    members: { ...members, country: { kind: 'text', maxLength: 20, isOptional: true } as const },
    templates: {
      en: { title: 'Release a card', fields: [...en.fields, { label: 'In', value: '{country}' }] },
    },
  }));
}
