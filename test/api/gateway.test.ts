/** The gateway check: whose request may pass, and that every doubt is an answer that no gateway takes for a yes. Temporal is down throughout. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CuttableLine } from '../setup/postgres/cuttable-line.ts';
import { createBanker, loginBody, logIn, refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { startTestApi } from '../setup/api.ts';
import { createMachine } from '../setup/machine.ts';
import { createKeyPair, makeProof } from '../setup/proof.ts';
import type { TestApi } from '../setup/api.ts';
import type { ProofParts } from '../setup/proof.ts';

const GATEWAY = { origin: 'https://api.bank.example', pathPrefix: '/bank', scope: 'accounts:read' };
const PAYMENTS = { ...GATEWAY, pathPrefix: '/pay', scope: 'payments:write' };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ configuration: { gateways: { bank: GATEWAY, payments: PAYMENTS } } });
});
afterAll(async () => {
  await api?.close();
});

interface Question {
  readonly gateway?: string;
  readonly method?: string;
  readonly uri?: string;
  readonly token?: string;
  readonly authorization?: string;
  readonly proof?: Partial<ProofParts>;
  readonly dpop?: string;
  /** Taken away. */
  readonly without?: string;
  /** More headers, a list sends one twice. */
  readonly more?: Readonly<Record<string, string | string[]>>;
}

async function loggedIn(): Promise<Banker & { sessionId: string; token: string }> {
  const banker = await createBanker(api);
  const { body } = await logIn(banker, banker.phone);
  return { ...banker, sessionId: String(body.session_id), token: String(body.access_token) };
}

/** As a gateway asks about `GET /bank/accounts?x=1`, right in everything that the question does not change. */
async function ask(banker: Banker & { token: string }, question: Question = {}) {
  const {
    gateway = 'bank',
    method = 'GET',
    uri = '/bank/accounts?x=1',
    token = banker.token,
  } = question;
  const dpop =
    question.dpop ??
    (await makeProof({
      key: banker.phone.key,
      method,
      htu: `${GATEWAY.origin}${uri.split('?', 1)[0] ?? ''}`,
      nowMs: api.clock.nowMs(),
      accessToken: token,
      ...question.proof,
    }));
  const headers: Record<string, string | string[]> = {
    'x-gateway-id': gateway,
    'x-original-method': method,
    'x-original-uri': uri,
    authorization: question.authorization ?? `DPoP ${token}`,
    dpop,
    ...question.more,
  };
  if (question.without !== undefined) delete headers[question.without];
  const answer = await api.app.inject({
    method: 'GET',
    url: `${api.prefix}/gateway/verify`,
    headers,
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: answer.json<{ code?: string }>(),
  };
}

describe('a request that may pass', () => {
  test('is answered with whose it is', async () => {
    const banker = await loggedIn();
    const { status, headers } = await ask(banker);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'x-user-id': banker.customerId,
      'x-device-id': banker.deviceId,
      'x-session-id': banker.sessionId,
      'x-scopes': 'openid profile email phone accounts:read payments:write profile:write',
      'x-auth-strength': 'latchkey:2',
      'x-risk': 'not_evaluated',
      'cache-control': 'no-store',
    });
    expect(headers['dpop-nonce']).toEqual(expect.any(String));
  });

  test('is judged for its own method, whatever the check itself is asked by', async () => {
    const banker = await loggedIn();
    expect((await ask(banker, { method: 'DELETE' })).status).toBe(200);
  });

  test('tells the risk that the session has now, not the token’s', async () => {
    const banker = await loggedIn();
    await api.inTenant(
      (tx) => tx`update session set risk = 'high' where session_id = ${banker.sessionId}`,
    );
    expect((await ask(banker)).headers['x-risk']).toBe('high');
  });
});

