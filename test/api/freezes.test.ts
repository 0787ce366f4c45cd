/** "Freeze my account" over HTTP: from the app, by link, by code from any phone, by staff; what it stops and what it leaves; and who may end it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { createFreezeLinks } from '../../db/freeze-links.ts';
import { placeFreeze } from '../../db/freeze.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import type { Caller } from '../setup/callers.ts';
import { cutOffCustomer } from '../setup/customer.ts';
import { addDevice, APP, createBanker, logIn, loginBody, refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { makeProof } from '../setup/proof.ts';
import { createStaff } from '../setup/staff.ts';

const DAY = 86_400_000;
const GATEWAY = { origin: 'https://api.bank.example', pathPrefix: '/pay', scope: 'payments:write' };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ configuration: { gateways: { payments: GATEWAY } } });
});
afterAll(() => api.close());

async function loggedIn(): Promise<Banker & { readonly refreshToken: string }> {
  const banker = await createBanker(api);
  const { body } = await logIn(banker, banker.phone);
  return { ...banker, refreshToken: String(body.refresh_token) };
}

const freeze = (phone: Caller) => phone.post('/auth/freeze', {});
const lift = (phone: Caller) => phone.post('/auth/freeze/lift', {});
const frozenUntil = async (phone: Caller) => (await phone.get('/auth/me')).body.frozenUntil;
const FROZEN = { status: 403, body: { code: 'customer_frozen' } };

/** As a payments gateway asks about that customer's request. */
async function payable({ phone }: Banker): Promise<string | number> {
  const accessToken = phone.accessToken ?? '';
  const dpop = await makeProof({
    key: phone.key,
    method: 'POST',
    htu: `${GATEWAY.origin}/pay/now`,
    nowMs: api.clock.nowMs(),
    accessToken,
  });
  const answer = await api.app.inject({
    url: `${api.prefix}/gateway/verify`,
    headers: {
      'x-gateway-id': 'payments',
      'x-original-method': 'POST',
      'x-original-uri': '/pay/now',
      authorization: `DPoP ${accessToken}`,
      dpop,
    },
  });
  return answer.statusCode === 200 ? 200 : answer.json<{ code: string }>().code;
}

describe('a freeze from the app', () => {
  test('stops payments at the gateway at once, by the very token that paid before, and shows until when', async () => {
    const banker = await loggedIn();
    expect(await payable(banker)).toBe(200);
    expect(await frozenUntil(banker.phone)).toBeNull();
    const answer = await freeze(banker.phone);
    expect(answer.status).toBe(200);
    expect(Date.parse(answer.body.frozenUntil) - api.clock.nowMs()).toBeGreaterThan(DAY - 60_000);
    expect(await payable(banker)).toBe('customer_frozen');
    expect(await frozenUntil(banker.phone)).toBe(answer.body.frozenUntil);
  });

  test('is in the token of the next refresh, so that services that judge tokens by themselves see it', async () => {
    const banker = await loggedIn();
    await freeze(banker.phone);
    const { body } = await refresh(banker.phone, banker.refreshToken);
    expect(body.scope).toBe('openid profile email phone accounts:read');
    banker.phone.accessToken = String(body.access_token);
    // Not a scope that is missing: a freeze that will end.
    expect(await payable(banker)).toBe('customer_frozen');
  });

  test('stops what changes the account’s protection, and nothing that takes access away', async () => {
    const own = await loggedIn();
    const other = await addDevice(api, own);
    const third = await addDevice(api, own);
    await freeze(own.phone);
    for (const path of [
      `/auth/devices/${other.deviceId}/resume`,
      `/auth/devices/${other.deviceId}/revoke`,
      `/auth/devices/${other.deviceId}/lift-report`,
      `/auth/credentials/${other.credentialId}/revoke`,
    ])
      expect(await own.phone.post(path, {})).toMatchObject(FROZEN);
    expect((await own.phone.post(`/auth/devices/${other.deviceId}/suspend`, {})).status).toBe(200);
    const stolen = { kind: 'stolen' };
    expect((await own.phone.post(`/auth/devices/${third.deviceId}/report`, stolen)).status).toBe(
      200,
    );
    expect((await own.phone.post('/auth/logout', { scope: 'everywhere' })).status).toBe(200);
  });

  test('leaves logins as strong as they were, and reading', async () => {
    const banker = await loggedIn();
    await freeze(banker.phone);
    expect((await logIn(banker, banker.phone)).body.acr).toBe('latchkey:2');
    for (const path of ['/auth/me', '/auth/sessions', '/auth/devices', '/auth/step-ups'])
      expect((await banker.phone.get(path)).status).toBe(200);
  });

  test('answers the same to the same Idempotency-Key, and adds nothing when pressed again', async () => {
    const banker = await loggedIn();
    const options = { idempotencyKey: newId('request') };
    const first = await banker.phone.post('/auth/freeze', {}, options);
    expect((await banker.phone.post('/auth/freeze', {}, options)).body).toEqual(first.body);
    expect((await freeze(banker.phone)).body).toEqual(first.body);
  });

  test('may come from a session that only reads, and is bounded then', async () => {
    const banker = await createBanker(api, { deviceStatus: 'restricted' });
    await logIn(banker, banker.phone);
    expect((await freeze(banker.phone)).status).toBe(200);
    const [row] = await api.inTenant(
      (tx) => tx<{ isProved: boolean }[]>`
        select is_proved from customer_freeze where customer_id = ${banker.customerId}`,
    );
    expect(row).toEqual({ isProved: false });
  });
});

