/** The operations door: no other site's page gets anything done there, and it is bounded, logged and closed as the public one is. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createStaff, knock } from '../setup/staff.ts';
import type { Knock, Staff } from '../setup/staff.ts';

let api: TestApi;
let ana: Staff;
beforeAll(async () => {
  api = await startTestApi();
  ana = await createStaff(api, ['agent'], { name: 'Ana Agent' });
});
afterAll(async () => {
  await api.close();
});

describe('at the operations door', () => {
  it('staff are told who they are, without nonces and without other origins', async () => {
    const answer = await ana.get('/staff/me');
    expect(answer).toMatchObject({
      status: 200,
      body: { staffId: ana.staffId, name: 'Ana Agent', roles: ['agent'] },
    });
    expect(answer.headers).not.toHaveProperty('dpop-nonce');
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it.each(['/t/demo/.well-known/jwks.json', '/docs', '/docs/', '/openapi.json', '/'])(
    'there is no %s of the public one',
    async (path) => {
      const answer = await knock(api, { path });
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    },
  );

  it('a preflight finds nothing', async () => {
    const headers = { origin: 'http://localhost:4600', 'access-control-request-method': 'POST' };
    const answer = await knock(api, { method: 'OPTIONS', path: '/t/demo/staff/me', headers });
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('says 405 for its own operations alone', async () => {
    const headers = { origin: api.operations.url, 'content-type': 'application/json' };
    const post = (path: string) => knock(api, { method: 'POST', path, headers, payload: '{}' });
    expect(await post('/t/demo/staff/me')).toMatchObject({
      status: 405,
      headers: { allow: 'GET' },
      body: { code: 'method_not_allowed' },
    });
    expect((await post('/t/demo/auth/me')).status).toBe(404);
  });

  it('a tenant that is none is not found', async () => {
    expect((await ana.get('/staff/me', { prefix: '/t/nobody' })).status).toBe(404);
  });

  it('lives and is ready like the public one', async () => {
    expect((await knock(api, { path: '/livez' })).status).toBe(200);
  });

  it('bounds what a request may send', async () => {
    const path = '/t/demo/staff/me';
    const huge = { cookie: `${STAFF_COOKIE}=${'a'.repeat(17_000)}` };
    expect(await knock(api, { path, headers: huge })).toMatchObject({
      status: 431,
      body: { code: 'headers_too_large' },
    });
    const long = await knock(api, { path: `${path}?${'a'.repeat(8_200)}` });
    expect(long).toMatchObject({ status: 414, body: { code: 'uri_too_long' } });
  });

  it('has no tenant at its root, also where the public one has', async () => {
    const own = await startTestApi({ tenantAtRoot: 'demo' });
    try {
      const jwks = '/.well-known/jwks.json';
      expect((await own.app.inject({ url: jwks })).statusCode).toBe(200);
      expect((await knock(own, { path: '/staff/me' })).status).toBe(404);
      expect((await knock(own, { path: '/t/demo/staff/me' })).status).toBe(401);
    } finally {
      await own.close();
    }
  });

  it('has places of its own: whoever waits there takes none of the public door', async () => {
    let release: (ready: boolean) => void = () => undefined;
    let isAsked = false;
    const held = new Promise<boolean>((resolve) => {
      release = resolve;
    });
    const isReady = () => {
      isAsked = true;
      return held;
    };
    const own = await startTestApi({
      limits: { maxInFlight: 1, requestTimeoutMs: 10_000 },
      dependencies: { readiness: [{ name: 'slow', detail: 'takes its time', isReady }] },
    });
    try {
      const waiting = knock(own, { path: '/readyz' });
      await expect.poll(() => isAsked).toBe(true);
      expect((await own.app.inject({ url: '/livez' })).statusCode).toBe(200);
      expect((await knock(own, { path: '/livez' })).status).toBe(429);
      release(true);
      await waiting;
    } finally {
      await own.close();
    }
  });

  it('closes with the app, and both with what connected but never asked', async () => {
    const own = await startTestApi();
    await own.app.listen({ host: '127.0.0.1', port: 0 });
    const address = own.app.server.address();
    if (address === null || typeof address === 'string') throw new Error('the app does not listen');
    const ended = [own.operations.port, address.port].map(async (port) => {
      const idle = connect(port, '127.0.0.1');
      idle.on('error', () => undefined);
      return await new Promise((resolve) => idle.once('close', resolve));
    });
    await knock(own, { path: '/livez' });
    await own.close();
    expect(own.app.operationsDoor.listening).toBe(false);
    await Promise.all(ended);
  });
});

describe('what changes something', () => {
  const good = () => ({
    cookie: `${STAFF_COOKIE}=${ana.token}`,
    origin: api.operations.url,
    'content-type': 'application/json',
    'sec-fetch-site': 'same-origin',
  });
  const logout = (changes: Knock['headers'], payload = '{}') => {
    const headers = Object.entries({ ...good(), ...changes }).filter(([, value]) => value !== '');
    return knock(api, {
      method: 'POST',
      path: '/t/demo/staff/logout',
      headers: Object.fromEntries(headers),
      payload,
    });
  };
  const forbidden = { status: 403, body: { code: 'origin_not_allowed' } };

  it.each([
    '',
    'null',
    'http://localhost:4600',
    'https://localhost:4603',
    'http://localhost:4603.evil.example',
    'http://localhost:4603/',
    'HTTP://localhost:4603',
    'https://evil.example',
  ])('is refused from the origin %j', async (origin) => {
    expect(await logout({ origin })).toMatchObject(forbidden);
    expect((await ana.get('/staff/me')).status).toBe(200);
  });

  it('is refused with two origins', async () => {
    const origin = [api.operations.url, 'https://evil.example'];
    expect((await logout({ origin })).status).toBe(403);
  });

  it.each(['cross-site', 'same-site', 'none'])('is refused from %s', async (site) => {
    expect(await logout({ 'sec-fetch-site': site })).toMatchObject(forbidden);
  });

  it.each([
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ])('is refused as %j', async (type) => {
    expect(await logout({ 'content-type': type })).toMatchObject({
      status: 415,
      body: { code: 'unsupported_media_type' },
    });
    expect((await ana.get('/staff/me')).status).toBe(200);
  });

  it('is refused without a type even when it is empty', async () => {
    expect(await logout({ 'content-type': '' }, '')).toMatchObject({
      status: 415,
      body: { code: 'unsupported_media_type' },
    });
  });

  it('is refused with a type that only looks like JSON', async () => {
    expect((await logout({ 'content-type': 'application/json-evil' })).status).toBe(415);
  });

  it('is done for a page of the door, and for a program that sends no fetch metadata', async () => {
    const bea = await createStaff(api, ['agent']);
    const cookie = `${STAFF_COOKIE}=${bea.token}`;
    expect(await logout({ cookie, 'sec-fetch-site': '' })).toMatchObject({ status: 200 });
  });
});

describe('what only reads', () => {
  const read = (headers: Readonly<Record<string, string>>) => ana.get('/staff/me', { headers });

  it('is refused to a page of another site, which could only have wanted its side effects', async () => {
    const answer = await read({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } });
  });
  it('is refused to a page of a neighbouring port', async () => {
    const answer = await read({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' });
    expect(answer.status).toBe(403);
  });
  it.each(['cross-site', 'same-site'])(
    'and stands in the audit as a look is refused to a link of a %s page too: it would be in the reader’s name',
    async (site) => {
      const path = `/staff/customers/${newId('customer')}`;
      const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate' };
      const answer = await ana.get(path, { headers });
      expect(answer).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } });
    },
  );
  it('is done for a person who typed the address', async () => {
    const answer = await read({ 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' });
    expect(answer.status).toBe(200);
  });
  it('and knows nobody yet is done for a person who follows a link', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await knock(api, { path: '/livez', headers })).status).toBe(200);
  });
});
