/**
 * The documented nginx configuration, end to end: what passes arrives with headers that Latchkey wrote, whatever the client sent; what does not
 * pass arrives nowhere, and the app learns what it needs for its next try.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createMachine } from '../../setup/machine.ts';
import { createKeyPair, makeProof } from '../../setup/proof.ts';
import { logInSomebody, ORIGIN, startGatewayBed } from '../../setup/beds/gateway-bed.ts';
import type { GatewayBed, LoggedIn, Seen } from '../../setup/beds/gateway-bed.ts';

let bed: GatewayBed;
let customer: LoggedIn;
beforeAll(async () => {
  bed = await startGatewayBed();
  customer = await logInSomebody(bed.api);
});
afterAll(async () => {
  await bed?.close();
});
beforeEach(() => {
  bed.answerWith(undefined);
  bed.reached();
});

/** By lower-case name, every value. */
function headersOf(seen: Seen | undefined): ReadonlyMap<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [name, value] of seen?.headers ?? []) {
    const key = name.toLowerCase();
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
}

describe('a request that may pass', () => {
  test('reaches the service with whose it is, and its answer carries the next nonce', async () => {
    const answer = await bed.ask({
      path: '/bank/accounts?x=1&y=/a/../b',
      headers: await bed.credentials(customer),
    });
    expect([answer.status, answer.body]).toEqual([200, 'from the service']);
    const [seen, ...others] = bed.reached();
    expect(others).toEqual([]);
    expect(seen?.url).toBe('/bank/accounts?x=1&y=/a/../b');
    const headers = headersOf(seen);
    expect(headers.get('x-user-id')).toEqual([customer.customerId]);
    expect(headers.get('x-device-id')).toEqual([customer.deviceId]);
    expect(headers.get('x-session-id')).toEqual([customer.sessionId]);
    expect(headers.get('x-scopes')).toEqual([expect.stringContaining('accounts:read')]);
    expect(headers.get('x-auth-strength')).toEqual(['latchkey:2']);
    expect(headers.get('x-risk')).toEqual(['not_evaluated']);
    expect(headers.get('x-forwarded-for')).toEqual(['127.0.0.1']);
    const [nonce, ...more] = answer.headers['dpop-nonce'] ?? [];
    expect(more).toEqual([]);
    expect(nonce).not.toBe('service');
    expect(nonce).toMatch(/^[A-Za-z0-9_-]{30}$/);
  });

  test('may be of any method, and its body arrives at the service alone', async () => {
    const answer = await bed.ask({
      method: 'POST',
      headers: await bed.credentials(customer, { method: 'POST' }),
      body: '{"amount":1}',
    });
    expect(answer.status).toBe(200);
    expect(bed.reached()).toMatchObject([{ method: 'POST', body: '{"amount":1}' }]);
  });

  test('may use the nonce that nginx brought', async () => {
    const first = await bed.ask({ headers: await bed.credentials(customer) });
    const nonce = first.headers['dpop-nonce']?.[0];
    const second = await bed.ask({ headers: await bed.credentials(customer, { nonce }) });
    expect(second.status).toBe(200);
  });

  test('leaves the service its own refusals', async () => {
    bed.answerWith({ status: 403, headers: { 'www-authenticate': 'DPoP error="mine"' } });
    const answer = await bed.ask({ headers: await bed.credentials(customer) });
    expect([answer.status, answer.body]).toEqual([403, 'from the service']);
    expect(answer.headers['www-authenticate']).toEqual(['DPoP error="mine"']);
  });
});

describe('what the client says about itself', () => {
  const IDENTITY = ['User-ID', 'Device-ID', 'Session-ID', 'Scopes', 'Auth-Strength', 'Risk'];
  const spellings: readonly (readonly [string, (name: string) => string])[] = [
    ['as the service reads it', (name) => `X-${name}`],
    ['in mixed case', (name) => `x-${name}`.replaceAll(/[uidsr]/g, (c) => c.toUpperCase())],
    ['in capitals', (name) => `X-${name.toUpperCase()}`],
    ['with underscores', (name) => `X_${name.replace('-', '_')}`],
    ['with some underscores', (name) => `X-${name.replace('-', '_')}`],
  ];
  test.each(spellings)('%s, never reaches the service', async (_name, spelt) => {
    const forged = IDENTITY.map((name) => [spelt(name), 'forged'] as const);
    const answer = await bed.ask({
      headers: [...forged, ...(await bed.credentials(customer)), ...forged],
    });
    expect(answer.status).toBe(200);
    const [seen] = bed.reached();
    expect(JSON.stringify(seen?.headers)).not.toContain('forged');
    expect(headersOf(seen).get('x-user-id')).toEqual([customer.customerId]);
  });

  test('is dropped even where Latchkey says nothing', async () => {
    const browser = await logInSomebody(bed.api);
    await bed.api.inTenant(
      (tx) => tx`update session set device_id = null where session_id = ${browser.sessionId}`,
    );
    const answer = await bed.ask({
      headers: [['X-Device-ID', 'forged'], ...(await bed.credentials(browser))],
    });
    const [seen] = bed.reached();
    expect(answer.status).toBe(200);
    expect(headersOf(seen).has('x-device-id')).toBe(false);
  });

  test('does not change what Latchkey is asked', async () => {
    const answer = await bed.ask({
      path: '/bank/other',
      headers: [
        ['X-Original-URI', '/bank/accounts'],
        ['X-Original-Method', 'GET'],
        ['X-Gateway-Id', 'payments'],
        ['X-Forwarded-Host', 'api.bank.example'],
        ...(await bed.credentials(customer)),
      ],
    });
    expect(answer.status).toBe(401);
    expect(bed.reached()).toEqual([]);
  });

  test('about where it comes from does not reach the service', async () => {
    await bed.ask({
      headers: [
        ['X-Forwarded-For', '9.9.9.9'],
        ['Forwarded', 'for=9.9.9.9'],
        ['X-Forwarded-Host', '9.9.9.9'],
        ...(await bed.credentials(customer)),
      ],
    });
    const [seen] = bed.reached();
    expect(seen).toBeDefined();
    expect(JSON.stringify(seen?.headers)).not.toContain('9.9.9.9');
  });
});