describe('a freeze is lifted', () => {
  test('by a passkey that was used since it began, and the next token pays again', async () => {
    const banker = await loggedIn();
    await freeze(banker.phone);
    expect(await lift(banker.phone)).toMatchObject({
      status: 401,
      body: { code: 'insufficient_user_authentication', acr_values: 'latchkey:2' },
    });
    expect(await payable(banker)).toBe('customer_frozen');
    api.clock.advance(1000);
    const { body } = await logIn(banker, banker.phone);
    expect(await lift(banker.phone)).toMatchObject({ status: 200, body: { frozenUntil: null } });
    const renewed = await refresh(banker.phone, String(body.refresh_token));
    banker.phone.accessToken = String(renewed.body.access_token);
    expect(await payable(banker)).toBe(200);
    expect(await frozenUntil(banker.phone)).toBeNull();
  });

  test('not by a passkey’s answer from before it that arrives late', async () => {
    const banker = await loggedIn();
    banker.phone.accessToken = undefined;
    const late = await loginBody(banker, banker.phone);
    api.clock.advance(1000);
    await api.inTenant(
      async (tx) =>
        await placeFreeze(tx, {
          tenantId: api.tenantId,
          customerId: banker.customerId,
          freezeId: newId('freeze'),
          how: 'phone_code',
          by: { kind: 'customer', id: banker.customerId },
          isProved: false,
          policy: DEFAULT_POLICY.freeze,
        }),
    );
    api.clock.advance(1000);
    const { body } = await banker.phone.post('/auth/login', late);
    banker.phone.accessToken = String(body.access_token);
    expect(await lift(banker.phone)).toMatchObject({
      status: 401,
      body: { code: 'insufficient_user_authentication' },
    });
    await logIn(banker, banker.phone);
    expect((await lift(banker.phone)).status).toBe(200);
  });

  test('by nobody on a device that is reported, nor by its passkey elsewhere, nor on a phone that nobody knows', async () => {
    const banker = await loggedIn();
    const thief = await addDevice(api, banker);
    await banker.phone.post(`/auth/devices/${thief.deviceId}/report`, { kind: 'stolen' });
    await freeze(banker.phone);
    api.clock.advance(1000);
    const unknown = await createPhone(api);
    for (const phone of [thief.phone, unknown]) {
      expect((await logIn(thief, phone)).status).toBe(200);
      expect((await lift(phone)).body.code).toBe('insufficient_user_authentication');
    }
    // The stolen phone's passkey, synced to a trusted one.
    await logIn(thief, banker.phone);
    expect((await lift(banker.phone)).body.code).toBe('device_not_allowed');
    await logIn(banker, banker.phone);
    expect((await lift(banker.phone)).status).toBe(200);
  });

  test('by itself, after a day', async () => {
    const banker = await loggedIn();
    await freeze(banker.phone);
    api.clock.advance(DAY + 1000);
    await logIn(banker, banker.phone);
    expect(await payable(banker)).toBe(200);
    expect(await frozenUntil(banker.phone)).toBeNull();
  });
});