describe('the request does not pass when', () => {
  const questions: readonly (readonly [string, Question, number, string])[] = [
    ['no token came', { without: 'authorization' }, 401, 'token_missing'],
    ['no proof came', { without: 'dpop' }, 401, 'dpop_proof_missing'],
    ['the token is shown as a bearer', { authorization: 'Bearer x' }, 401, 'token_invalid'],
    ['two tokens came', { more: { authorization: ['DPoP a', 'DPoP b'] } }, 401, 'token_invalid'],
    ['two proofs came', { more: { dpop: ['a', 'b'] } }, 401, 'dpop_proof_invalid'],
    ['the proof is for another method', { proof: { method: 'POST' } }, 401, 'dpop_proof_invalid'],
    [
      'the proof is for another address',
      { proof: { htu: `${GATEWAY.origin}/bank/other` } },
      401,
      'dpop_proof_invalid',
    ],
    [
      'the proof is for another host',
      { proof: { htu: 'https://evil.example/bank/accounts' } },
      401,
      'dpop_proof_invalid',
    ],
    [
      'the proof is for the check itself',
      { proof: { htu: 'http://localhost:4600/t/demo/gateway/verify' } },
      401,
      'dpop_proof_invalid',
    ],
    [
      'the proof is for another token',
      { proof: { accessToken: 'other' } },
      401,
      'dpop_proof_invalid',
    ],
    ['the proof names no token', { proof: { accessToken: undefined } }, 401, 'dpop_proof_invalid'],
    ['the gateway is unknown', { gateway: 'other' }, 403, 'caller_not_allowed'],
    ['the gateway is a word of JavaScript', { gateway: 'constructor' }, 403, 'caller_not_allowed'],
    ['the gateway is not named', { without: 'x-gateway-id' }, 403, 'caller_not_allowed'],
    [
      'the gateway is named twice',
      { more: { 'x-gateway-id': ['bank', 'bank'] } },
      403,
      'caller_not_allowed',
    ],
    ['the method is not named', { without: 'x-original-method' }, 403, 'caller_not_allowed'],
    ['the address is not named', { without: 'x-original-uri' }, 403, 'caller_not_allowed'],
    [
      'the address is named twice',
      { more: { 'x-original-uri': ['/bank/a', '/bank/a'] } },
      403,
      'caller_not_allowed',
    ],
    ['the address leaves the gateway', { uri: '/bank/../admin' }, 403, 'caller_not_allowed'],
    ['the address hides a slash', { uri: '/bank/a%2fb' }, 403, 'caller_not_allowed'],
    ['the address is another gateway’s', { gateway: 'payments' }, 403, 'caller_not_allowed'],
  ];
  test.each(questions)('%s', async (_name, question, status, code) => {
    const banker = await loggedIn();
    const answer = await ask(banker, question);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.headers['x-user-id']).toBeUndefined();
    expect(answer.headers['dpop-nonce']).toEqual(expect.any(String));
    expect(answer.headers['www-authenticate'] ?? 'DPoP').toMatch(/^DPoP/);
    expect(status === 401 && answer.headers['www-authenticate'] === undefined).toBe(false);
  });

  test('the proof was used before', async () => {
    const banker = await loggedIn();
    const dpop = await makeProof({
      key: banker.phone.key,
      method: 'GET',
      htu: `${GATEWAY.origin}/bank/accounts`,
      nowMs: api.clock.nowMs(),
      accessToken: banker.token,
    });
    expect((await ask(banker, { dpop })).status).toBe(200);
    expect(await ask(banker, { dpop })).toMatchObject({
      status: 401,
      body: { code: 'dpop_proof_replayed' },
    });
  });

  test('the token was stolen: its thief has another key', async () => {
    const banker = await loggedIn();
    const answer = await ask(banker, { proof: { key: await createKeyPair() } });
    expect(answer).toMatchObject({ status: 401, body: { code: 'dpop_key_mismatch' } });
  });

  test('the token is a machine’s', async () => {
    const banker = await loggedIn();
    const machine = await createMachine(api);
    const token = machine.accessToken ?? '';
    expect(await ask(banker, { token, proof: { key: machine.key } })).toMatchObject({
      status: 403,
    });
  });

  test('the token lacks the gateway’s scope', async () => {
    const banker = await createBanker(api, { deviceStatus: 'untrusted' });
    const { body } = await logIn(banker, banker.phone);
    const answer = await ask(
      { ...banker, token: String(body.access_token) },
      { gateway: 'payments', uri: '/pay/transfers', method: 'POST' },
    );
    expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    expect(answer.headers['www-authenticate']).toContain('scope="payments:write"');
  });

  test('the token has expired', async () => {
    const banker = await loggedIn();
    api.clock.advance(301_000);
    expect(await ask(banker)).toMatchObject({ status: 401, body: { code: 'token_expired' } });
  });

  test.each([
    [
      'the session was ended',
      `update session set status = 'ended', end_reason = 'logged_out', ended_at = now()`,
      401,
      'session_ended',
    ],
    ['the epoch was raised', `update customer set security_epoch = 2`, 401, 'session_ended'],
    [
      'the device was suspended',
      `update device set status = 'suspended'`,
      403,
      'device_not_allowed',
    ],
    [
      'the passkey was suspended',
      `update credential set status = 'suspended'`,
      403,
      'device_not_allowed',
    ],
    [
      'the customer is on hold, which cut the token off',
      `with held as (insert into revocation (tenant_id, revocation_id, customer_id, status, reason, requested_by, old_epoch, new_epoch, effective_at,
          last_token_dies_at, devices, credentials)
        select tenant_id, 'rev_' || customer_id, customer_id, 'running', 'x', 'x', 1, 2, now(), now(), 0, 0 from customer where customer_id = $1
        returning tenant_id, revocation_id, customer_id), placed as (
        insert into hold (tenant_id, hold_id, customer_id, revocation_id, status, reason, placed_by, placed_at)
        select tenant_id, 'hld_' || customer_id, customer_id, revocation_id, 'active', 'x', 'x', now() from held)
      update customer set security_epoch = 2`,
      401,
      'session_ended',
    ],
    ['the customer was erased', `update customer set status = 'erased'`, 401, 'session_ended'],
  ])('%s, with a token that is otherwise good', async (_name, statement, status, code) => {
    const banker = await loggedIn();
    await api.inTenant((tx) =>
      tx.unsafe(`${statement} where customer_id = $1`, [banker.customerId]),
    );
    expect(await ask(banker)).toMatchObject({ status, body: { code } });
  });

  test('the device was restricted since and the gateway asks for more than reading', async () => {
    const banker = await loggedIn();
    await api.inTenant(
      (tx) => tx`update device set status = 'restricted' where device_id = ${banker.deviceId}`,
    );
    const question = { gateway: 'payments', uri: '/pay/transfers', method: 'POST' };
    expect(await ask(banker, question)).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope' },
    });
    const reading = await ask(banker);
    expect(reading.headers).toMatchObject({
      'x-auth-strength': 'latchkey:1',
      'x-scopes': 'openid accounts:read',
    });
  });
});