describe('a request does not pass when its address', () => {
  const paths = [
    '/bank/../bank/accounts',
    '/bank/./accounts',
    '/bank/..',
    '/bank/..;/accounts',
    '/bank/.;x/accounts',
    '/bank/%2e%2e/bank/accounts',
    '/bank/%2E/accounts',
    '/bank//accounts',
    '//bank/accounts',
    '/bank/a%2fb',
    '/bank/a%2Fb',
    '/bank/a%5cb',
    '/bank/a%5Cb',
    String.raw`/bank/a\b`,
    '/bank/a%252fb',
    '/bank/a%00b',
    '/bank/a%zzb',
    '/bank/a%2',
    '/bank/accounts#x',
    '/open/..%2fbank/accounts',
    '/open/../bank/accounts',
    'http://api.bank.example/bank/../accounts',
  ];
  test.each(paths)('is %s', async (path) => {
    const answer = await bed.ask({
      path,
      headers: await bed.credentials(customer, { htu: `${ORIGIN}${path.split('?')[0] ?? ''}` }),
    });
    expect([400, 401, 403]).toContain(answer.status);
    expect(bed.reached()).toEqual([]);
  });

  test.each(['/BANK/accounts', '/bank', '/bankx/accounts', '/', '/elsewhere'])(
    'is %s, which is not the gateway’s',
    async (path) => {
      const headers = await bed.credentials(customer, { htu: `${ORIGIN}${path}` });
      expect([301, 404]).toContain((await bed.ask({ path, headers })).status);
      expect(bed.reached()).toEqual([]);
    },
  );

  test.each(['/t/demo/gateway/verify', '/t/demo/gateway', '/_latchkey/verify'])(
    'is the check itself: %s',
    async (path) => {
      const answer = await bed.ask({
        path,
        headers: [
          ['X-Gateway-Id', 'bank'],
          ['X-Original-Method', 'GET'],
          ['X-Original-URI', '/bank/accounts'],
          ...(await bed.credentials(customer)),
        ],
      });
      expect(answer.status).toBe(404);
    },
  );
});

describe('the app learns why', () => {
  test('no token came', async () => {
    const answer = await bed.ask({});
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toEqual(['DPoP algs="ES256"']);
    expect(answer.headers['dpop-nonce']).toEqual([expect.stringMatching(/^[\w-]{30}$/)]);
    expect(answer.headers['content-type']).toEqual(['application/problem+json']);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 401, code: 'gateway_refused' });
    expect(bed.reached()).toEqual([]);
  });

  test('the nonce is old: it gets the next one, and passes with it', async () => {
    const answer = await bed.ask({
      headers: await bed.credentials(customer, { nonce: 'A'.repeat(30) }),
    });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toEqual([
      'DPoP error="use_dpop_nonce", algs="ES256"',
    ]);
    const nonce = answer.headers['dpop-nonce']?.[0];
    expect(bed.reached()).toEqual([]);
    const again = await bed.ask({ headers: await bed.credentials(customer, { nonce }) });
    expect(again.status).toBe(200);
  });

  test('the scope is not enough', async () => {
    const restricted = await logInSomebody(bed.api);
    await bed.api.inTenant(
      (tx) => tx`update session set scopes = '{openid}' where session_id = ${restricted.sessionId}`,
    );
    const answer = await bed.ask({ headers: await bed.credentials(restricted) });
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toEqual([
      expect.stringContaining('error="insufficient_scope", scope="accounts:read"'),
    ]);
    expect(answer.headers['dpop-nonce']).toEqual([expect.stringMatching(/^[\w-]{30}$/)]);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 403 });
    expect(bed.reached()).toEqual([]);
  });
});