describe('the link of a notice', () => {
  const tokenOf = ({ customerId }: Pick<Banker, 'customerId'>, ageMs = 0, tenantId?: string) =>
    createFreezeLinks(api.deps.kms).make(tenantId ?? api.tenantId, {
      customerId,
      messageId: newId('outbox'),
      sentAtMs: api.clock.nowMs() - ageMs,
    });
  const post = async (token: string, headers: Record<string, string> = {}) => {
    const answer = await api.app.inject({
      method: 'POST',
      url: `${api.prefix}/freezes/link`,
      headers: { 'content-type': 'application/json', ...headers },
      payload: JSON.stringify({ token }),
    });
    return {
      status: answer.statusCode,
      body: answer.json<{ code?: string; frozenUntil?: string }>(),
    };
  };

  test('freezes once, from a browser that nobody is logged in with, and tells the same while it lasts', async () => {
    const banker = await loggedIn();
    const token = tokenOf(banker);
    const first = await post(token, { origin: 'https://mail.example' });
    expect(first.status).toBe(200);
    expect(await payable(banker)).toBe('customer_frozen');
    expect(await post(token)).toEqual(first);
    api.clock.advance(1000);
    await logIn(banker, banker.phone);
    await lift(banker.phone);
    expect(await post(token)).toMatchObject({ status: 409, body: { code: 'freeze_link_used' } });
  });

  test('asks for a new passkey though it adds no time: a login from before it lifts nothing', async () => {
    const banker = await loggedIn();
    await freeze(banker.phone);
    api.clock.advance(1000);
    // The owner looks in; then the unlocked phone is taken from him, and he freezes from a neighbour's.
    await logIn(banker, banker.phone);
    api.clock.advance(60_000);
    const token = tokenOf(banker);
    expect((await post(token)).status).toBe(200);
    const refused = { status: 401, body: { code: 'insufficient_user_authentication' } };
    expect(await lift(banker.phone)).toMatchObject(refused);
    expect(await payable(banker)).toBe('customer_frozen');
    // It is spent: whoever reads the mailbox costs the owner one login a notice, not one a second.
    api.clock.advance(1000);
    await logIn(banker, banker.phone);
    api.clock.advance(1000);
    expect((await post(token)).status).toBe(200);
    expect((await lift(banker.phone)).status).toBe(200);
  });

  test('consumes nothing when it is only opened', async () => {
    const banker = await loggedIn();
    const token = tokenOf(banker);
    const url = `${api.prefix}/freezes/link?token=${token}`;
    expect((await api.app.inject({ url })).statusCode).toBe(405);
    expect(await frozenUntil(banker.phone)).toBeNull();
  });

  test('is good until its time and not after', async () => {
    const banker = await loggedIn();
    const lifeMs = DEFAULT_POLICY.freeze.linkSeconds * 1000;
    const expired = { status: 410, body: { code: 'freeze_link_expired' } };
    expect(await post(tokenOf(banker, lifeMs + 1000))).toMatchObject(expired);
    expect((await post(tokenOf(banker, lifeMs - 5000))).status).toBe(200);
  });

  test('that is changed in any place, of another tenant or of nobody is refused alike', async () => {
    const banker = await loggedIn();
    const token = tokenOf(banker);
    const invalid = { status: 422, body: { code: 'freeze_link_invalid' } };
    const other = await api.addTenant('freeze-other');
    const spoiled = Array.from(token).map(
      (letter, place) =>
        token.slice(0, place) + (letter === 'A' ? 'B' : 'A') + token.slice(place + 1),
    );
    for (const bad of [
      ...spoiled.filter((_, place) => place % 9 === 0),
      `${token}A`,
      token.slice(0, -1),
      'A',
      tokenOf(banker, 0, other),
      tokenOf({ customerId: newId('customer') }),
    ])
      expect(await post(bad)).toMatchObject(invalid);
    expect(await frozenUntil(banker.phone)).toBeNull();
  });

  test('after link, the next is refused once unproved freezes are used up; the app freezes still', async () => {
    const banker = await loggedIn();
    for (let time = 0; time < 3; time += 1) {
      expect((await post(tokenOf(banker))).status).toBe(200);
      api.clock.advance(1000);
      await logIn(banker, banker.phone);
      await lift(banker.phone);
    }
    expect(await post(tokenOf(banker))).toMatchObject({
      status: 429,
      body: { code: 'freeze_limit_reached' },
    });
    expect(await frozenUntil(banker.phone)).toBeNull();
    expect((await freeze(banker.phone)).status).toBe(200);
  });
});

