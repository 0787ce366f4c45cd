/** Whatever goes wrong with a request, the answer is a problem with its own code: through inject, and over a socket where bytes matter. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import { makeProof } from '../setup/proof.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
let port: number;
beforeAll(async () => {
  api = await startTestApi({ limits: { maxInFlight: 512, requestTimeoutMs: 1_000 } });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const address = api.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the app does not listen');
  ({ port } = address);
});
afterAll(async () => {
  await api.close();
});

const START = '/auth/enrollments';
const GOOD = { clientId: 'demo-app', phone: '+436641234567' };

/** What every refusal looks like, for toMatchObject. */
const aProblem = (status: number, code: string) => ({
  status,
  headers: { 'content-type': 'application/problem+json; charset=utf-8' },
  body: { type: `https://latchkey.dev/problems/${code}`, status, code },
});

async function post(payload: string, headers: Record<string, string> = {}) {
  const phone = await createPhone(api);
  const { headers: fresh } = await api.app.inject({ url: '/livez' });
  const dpop = await makeProof({
    key: phone.key,
    method: 'POST',
    htu: `${api.publicUrl}${api.prefix}${START}`,
    nowMs: api.clock.nowMs(),
    nonce: String(fresh['dpop-nonce']),
  });
  const answer = await api.app.inject({
    method: 'POST',
    url: `${api.prefix}${START}`,
    headers: { dpop, 'content-type': 'application/json', 'idempotency-key': 'k1', ...headers },
    payload,
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json<unknown>() };
}

/** Bytes to the port, everything that comes back. */
async function raw(text: string, options: { readonly keepsOpen?: boolean } = {}): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  if (options.keepsOpen === true) socket.write(text);
  else socket.end(text);
  const chunks: Buffer[] = [];
  // A socket yields buffers.
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

describe('a body', () => {
  it.each([
    ['cut off', '{"clientId":'],
    ['empty', ''],
    ['with a trailing comma', '{"clientId":"demo-app",}'],
    ['with a poisoned prototype', '{"__proto__":{"admin":true},"clientId":"demo-app"}'],
    ['with a poisoned constructor', '{"constructor":{"prototype":{"admin":true}}}'],
    ['nested too deep', `${'['.repeat(17)}${']'.repeat(17)}`],
    ['nested past every stack', '['.repeat(30_000)],
  ])('%s is malformed', async (_name, payload) => {
    expect(await post(payload)).toMatchObject(aProblem(400, 'malformed_body'));
  });

  it('in bad UTF-8 is malformed', async () => {
    const answer = await post(Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'));
    expect(answer.status).toBe(400);
  });

  it.each([
    ['missing a member', { clientId: 'demo-app' }],
    ['with a member more', { ...GOOD, admin: true }],
    ['with a number for a text', { ...GOOD, phone: 436_641_234_567 }],
    ['with a text for everything', 'demo-app'],
    ['that is a list', [GOOD]],
    ['that is null', null],
  ])('%s does not fit its schema, and the answer says where', async (_name, body) => {
    const answer = await post(JSON.stringify(body));
    expect(answer).toMatchObject(aProblem(400, 'invalid_request'));
    expect(answer.body).toMatchObject({
      errors: [{ path: expect.any(String), message: expect.any(String) }],
    });
  });

  it('never lists more faults than anybody reads', async () => {
    const extra = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`m${String(index)}`, 1]),
    );
    const { body } = await post(JSON.stringify({ ...GOOD, ...extra }));
    expect((body as { errors: unknown[] }).errors.length).toBeLessThanOrEqual(20);
  });

  it('over 64 KiB is too large', async () => {
    expect(await post(JSON.stringify({ ...GOOD, x: 'x'.repeat(65_536) }))).toMatchObject(
      aProblem(413, 'body_too_large'),
    );
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    'multipart/form-data; boundary=x',
    'text/json',
  ])('of type %s is not accepted', async (type) => {
    expect(await post('{}', { 'content-type': type })).toMatchObject(
      aProblem(415, 'unsupported_media_type'),
    );
  });

  it('of no type is not accepted', async () => {
    expect(await post('{}', { 'content-type': '' })).toMatchObject(
      aProblem(415, 'unsupported_media_type'),
    );
  });
});

