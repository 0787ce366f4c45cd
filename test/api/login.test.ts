/** Logging in with a passkey: what is granted, and each thing that can be wrong, alone, with everything else valid. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../adapters/random.ts';
import type { Spoil } from '../setup/authenticator.ts';
import { cutOffCustomer, releaseCustomer } from '../setup/customer.ts';
import { APP, createBanker, loginBody, logIn, refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { startTestApi } from '../setup/api.ts';
import { ONE_FACTOR, ROOMY_POLICY } from '../setup/demo-tenant.ts';
import { createPhone } from '../setup/callers.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
beforeAll(async () => {
  // Its Temporal is down the whole time: nothing here needs it.
  api = await startTestApi({ policy: { ...ROOMY_POLICY, login: ONE_FACTOR } });
});
afterAll(async () => {
  await api?.close();
});

/** Of this customer. */
async function rowsOf(customerId: string) {
  return await api.inTenant(async (tx) => {
    const sessions = await tx<
      { sessionId: string; status: string; endReason: string | null; acr: string; risk: string }[]
    >`
      select session_id, status, end_reason, acr, risk from session where customer_id = ${customerId} order by started_at, session_id`;
    const audit = await tx<{ action: string }[]>`
      select action from audit where customer_id = ${customerId} order by position`;
    const outbox = await tx<{ topic: string; type: string | null }[]>`
      select topic, payload ->> 'type' as type from outbox
      where subject = ${customerId} or subject in (select session_id from session where customer_id = ${customerId}) order by position`;
    return { sessions: [...sessions], audit: audit.map((row) => row.action), outbox: [...outbox] };
  });
}

async function spentChallenges(): Promise<number> {
  const [row] = await api.inTenant(
    async (tx) => await tx<{ n: number }[]>`select count(*)::integer as n from spent_challenge`,
  );
  return row?.n ?? -1;
}

const cutOffOf = ({ customerId }: Banker) =>
  api.inTenant((tx) => cutOffCustomer(tx, { tenantId: api.tenantId, customerId }));

const releaseOf = ({ customerId }: Banker) =>
  api.inTenant((tx) => releaseCustomer(tx, { tenantId: api.tenantId, customerId }));

describe('a login on a trusted device', () => {
  test('begins a session, its audit row, its workflow’s start and its event', async () => {
    const banker = await createBanker(api);
    const { status, body } = await logIn(banker, banker.phone);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      token_type: 'DPoP',
      expires_in: 300,
      acr: 'latchkey:2',
      scope: 'openid profile email phone accounts:read payments:write profile:write',
      session_id: expect.stringMatching(/^ses_/),
    });
    expect(body.refresh_token).toMatch(/^lr1\./);
    expect(body.id_token.split('.')).toHaveLength(3);
    const rows = await rowsOf(banker.customerId);
    expect(rows.sessions).toMatchObject([
      { sessionId: body.session_id, status: 'live', acr: 'latchkey:2' },
    ]);
    expect(rows.audit).toEqual(['session.created']);
    expect(rows.outbox).toEqual([
      { topic: 'event', type: 'bank.app.session_created' },
      { topic: 'session.start', type: null },
    ]);
  });

  test('leaves no token at rest', async () => {
    const banker = await createBanker(api);
    const { body } = await logIn(banker, banker.phone);
    const secret = Buffer.from(String(body.refresh_token).split('.')[4] ?? '', 'base64url');
    const [row] = await api.inTenant(
      async (tx) =>
        await tx<{ dump: string }[]>`
        select concat(s::text, (select string_agg(i::text, '') from idempotency i), (select string_agg(o::text, '') from outbox o),
          (select string_agg(a::text, '') from audit a)) as dump from session s where session_id = ${body.session_id}`,
    );
    expect(row?.dump).not.toContain(secret.toString('hex'));
    expect(row?.dump).not.toContain(body.refresh_token);
    expect(row?.dump).not.toContain(body.access_token);
  });

  test('ends that key’s older session and nobody else’s', async () => {
    const banker = await createBanker(api);
    const other = await createBanker(api);
    await logIn(other, other.phone);
    const first = await logIn(banker, banker.phone);
    const second = await logIn(banker, banker.phone);
    const { sessions, outbox } = await rowsOf(banker.customerId);
    expect(sessions).toMatchObject([
      { sessionId: first.body.session_id, status: 'ended', endReason: 'superseded' },
      { sessionId: second.body.session_id, status: 'live' },
    ]);
    expect(outbox.filter(({ topic }) => topic === 'session.wake')).toHaveLength(1);
    expect((await rowsOf(other.customerId)).sessions).toMatchObject([{ status: 'live' }]);
  });

  test('leaves one live session when the same key logs in many times at once', async () => {
    const banker = await createBanker(api);
    const bodies = [];
    for (let index = 0; index < 4; index += 1) bodies.push(await loginBody(banker, banker.phone));
    const answers = await Promise.all(bodies.map((body) => banker.phone.post('/auth/login', body)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { sessions } = await rowsOf(banker.customerId);
    expect(sessions.filter(({ status }) => status === 'live')).toHaveLength(1);
  });
});

