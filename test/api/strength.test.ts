/** RFC 9470: who asks for a stronger or a more recent login says so in a challenge that a client can act on, and a new login is enough. */
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireStrength } from '../../api/callers/strength.ts';
import { startTestApi } from '../setup/api.ts';
import type { Answer, Caller } from '../setup/callers.ts';
import { createBanker, logIn } from '../setup/login-bed.ts';
import { makeProof } from '../setup/proof.ts';
import type { TestApi } from '../setup/api.ts';

const GATEWAY = { origin: 'https://api.bank.example', pathPrefix: '/bank', scope: 'accounts:read' };
const STRONG = { ...GATEWAY, acr: 'latchkey:2' } as const;
const RECENT = { ...GATEWAY, acr: 'latchkey:2', maxAgeSeconds: 120 } as const;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ configuration: { gateways: { strong: STRONG, recent: RECENT } } });
});
afterAll(async () => {
  await api.close();
});

async function ask(phone: Caller, gateway: 'strong' | 'recent'): Promise<Answer> {
  const { accessToken } = phone;
  const proof = await makeProof({
    key: phone.key,
    method: 'GET',
    htu: `${GATEWAY.origin}/bank/accounts`,
    nowMs: api.clock.nowMs(),
    accessToken,
  });
  const answer = await api.app.inject({
    url: `${api.prefix}/gateway/verify`,
    headers: {
      'x-gateway-id': gateway,
      'x-original-method': 'GET',
      'x-original-uri': '/bank/accounts',
      authorization: `DPoP ${accessToken ?? ''}`,
      dpop: proof,
    },
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

describe('a gateway', () => {
  it('that asks for a strong login lets one in and challenges a weaker one', async () => {
    const strong = await createBanker(api);
    await logIn(strong, strong.phone);
    expect((await ask(strong.phone, 'strong')).status).toBe(200);
    const weak = await createBanker(api, { deviceStatus: 'untrusted' });
    await logIn(weak, weak.phone);
    const answer = await ask(weak.phone, 'strong');
    expect(answer).toMatchObject({
      status: 401,
      body: { code: 'insufficient_user_authentication', acr_values: 'latchkey:2' },
    });
    expect(answer.headers['www-authenticate']).toBe(
      'DPoP error="insufficient_user_authentication", acr_values="latchkey:2", algs="ES256"',
    );
  });

  it('that asks for a recent login says all that it asks, and a new login is enough', async () => {
    const banker = await createBanker(api);
    await logIn(banker, banker.phone);
    expect((await ask(banker.phone, 'recent')).status).toBe(200);
    api.clock.advance(115_000);
    expect((await ask(banker.phone, 'recent')).status).toBe(200);
    api.clock.advance(10_000);
    const answer = await ask(banker.phone, 'recent');
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      'DPoP error="insufficient_user_authentication", acr_values="latchkey:2", max_age="120", algs="ES256"',
    );
    await logIn(banker, banker.phone);
    expect((await ask(banker.phone, 'recent')).status).toBe(200);
  });

  it('is understood by a client that nobody here wrote', async () => {
    const weak = await createBanker(api, { deviceStatus: 'untrusted' });
    await logIn(weak, weak.phone);
    const { status, headers } = await ask(weak.phone, 'recent');
    const asked = oauth.protectedResourceRequest(
      'token',
      'GET',
      new URL('https://api.bank.example/bank/accounts'),
      undefined,
      undefined,
      {
        [oauth.customFetch]: () =>
          Promise.resolve(
            new Response('{}', {
              status,
              headers: { 'www-authenticate': String(headers['www-authenticate']) },
            }),
          ),
      },
    );
    await expect(asked).rejects.toMatchObject({
      cause: [
        {
          scheme: 'dpop',
          parameters: {
            error: 'insufficient_user_authentication',
            acr_values: 'latchkey:2',
            max_age: '120',
          },
        },
      ],
    });
  });
});

describe('an operation', () => {
  it('whose row asks for a recent login challenges an old one, and nothing is done', async () => {
    const banker = await createBanker(api);
    await logIn(banker, banker.phone);
    api.clock.advance(901_000);
    const again = await banker.phone.post(`/auth/credentials/crd_${'0'.repeat(32)}/revoke`, {});
    // The access token has died meanwhile: a refreshed one says the same of the login.
    expect(again).toMatchObject({ status: 401, body: { code: 'token_expired' } });
    const { token } = await api.accessTokens.issueAccessToken({
      tenant: await api.tenant(),
      subject: await subjectOf(banker),
      jkt: banker.phone.jkt,
      scopes: ['profile:write'],
    });
    banker.phone.accessToken = token;
    const asked = await banker.phone.post(`/auth/credentials/crd_${'0'.repeat(32)}/revoke`, {});
    expect(asked).toMatchObject({
      status: 401,
      body: { code: 'insufficient_user_authentication', max_age: 900 },
    });
    expect(asked.headers['www-authenticate']).toContain('max_age="900"');
    await logIn(banker, banker.phone);
    const recent = await banker.phone.post(`/auth/credentials/crd_${'0'.repeat(32)}/revoke`, {});
    expect(recent.body.code).toBe('not_found');
  });

  async function subjectOf({ customerId, deviceId }: { customerId: string; deviceId: string }) {
    const [session] = await api.inTenant(
      (tx) => tx<{ sessionId: string; authTime: Date }[]>`
        select session_id, auth_time from session where customer_id = ${customerId} and status = 'live'`,
    );
    if (session === undefined) throw new Error('a session');
    return {
      kind: 'customer',
      clientId: 'demo-app',
      customerId,
      deviceId,
      sessionId: session.sessionId,
      authTimeMs: session.authTime.getTime(),
      acr: 'latchkey:2',
      amr: ['user'],
      risk: 'not_evaluated',
      epoch: 1,
    } as const;
  }
});

describe('what is asked', () => {
  // Only the login's time is looked at.
  const loggedInAt = (auth_time: number | undefined) =>
    ({ acr: 'latchkey:2', claims: { auth_time } }) as unknown as Parameters<
      typeof requireStrength
    >[1];

  it('is met in its last second and missed in the next', () => {
    const meet = (nowMs: number) => () => {
      requireStrength({ maxAgeSeconds: 60 }, loggedInAt(1_000), nowMs);
    };
    expect(meet(1_060_000)).not.toThrow();
    expect(meet(1_060_001)).toThrow('insufficient_user_authentication');
  });

  it('is missed by a token that does not say when its customer logged in', () => {
    expect(() => {
      requireStrength({ maxAgeSeconds: 60 }, loggedInAt(undefined), 1_000_000);
    }).toThrow('insufficient_user_authentication');
  });

  it('is nothing by default', () => {
    expect(() => {
      requireStrength({}, loggedInAt(undefined), 1_000_000);
    }).not.toThrow();
  });
});