describe('an address', () => {
  const get = async (url: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD' = 'GET') => {
    const answer = await api.app.inject({ method, url });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: answer.body === '' ? undefined : answer.json<unknown>(),
    };
  };

  it.each([
    '/nowhere',
    '/t/demo/nowhere',
    '/t/nobody/auth/me',
    '/t/demo/auth/me/',
    '/t/Demo/auth/me',
    '/T/demo/auth/me',
    '/t//auth/me',
    '/t/demo/../other/auth/me',
    "/t/demo'--/auth/me",
  ])('%s names nothing', async (url) => {
    expect(await get(url)).toMatchObject(aProblem(404, 'not_found'));
  });

  it('under another method says which ones it has', async () => {
    const answer = await get('/t/demo/auth/enrollments', 'DELETE');
    expect(answer).toMatchObject(aProblem(405, 'method_not_allowed'));
    expect(answer.headers['allow']).toBe('POST');
    expect((await get('/livez', 'POST')).headers['allow']).toBe('GET');
  });

  it('with a bad escape is refused', async () => {
    expect(await get('/t/demo/%E0%A4%A')).toMatchObject(aProblem(400, 'invalid_request'));
  });

  it('longer than 2,048 characters is too long', async () => {
    expect(await get(`/t/demo/auth/me?x=${'x'.repeat(2_048)}`)).toMatchObject(
      aProblem(414, 'uri_too_long'),
    );
    expect(await get(`/t/demo/auth/enrollments/${'x'.repeat(200)}`)).toMatchObject(
      aProblem(414, 'uri_too_long'),
    );
  });
});

describe('bytes that never became a request', () => {
  it('are answered with a clean 400', async () => {
    for (const text of [
      'HELLO\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n',
      'GET /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc',
    ]) {
      const answer = await raw(text);
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(answer).toContain('"code":"invalid_request"');
    }
  });

  it('with headers past 16 KiB are answered 431', async () => {
    const answer = await raw(`GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"code":"headers_too_large"');
  });

  it('that stop coming are answered 408', async () => {
    const answer = await raw('POST /livez HTTP/1.1\r\nHost: a\r\n', { keepsOpen: true });
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"request_timeout"');
  });
});

describe('the process', () => {
  it('says 429 and when, beyond the requests it can have under way', async () => {
    const own = await startTestApi({ limits: { maxInFlight: 0, requestTimeoutMs: 1_000 } });
    try {
      const answer = await own.app.inject({ url: '/livez' });
      expect({
        status: answer.statusCode,
        headers: answer.headers,
        body: answer.json(),
      }).toMatchObject(aProblem(429, 'too_many_requests'));
      expect(answer.headers['retry-after']).toBe('1');
    } finally {
      await own.close();
    }
  });

  it('hides every defect behind a bare 500', async () => {
    const own = await startTestApi({
      dependencies: {
        personalData: {
          createKey: () => Promise.reject(new TypeError('secret detail')),
          seal: () => Promise.reject(new TypeError('secret detail')),
          open: () => Promise.reject(new TypeError('secret detail')),
          openAll: () => Promise.resolve([]),
          blindIndex: () => {
            throw new TypeError('secret detail');
          },
          eraseKey: () => Promise.resolve(),
        },
      },
    });
    try {
      const phone = await createPhone(own);
      const answer = await phone.post(START, GOOD);
      expect(answer).toMatchObject(aProblem(500, 'internal_error'));
      expect(JSON.stringify(answer.body)).not.toContain('secret detail');
    } finally {
      await own.close();
    }
  });

  it('says 503 and when while Temporal is down, for what needs it', async () => {
    const phone = await createPhone(api);
    const answer = await phone.post(START, GOOD);
    expect(answer).toMatchObject(aProblem(503, 'temporal_unavailable'));
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('lets nothing of an answer be kept or sniffed', async () => {
    const { headers } = await api.app.inject({ url: '/t/demo/auth/me' });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none';frame-ancestors 'none';base-uri 'none'",
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
  });

  it('names what is not ready', async () => {
    const live = await api.app.inject({ url: '/livez' });
    expect(live.statusCode).toBe(200);
    const ready = await api.app.inject({ url: '/readyz' });
    expect(ready.statusCode).toBe(503);
    expect(ready.json()).toMatchObject({
      status: 'not_ready',
      checks: [
        { name: 'database', ready: true },
        { name: 'migrations', ready: true },
        { name: 'temporal', ready: false, detail: 'does not answer' },
      ],
    });
  });
});