describe('the strength of a login follows its device', () => {
  test.each(['untrusted', 'restricted'] as const)('%s: read-only', async (deviceStatus) => {
    const banker = await createBanker(api, { deviceStatus });
    const { body } = await logIn(banker, banker.phone);
    expect(body).toMatchObject({ acr: 'latchkey:1', scope: 'openid accounts:read' });
  });

  test('a key that belongs to no device: read-only, without a device id', async () => {
    const banker = await createBanker(api);
    const stranger = await createPhone(api);
    const { body } = await logIn(banker, stranger);
    expect(body).toMatchObject({ acr: 'latchkey:1', scope: 'openid accounts:read' });
    expect((await stranger.get('/auth/me')).body.device).toBeNull();
  });

  test.each(['pending', 'suspended', 'revoked'] as const)('%s: refused', async (deviceStatus) => {
    const banker = await createBanker(api, { deviceStatus });
    expect(await logIn(banker, banker.phone)).toMatchObject({
      status: 403,
      body: { code: 'device_not_allowed' },
    });
  });

  test('another customer’s device: refused', async () => {
    const banker = await createBanker(api);
    const other = await createBanker(api);
    expect(await logIn(banker, other.phone)).toMatchObject({
      body: { code: 'device_not_allowed' },
    });
  });
});

