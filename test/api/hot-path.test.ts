/** The hot path through the real app: how often it asks PostgreSQL, what it promises, and what the policy may ask of proofs at a gateway. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import type { Policy } from '../../domain/policy.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createBanker, logIn, refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { makeProof } from '../setup/proof.ts';

const GATEWAY = { origin: 'https://api.bank.example', pathPrefix: '/bank', scope: 'accounts:read' };
const configuration = { gateways: { bank: GATEWAY } };

async function loggedIn(api: TestApi): Promise<Banker & { token: string; refreshToken: string }> {
  const banker = await createBanker(api);
  const { body } = await logIn(banker, banker.phone);
  return { ...banker, token: String(body.access_token), refreshToken: String(body.refresh_token) };
}

async function proofOf(api: TestApi, banker: Banker & { token: string }, nonce?: string) {
  return await makeProof({
    key: banker.phone.key,
    method: 'GET',
    htu: `${GATEWAY.origin}/bank/accounts`,
    nowMs: api.clock.nowMs(),
    accessToken: banker.token,
    nonce,
  });
}

async function ask(api: TestApi, { token }: { readonly token: string }, dpop: string) {
  const answer = await api.app.inject({
    url: `${api.prefix}/gateway/verify`,
    headers: {
      'x-gateway-id': 'bank',
      'x-original-method': 'GET',
      'x-original-uri': '/bank/accounts',
      authorization: `DPoP ${token}`,
      dpop,
    },
  });
  const { statusCode: status, headers } = answer;
  return { status, headers, body: answer.json<{ code?: string }>() };
}

describe('asks PostgreSQL once', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ configuration });
  });
  afterAll(async () => {
    await api?.close();
  });

  async function questionsOf(work: () => Promise<unknown>) {
    const tenant = vi.spyOn(api.database, 'tenant');
    const statement = vi.spyOn(api.database, 'statement');
    try {
      await work();
      return { transactions: tenant.mock.calls.length, statements: statement.mock.calls.length };
    } finally {
      tenant.mockRestore();
      statement.mockRestore();
    }
  }

  test('for an ordinary refresh', async () => {
    const banker = await loggedIn(api);
    const first = await refresh(banker.phone, banker.refreshToken, { requestId: 'one' });
    const asked = await questionsOf(async () => {
      const next = await refresh(banker.phone, String(first.body.refresh_token), {
        requestId: 'two',
      });
      expect(next.status).toBe(200);
    });
    expect(asked).toEqual({ transactions: 0, statements: 1 });
  });

  test('for a request at a gateway, and for a crowd of them', async () => {
    const banker = await loggedIn(api);
    const proofs = await Promise.all(Array.from({ length: 21 }, () => proofOf(api, banker)));
    const [first = '', ...rest] = proofs;
    expect(
      await questionsOf(async () => {
        expect((await ask(api, banker, first)).status).toBe(200);
      }),
    ).toEqual({ transactions: 0, statements: 1 });
    const crowd = await questionsOf(async () => {
      const answers = await Promise.all(rest.map((dpop) => ask(api, banker, dpop)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    });
    expect(crowd.transactions).toBe(0);
    expect(crowd.statements).toBeLessThan(rest.length);
  });
});

describe('promises no more than is left of the session', () => {
  test('for either token, at login and at every refresh', async () => {
    const policy: Policy = {
      ...DEFAULT_POLICY,
      session: { ...DEFAULT_POLICY.session, idleSeconds: 600, absoluteSeconds: 900 },
    };
    const api = await startTestApi({ policy });
    try {
      const banker = await createBanker(api);
      const { body } = await logIn(banker, banker.phone);
      expect(body.refresh_expires_in).toBe(600);
      api.clock.advance(500_000);
      const second = await refresh(banker.phone, String(body.refresh_token), { requestId: 'a' });
      // The absolute deadline comes before the idle one now.
      expect(second.body.refresh_expires_in).toBeLessThanOrEqual(400);
      expect(second.body.refresh_expires_in).toBeGreaterThan(390);
      expect(second.body.expires_in).toBe(300);
      api.clock.advance(300_000);
      const third = await refresh(banker.phone, String(second.body.refresh_token), {
        requestId: 'b',
      });
      expect(third.body.refresh_expires_in).toBeLessThanOrEqual(100);
      expect(third.body.expires_in).toBe(third.body.refresh_expires_in);
    } finally {
      await api.close();
    }
  });
});

describe('a gateway whose policy', () => {
  const startWith = (dpop: Partial<Policy['dpop']>) =>
    startTestApi({
      configuration,
      policy: { ...DEFAULT_POLICY, dpop: { ...DEFAULT_POLICY.dpop, ...dpop } },
    });

  test('asks for a nonce lets no proof pass without one, and says which', async () => {
    const api = await startWith({ requireNonceAtGateway: 1 });
    try {
      const banker = await loggedIn(api);
      const refused = await ask(api, banker, await proofOf(api, banker));
      expect(refused).toMatchObject({
        status: 401,
        body: { code: 'dpop_nonce_required' },
        headers: { 'www-authenticate': 'DPoP error="use_dpop_nonce", algs="ES256"' },
      });
      const nonce = String(refused.headers['dpop-nonce']);
      expect((await ask(api, banker, await proofOf(api, banker, nonce))).status).toBe(200);
    } finally {
      await api.close();
    }
  });

  test.each([
    [1, [200, 401]],
    [0, [200, 200]],
  ])('remembers proofs (%i) answers the same one twice with %j', async (remember, statuses) => {
    const api = await startWith({ rememberProofsAtGateway: remember });
    try {
      const banker = await loggedIn(api);
      const dpop = await proofOf(api, banker);
      const answers = [await ask(api, banker, dpop), await ask(api, banker, dpop)];
      expect(answers.map(({ status }) => status)).toEqual(statuses);
    } finally {
      await api.close();
    }
  });
});