describe('a freeze from any phone', () => {
  /** A number of its own, which the bank knows or not. */
  let last = 400;
  const newNumber = () => {
    last += 1;
    return `+64211234${String(last)}`;
  };
  async function knownAs(number: string): Promise<Banker> {
    const banker = await loggedIn();
    const index = api.deps.personalData.blindIndex(api.tenantId, 'phone', number);
    await api.inTenant(async (tx) => {
      await tx`update contact set blind_index = ${index} where customer_id = ${banker.customerId} and kind = 'phone'`;
    });
    return banker;
  }
  const ask = (phone: Caller, number: string) =>
    phone.post('/freezes', { clientId: APP, phone: number });
  const codeOf = (requestId: string) =>
    api.deps.otpCodes.codeFor(requestId, DEFAULT_POLICY.otp.digits);
  const wrongOf = (requestId: string) => (codeOf(requestId) === '000000' ? '111111' : '000000');
  const hand = (phone: Caller, requestId: string, code: string) =>
    phone.post(`/freezes/${requestId}/code`, { code });

  test('freezes when the code is right, and answers the same again', async () => {
    const number = newNumber();
    const banker = await knownAs(number);
    const phone = await createPhone(api);
    const asked = await ask(phone, number);
    expect(asked.status).toBe(202);
    const { requestId } = asked.body;
    const done = await hand(phone, requestId, codeOf(requestId));
    expect(done.status).toBe(200);
    expect(await payable(banker)).toBe('customer_frozen');
    expect((await hand(phone, requestId, codeOf(requestId))).body).toEqual(done.body);
    const messages = await api.inTenant(
      (tx) => tx<{ payload: object }[]>`
        select payload from outbox where topic = 'message.sms' and payload->>'freezeRequestId' = ${requestId}`,
    );
    expect(messages).toHaveLength(1);
  });

  test('of a number that is nobody’s is answered alike at every step, and sends nothing', async () => {
    const known = newNumber();
    await knownAs(known);
    const seen = [];
    for (const number of [known, newNumber()]) {
      const phone = await createPhone(api);
      const options = { idempotencyKey: newId('request') };
      const body = { clientId: APP, phone: number };
      const asked = await phone.post('/freezes', body, options);
      const { requestId } = asked.body;
      expect((await phone.post('/freezes', body, options)).body).toEqual(asked.body);
      const guesses = [];
      for (let guess = 0; guess < 6; guess += 1) {
        const { status, body: answer } = await hand(phone, requestId, wrongOf(requestId));
        guesses.push([status, answer.code, answer.attemptsLeft]);
      }
      seen.push({ status: asked.status, members: Object.keys(asked.body), guesses });
    }
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]?.guesses.slice(-2)).toEqual([
      [429, 'attempts_exhausted', 0],
      [429, 'attempts_exhausted', undefined],
    ]);
  });

  test('of a number that is nobody’s freezes nobody, even by the right code', async () => {
    const phone = await createPhone(api);
    const { requestId } = (await ask(phone, newNumber())).body;
    expect((await hand(phone, requestId, codeOf(requestId))).body.code).toBe('wrong_code');
  });

  test('belongs to the phone that asked, and to its time', async () => {
    const number = newNumber();
    await knownAs(number);
    const phone = await createPhone(api);
    const { requestId } = (await ask(phone, number)).body;
    const stranger = await createPhone(api);
    expect(await hand(stranger, requestId, codeOf(requestId))).toMatchObject({
      status: 404,
      body: { code: 'freeze_request_not_found' },
    });
    api.clock.advance(DEFAULT_POLICY.otp.ttlSeconds * 1000 + 1000);
    expect((await hand(phone, requestId, codeOf(requestId))).body.code).toBe('code_expired');
  });

  test('sends no more codes to one number than the policy says, known or not, whoever asks', async () => {
    for (const number of [newNumber(), newNumber()]) {
      if (number.endsWith('1')) await knownAs(number);
      const statuses = [];
      for (let time = 0; time < DEFAULT_POLICY.freeze.requestsPerNumber + 1; time += 1)
        statuses.push((await ask(await createPhone(api), number)).status);
      expect(statuses).toEqual([202, 202, 202, 429]);
    }
  });

  test('refuses what is no number, and an app that is not one', async () => {
    const phone = await createPhone(api);
    expect((await ask(phone, '12345')).body.code).toBe('phone_invalid');
    const asked = await phone.post('/freezes', { clientId: 'nobody', phone: newNumber() });
    expect(asked.body.code).toBe('unknown_client');
  });
});