describe('a request does not pass with', () => {
  test('a proof that was used', async () => {
    const headers = await bed.credentials(customer);
    expect((await bed.ask({ headers })).status).toBe(200);
    bed.reached();
    expect((await bed.ask({ headers })).status).toBe(401);
    expect(bed.reached()).toEqual([]);
  });

  test('a stolen token under another key', async () => {
    const headers = await bed.credentials(customer, { key: await createKeyPair() });
    expect((await bed.ask({ headers })).status).toBe(401);
    expect(bed.reached()).toEqual([]);
  });

  test('a token shown as a bearer', async () => {
    const [, dpop] = await bed.credentials(customer);
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const answer = await bed.ask({
        headers: [['Authorization', `${scheme} ${customer.token}`], dpop ?? ['DPoP', '']],
      });
      expect(answer.status).toBe(401);
    }
    expect(bed.reached()).toEqual([]);
  });

  test('two tokens, or two proofs', async () => {
    const [authorization, dpop] = await bed.credentials(customer);
    if (authorization === undefined || dpop === undefined) throw new Error('both are made');
    for (const headers of [
      [authorization, authorization, dpop],
      [authorization, dpop, dpop],
      [['Authorization', 'DPoP x'] as const, authorization, dpop],
    ]) {
      expect((await bed.ask({ headers })).status).toBeGreaterThanOrEqual(400);
    }
    expect(bed.reached()).toEqual([]);
  });

  test('a machine’s token', async () => {
    const machine = await createMachine(bed.api);
    const headers = await bed.credentials({
      ...customer,
      token: machine.accessToken ?? '',
      phone: { ...customer.phone, key: machine.key },
    });
    expect((await bed.ask({ headers })).status).toBe(403);
    expect(bed.reached()).toEqual([]);
  });

  test('a method that is none', async () => {
    const headers = await bed.credentials(customer, { method: 'TRACE' });
    expect((await bed.ask({ method: 'TRACE', headers })).status).toBe(405);
    expect(bed.reached()).toEqual([]);
  });
});

describe('what was cut off', () => {
  test('is refused at once', async () => {
    const caught = await logInSomebody(bed.api);
    expect((await bed.ask({ headers: await bed.credentials(caught) })).status).toBe(200);
    const machine = await createMachine(bed.api);
    const { customerId } = caught;
    const signal = await machine.post('/fraud/signals', { customerId, reason: 'account_takeover' });
    expect(signal.status).toBe(202);
    bed.reached();
    const answer = await bed.ask({ headers: await bed.credentials(caught) });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']?.[0]).toContain('error="invalid_token"');
    expect(bed.reached()).toEqual([]);
  });

  test('is refused after a logout too', async () => {
    const gone = await logInSomebody(bed.api);
    gone.phone.accessToken = gone.token;
    expect((await gone.phone.post('/auth/logout', { scope: 'this' })).status).toBe(200);
    expect((await bed.ask({ headers: await bed.credentials(gone) })).status).toBe(401);
    expect(bed.reached()).toEqual([]);
  });
});

describe('the apps reach Latchkey through the same nginx', () => {
  test('with its nonce on every answer', async () => {
    const answer = await bed.ask({ path: '/t/demo/.well-known/jwks.json' });
    expect(answer.status).toBe(200);
    expect(answer.headers['dpop-nonce']).toHaveLength(1);
  });

  test('and so do browsers the pages behind the links of messages, and nothing else at the root', async () => {
    // Not built here: Latchkey says so by itself, which nginx could not.
    const isOfLatchkey = async (path: string) =>
      (await bed.ask({ path })).headers['latchkey-request-id'] !== undefined;
    for (const page of ['/freeze.html', '/recover.html'])
      expect(await isOfLatchkey(page)).toBe(true);
    for (const path of ['/', '/freeze.htm', '/freeze.html/x', '/receipt.html', '/openapi.json'])
      expect({ path, is: await isOfLatchkey(path) }).toEqual({ path, is: false });
  });

  test('streams too, as they come', async () => {
    const { key, accessToken = '' } = await createMachine(bed.api, { client: 'demo-bank' });
    const path = `${bed.api.prefix}/feeds/cut-offs`;
    const dpop = await makeProof({
      key,
      method: 'GET',
      htu: `${bed.api.publicUrl}${path}`,
      nowMs: bed.api.clock.nowMs(),
      accessToken,
    });
    const ended = new AbortController();
    const answer = await fetch(`${bed.nginx.url}${path}`, {
      headers: { authorization: `DPoP ${accessToken}`, dpop },
      signal: ended.signal,
    });
    expect(answer.status).toBe(200);
    const reader = answer.body?.getReader();
    let text = '';
    while (!text.includes('event: beat'))
      text += new TextDecoder().decode((await reader?.read())?.value);
    ended.abort();
    expect(text).toContain('"asOf":');
  });
});
