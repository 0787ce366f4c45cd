/** Which pages may call: exactly the origins of the tenant's app clients. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBanker, logIn } from '../setup/login-bed.ts';
import { startTestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
});

const preflight = async (origin: string, path = '/t/demo/auth/enrollments') => {
  const answer = await api.app.inject({
    method: 'OPTIONS',
    url: path,
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'dpop,content-type,idempotency-key',
    },
  });
  return { status: answer.statusCode, headers: answer.headers };
};

describe('a page', () => {
  it.each(['http://localhost:4600', 'capacitor://localhost', 'https://localhost'])(
    'of %s may call, and may read what it needs',
    async (origin) => {
      const { status, headers } = await preflight(origin);
      expect(status).toBe(204);
      expect(headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
      expect(headers['access-control-allow-headers']).toContain('dpop');
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
      const phone = await createPhone(api);
      const answer = await phone.get(`/auth/enrollments/cer_${'0'.repeat(32)}`, {
        headers: { origin },
      });
      expect(answer.status).toBe(404);
      expect(answer.headers['access-control-allow-origin']).toBe(origin);
      expect(answer.headers['access-control-expose-headers']).toContain('dpop-nonce');
    },
  );

  it.each([
    'https://evil.test',
    'null',
    'http://localhost:4601',
    'https://localhost.evil.test',
    'capacitor://localhost.evil',
    'HTTP://localhost:4600',
    'http://localhost:4600/',
  ])('of %s may not, and learns nothing', async (origin) => {
    const { status, headers } = await preflight(origin);
    expect(status).toBe(403);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    const phone = await createPhone(api);
    const answer = await phone.get(`/auth/enrollments/cer_${'0'.repeat(32)}`, {
      headers: { origin },
    });
    expect(answer).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('of anywhere may read what is public', async () => {
    const answer = await api.app.inject({
      url: '/t/demo/.well-known/jwks.json',
      headers: { origin: 'https://evil.test' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });

  it('may see its own refusals too', async () => {
    const answer = await api.app.inject({
      method: 'POST',
      url: '/t/demo/auth/enrollments',
      headers: { origin: 'capacitor://localhost' },
    });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['access-control-allow-origin']).toBe('capacitor://localhost');
  });
});

describe('a native app', () => {
  it('that names itself must be one that its client registered, wherever an app is named', async () => {
    const own = await startTestApi();
    const owner = postgres(own.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined });
    try {
      await owner`update client set native_app_ids = ${['com.demobank.app']} where client_id = 'demo-app'`;
      const phone = await createPhone(own);
      const ask = async (appId: string) =>
        await phone.post(
          '/auth/login-options',
          { clientId: 'demo-app' },
          { headers: { 'latchkey-app-id': appId } },
        );
      expect(await ask('com.demobank.app')).toMatchObject({ status: 200 });
      expect(await ask('com.evil.app')).toMatchObject({
        status: 403,
        body: { code: 'origin_not_allowed' },
      });
      const banker = await createBanker(own);
      const { body } = await logIn(banker, banker.phone);
      const evil = { headers: { 'latchkey-app-id': 'com.evil.app' } };
      const start = { clientId: 'demo-app', phone: '+447700900456' };
      expect(await phone.post('/auth/enrollments', start, evil)).toMatchObject({
        status: 403,
        body: { code: 'origin_not_allowed' },
      });
      const form = {
        grant_type: 'refresh_token',
        refresh_token: String(body.refresh_token),
        client_id: 'demo-app',
      };
      expect(await banker.phone.postForm('/oauth/token', form, evil)).toMatchObject({
        status: 400,
        body: { code: 'origin_not_allowed' },
      });
      const honest = { headers: { 'latchkey-app-id': 'com.demobank.app' } };
      expect(await banker.phone.postForm('/oauth/token', form, honest)).toMatchObject({
        status: 200,
      });
    } finally {
      await owner.end();
      await own.close();
    }
  });
});