describe('a freeze by staff', () => {
  const reason = { reason: 'customer_request' };

  test('is placed by an agent, seen at the desk, and lifted by a supervisor with a recent login', async () => {
    const banker = await loggedIn();
    const agent = await createStaff(api, ['agent']);
    const path = `/staff/customers/${banker.customerId}`;
    const placed = await agent.post(`${path}/freeze`, reason);
    expect(placed.status).toBe(200);
    expect(await payable(banker)).toBe('customer_frozen');
    expect((await agent.get(path)).body.frozenUntil).toBe(placed.body.frozenUntil);
    expect(await agent.post(`${path}/lift-freeze`, reason)).toMatchObject({
      status: 403,
      body: { code: 'staff_role_missing' },
    });
    const tired = await createStaff(api, ['supervisor'], { loggedInMsAgo: 10 * 60_000 });
    expect((await tired.post(`${path}/lift-freeze`, reason)).body.code).toBe(
      'reauthentication_required',
    );
    const supervisor = await createStaff(api, ['supervisor']);
    expect((await supervisor.post(`${path}/lift-freeze`, reason)).status).toBe(200);
    expect(await payable(banker)).toBe(200);
    const audit = await api.inTenant(
      (tx) => tx<{ action: string; because: string }[]>`
        select action, detail->>'because' as because from audit
        where customer_id = ${banker.customerId} and action like 'customer.f%' order by position`,
    );
    expect([...audit]).toEqual([
      { action: 'customer.frozen', because: 'customer_request' },
      { action: 'customer.freeze_lifted', because: 'customer_request' },
    ]);
  });

  test('of nobody is not found', async () => {
    const supervisor = await createStaff(api, ['supervisor']);
    for (const action of ['freeze', 'lift-freeze'])
      expect(
        await supervisor.post(`/staff/customers/${newId('customer')}/${action}`, reason),
      ).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('does not stand in the way of a hold', async () => {
    const banker = await loggedIn();
    await freeze(banker.phone);
    await api.inTenant((tx) =>
      cutOffCustomer(tx, { tenantId: api.tenantId, customerId: banker.customerId }),
    );
    expect((await banker.phone.get('/auth/me')).body.code).toBe('customer_on_hold');
  });
});