describe('a login is refused, and nothing is written, when', () => {
  const spoilt: readonly (readonly [string, Spoil, number, string])[] = [
    ['the origin is another', { origin: 'https://evil.example' }, 400, 'origin_mismatch'],
    ['it was made in a frame', { clientData: { crossOrigin: true } }, 400, 'origin_mismatch'],
    [
      'it names a page around it',
      { clientData: { topOrigin: 'https://evil.example' } },
      400,
      'origin_mismatch',
    ],
    ['the relying party is another', { rpId: 'evil.example' }, 400, 'relying_party_mismatch'],
    ['the user was not verified', { userVerified: false }, 400, 'user_verification_missing'],
    ['the user was not present', { userPresent: false }, 400, 'user_verification_missing'],
    ['it is a registration', { type: 'webauthn.create' }, 400, 'credential_invalid'],
    [
      'the challenge is not ours',
      { challenge: randomBytes(32).toString('base64url') },
      400,
      'challenge_invalid',
    ],
    ['another key signed it', { wrongKey: true }, 400, 'credential_invalid'],
    [
      'the user handle is another’s',
      { userHandle: Buffer.from('cus_other').toString('base64url') },
      400,
      'credential_invalid',
    ],
  ];
  test.each(spoilt)('%s', async (_name, spoil, status, code) => {
    const banker = await createBanker(api);
    const before = await spentChallenges();
    expect(await logIn(banker, banker.phone, { spoil })).toMatchObject({ status, body: { code } });
    expect(await rowsOf(banker.customerId)).toEqual({ sessions: [], audit: [], outbox: [] });
    expect(await spentChallenges()).toBe(before);
  });

  test('the passkey is unknown', async () => {
    const banker = await createBanker(api);
    await api.inTenant(
      (tx) =>
        tx`update credential set webauthn_id = ${newId('credential')} where credential_id = ${banker.credentialId}`,
    );
    expect(await logIn(banker, banker.phone)).toMatchObject({
      status: 401,
      body: { code: 'credential_unknown' },
    });
  });

  test('the passkey is suspended', async () => {
    const banker = await createBanker(api);
    await api.inTenant(
      (tx) =>
        tx`update credential set status = 'suspended' where credential_id = ${banker.credentialId}`,
    );
    expect(await logIn(banker, banker.phone)).toMatchObject({
      body: { code: 'credential_unknown' },
    });
  });

  test('the customer is still a prospect', async () => {
    const banker = await createBanker(api);
    await api.inTenant(
      (tx) => tx`update customer set status = 'prospect' where customer_id = ${banker.customerId}`,
    );
    expect(await logIn(banker, banker.phone)).toMatchObject({
      body: { code: 'credential_unknown' },
    });
  });

  test('the client is not one of ours', async () => {
    const banker = await createBanker(api);
    const body = { ...(await loginBody(banker, banker.phone)), clientId: 'other-app' };
    expect(await banker.phone.post('/auth/login', body)).toMatchObject({
      body: { code: 'unknown_client' },
    });
    expect(
      await banker.phone.post('/auth/login-options', { clientId: 'demo-fraud' }),
    ).toMatchObject({
      body: { code: 'unknown_client' },
    });
  });

  test('the body has an extra field, or a field of another type', async () => {
    const banker = await createBanker(api);
    const body = await loginBody(banker, banker.phone);
    for (const bad of [{ ...body, more: 1 }, { ...body, credential: 'x' }, { clientId: APP }]) {
      expect(await banker.phone.post('/auth/login', bad)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
    }
  });
});

describe('a challenge', () => {
  test('asked for, writes nothing', async () => {
    const banker = await createBanker(api);
    const before = await spentChallenges();
    await loginBody(banker, banker.phone);
    expect(await spentChallenges()).toBe(before);
  });

  test('logs in once', async () => {
    const banker = await createBanker(api);
    const body = await loginBody(banker, banker.phone);
    expect((await banker.phone.post('/auth/login', body)).status).toBe(200);
    expect(await banker.phone.post('/auth/login', body)).toMatchObject({
      status: 409,
      body: { code: 'challenge_spent' },
    });
    expect((await rowsOf(banker.customerId)).sessions).toHaveLength(1);
  });

  test('is good for the key that asked and no other', async () => {
    const banker = await createBanker(api);
    const body = await loginBody(banker, await createPhone(api));
    expect(await banker.phone.post('/auth/login', body)).toMatchObject({
      body: { code: 'challenge_invalid' },
    });
  });

  test.each([
    ['just before its end logs in', -1000, 200],
    ['just after its end does not', 0, 400],
  ])('%s', async (_name, offsetMs, status) => {
    const banker = await createBanker(api);
    const body = await loginBody(banker, banker.phone);
    api.clock.advance(300_000 + offsetMs);
    expect((await banker.phone.post('/auth/login', body)).status).toBe(status);
  });

  test('from before a cut-off is refused even after the release', async () => {
    const banker = await createBanker(api);
    const body = await loginBody(banker, banker.phone);
    await cutOffOf(banker);
    await releaseOf(banker);
    expect(await banker.phone.post('/auth/login', body)).toMatchObject({
      body: { code: 'challenge_invalid' },
    });
    api.clock.advance(6_000);
    expect((await logIn(banker, banker.phone)).status).toBe(200);
  });
});

describe('a held customer', () => {
  test('cannot log in and is told so', async () => {
    const banker = await createBanker(api);
    await cutOffOf(banker);
    api.clock.advance(6_000);
    expect(await logIn(banker, banker.phone)).toMatchObject({
      status: 403,
      body: { code: 'customer_on_hold' },
    });
  });
});

describe('a passkey’s counter', () => {
  test('that moves back is noted as a risk and refuses nobody', async () => {
    const banker = await createBanker(api);
    await logIn(banker, banker.phone, { spoil: { signCount: 9 } });
    expect((await logIn(banker, banker.phone, { spoil: { signCount: 4 } })).status).toBe(200);
    const { sessions, audit } = await rowsOf(banker.customerId);
    expect(audit).toContain('credential.counter_regressed');
    expect(sessions.find(({ status }) => status === 'live')).toMatchObject({ risk: 'high' });
    const [row] = await api.inTenant(
      async (tx) =>
        await tx`select sign_count from credential where credential_id = ${banker.credentialId}`,
    );
    expect(row).toMatchObject({ signCount: 9 });
  });
});

describe('a login whose answer was lost', () => {
  test('is answered again under its Idempotency-Key: same session, same refresh token', async () => {
    const banker = await createBanker(api);
    const body = await loginBody(banker, banker.phone);
    const idempotencyKey = 'login-1';
    const first = await banker.phone.post('/auth/login', body, { idempotencyKey });
    const again = await banker.phone.post('/auth/login', body, { idempotencyKey });
    expect(again.status).toBe(200);
    expect(again.body.session_id).toBe(first.body.session_id);
    expect(again.body.refresh_token).toBe(first.body.refresh_token);
    expect((await rowsOf(banker.customerId)).sessions).toHaveLength(1);
  });

  test('is not answered again later than its challenge could have been answered', async () => {
    const banker = await createBanker(api);
    const body = await loginBody(banker, banker.phone);
    const idempotencyKey = 'login-late';
    await banker.phone.post('/auth/login', body, { idempotencyKey });
    api.clock.advance(299_000);
    expect((await banker.phone.post('/auth/login', body, { idempotencyKey })).status).toBe(200);
    api.clock.advance(1_000);
    expect(await banker.phone.post('/auth/login', body, { idempotencyKey })).toMatchObject({
      status: 409,
      body: { code: 'challenge_spent' },
    });
  });

  test('is not answered again once its tokens were used', async () => {
    const banker = await createBanker(api);
    const body = await loginBody(banker, banker.phone);
    const idempotencyKey = 'login-2';
    const first = await banker.phone.post('/auth/login', body, { idempotencyKey });
    await refresh(banker.phone, first.body.refresh_token, { requestId: 'r' });
    expect(await banker.phone.post('/auth/login', body, { idempotencyKey })).toMatchObject({
      status: 409,
      body: { code: 'challenge_spent' },
    });
  });

  test('is nobody else’s to ask for', async () => {
    const banker = await createBanker(api);
    const body = await loginBody(banker, banker.phone);
    const idempotencyKey = 'login-3';
    await banker.phone.post('/auth/login', body, { idempotencyKey });
    const thief = await createPhone(api);
    expect(await thief.post('/auth/login', body, { idempotencyKey })).toMatchObject({
      body: { code: 'challenge_invalid' },
    });
  });
});