describe('PostgreSQL away', () => {
  test('is 503 for the gateway, a login and a refresh, never a yes', async () => {
    const line = await CuttableLine.open();
    const away = await startTestApi({
      configuration: { gateways: { bank: GATEWAY } },
      databaseUrl: (url) => line.to(url),
    });
    try {
      const banker = await createBanker(away);
      const { body } = await logIn(banker, banker.phone);
      banker.phone.accessToken = undefined;
      const login = await loginBody(banker, banker.phone);
      await line.cut();
      const accessToken = String(body.access_token);
      const dpop = await makeProof({
        key: banker.phone.key,
        method: 'GET',
        htu: `${GATEWAY.origin}/bank/accounts`,
        nowMs: away.clock.nowMs(),
        accessToken,
      });
      const answer = await away.app.inject({
        method: 'GET',
        url: `${away.prefix}/gateway/verify`,
        headers: {
          'x-gateway-id': 'bank',
          'x-original-method': 'GET',
          'x-original-uri': '/bank/accounts',
          authorization: `DPoP ${accessToken}`,
          dpop,
        },
      });
      expect(answer.statusCode).toBe(503);
      expect(answer.headers['retry-after']).toEqual(expect.any(String));
      const unavailable = { status: 503, body: { code: 'database_unavailable' } };
      expect(await banker.phone.post('/auth/login', login)).toMatchObject(unavailable);
      expect(await refresh(banker.phone, body.refresh_token, { requestId: 'r' })).toMatchObject(
        unavailable,
      );
    } finally {
      await line.cut();
      await away.close();
    }
  });
});
