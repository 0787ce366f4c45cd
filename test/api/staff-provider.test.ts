/** A staff login against a provider that misbehaves: each check of its answer is violated with everything else in order. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../api/frame/logging.ts';
import { STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { startCrookedProvider } from '../setup/vendors/crooked-provider.ts';
import type { CrookedProvider, ProviderWish } from '../setup/vendors/crooked-provider.ts';
import { createStaffBrowser } from '../setup/staff/staff-browser.ts';

const CLIENT = 'latchkey-operations';
/** Problems instead of pages. */
const AS_SCRIPT = { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' };
const seconds = (ahead: number) => Math.floor(Date.now() / 1000) + ahead;

let provider: CrookedProvider;
let api: TestApi;
beforeAll(async () => {
  provider = await startCrookedProvider(CLIENT);
  const entry = {
    issuer: provider.issuer,
    clientId: CLIENT,
    clientSecret: 'demo-secret',
    rolesClaim: 'roles',
    employeeClaim: 'employee_id',
    roles: { agent: ['bank-agent'], supervisor: ['s'], auditor: ['toString'], administrator: [] },
  };
  const staff = { demo: entry, strong: { ...entry, acrValues: ['gold', 'silver'] } };
  api = await startTestApi({ configuration: { staff } });
  await api.addTenant('strong');
});
afterAll(async () => {
  await api.close();
  await provider.stop();
});
beforeEach(() => {
  provider.honest();
});

async function logIn(
  wish: ProviderWish,
  { slug = 'demo', query = '' }: { readonly slug?: string; readonly query?: string } = {},
) {
  const browser = createStaffBrowser(api);
  const there = await browser.open(`/t/${slug}/staff/login${query}`);
  const callback = provider.callbackFor(String(there.headers['location']));
  provider.wish = wish;
  const back = await browser.open(callback, AS_SCRIPT);
  const isIn = browser.cookies.has(STAFF_COOKIE);
  const me = isIn ? (await browser.open(`/t/${slug}/staff/me`)).body : undefined;
  return {
    status: back.status,
    code: back.body.code,
    detail: back.body.detail,
    isIn,
    me,
    callback,
  };
}

const failed = { status: 400, code: 'staff_login_failed', isIn: false };
const unavailable = { status: 503, code: 'staff_login_unavailable', isIn: false };

describe('an answer of the provider', () => {
  it('that is in order lets in, and the client proves itself and its verifier', async () => {
    const before = provider.exchanges.length;
    expect(await logIn({})).toMatchObject({ status: 303, isIn: true });
    const form = provider.exchanges[before];
    expect(form?.get('grant_type')).toBe('authorization_code');
    expect(form?.get('code_verifier')).toMatch(/^[\w-]{43}$/);
    expect(form?.has('client_secret')).toBe(false);
  });

  it.each([
    ['of another login (nonce)', { nonce: 'another' }],
    ['without a nonce', { nonce: undefined }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['for another client', { aud: 'another' }],
    ['for several clients without saying which asked', { aud: [CLIENT, 'another'] }],
    ['for another authorized party', { aud: [CLIENT, 'another'], azp: 'another' }],
    ['that has expired', { exp: seconds(-60) }],
    ['without an expiry', { exp: undefined }],
    ['from the future', { nbf: seconds(300) }],
    ['without a subject', { sub: undefined }],
    ['that does not say when the person proved itself', { auth_time: undefined }],
    ['of a proof older than a session may be', { auth_time: seconds(-36_100) }],
    ['of a proof in the future', { auth_time: seconds(120) }],
    ['without an employee id', { employee_id: undefined }],
    ['with an employee id that is no text', { employee_id: 7 }],
    ['with an employee id that only looks like one', { employee_id: 'С-1' }],
    ['with an employee id that is too long', { employee_id: 'C'.repeat(65) }],
  ])('%s lets nobody in', async (_, claims) => {
    expect(await logIn({ claims })).toMatchObject(failed);
  });

  it('that somebody else signed lets nobody in', async () => {
    expect(await logIn({ isForged: true })).toMatchObject(failed);
  });
  it('that nobody signed lets nobody in', async () => {
    expect(await logIn({ isUnsigned: true })).toMatchObject(failed);
  });

  it('for a fresh login must be of a proof since then', async () => {
    const query = '?fresh=true';
    const stale = { claims: { auth_time: seconds(-120) } };
    expect(await logIn(stale, { query })).toMatchObject({ ...failed, detail: 'auth_time' });
    expect(await logIn(stale)).toMatchObject({ isIn: true });
    expect(await logIn({}, { query })).toMatchObject({ isIn: true });
  });

  it.each([undefined, 'bronze', ['gold']])(
    'of the strength %j is too weak for who asks more',
    async (acr) => {
      const answer = await logIn({ claims: { acr } }, { slug: 'strong' });
      expect(answer).toMatchObject({ ...failed, detail: 'acr' });
    },
  );
  it('of one of the strengths asked for lets in', async () => {
    expect(await logIn({ claims: { acr: 'silver' } }, { slug: 'strong' })).toMatchObject({
      isIn: true,
    });
  });

  it.each([
    [undefined],
    [null],
    ['agent'],
    ['BANK-AGENT'],
    [['bank-agent ', 'agents']],
    [{ 0: 'bank-agent', length: 1 }],
    [[['bank-agent']]],
  ])('with the roles %j is refused', async (roles) => {
    expect(await logIn({ claims: { roles } })).toMatchObject({
      status: 403,
      code: 'no_staff_role',
      isIn: false,
    });
  });
  it('with one role as a text has that role', async () => {
    const { me } = await logIn({ claims: { roles: 'bank-agent' } });
    expect(me.roles).toEqual(['agent']);
  });
  it('without a name goes by the employee id, and with a long one by its beginning', async () => {
    expect((await logIn({ claims: { name: undefined } })).me.name).toBe('C-1');
    expect((await logIn({ claims: { name: 'n'.repeat(5_000) } })).me.name).toHaveLength(128);
  });
});

describe('a login', () => {
  it('is done once, also where the provider takes a code twice', async () => {
    const browser = createStaffBrowser(api);
    const there = await browser.open('/t/demo/staff/login');
    const callback = provider.callbackFor(String(there.headers['location']));
    const cookies = [...browser.cookies];
    const once = async () => {
      const copy = createStaffBrowser(api);
      for (const [name, value] of cookies) copy.cookies.set(name, value);
      return await copy.open(callback, AS_SCRIPT);
    };
    const answers = await Promise.all([once(), once(), once()]);
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect([count(303), count(400)]).toEqual([1, 2]);
    expect(await once()).toMatchObject({ status: 400, body: { detail: 'done before' } });
  });

  it('whose verifier the provider does not know is refused by it', async () => {
    const browser = createStaffBrowser(api);
    const there = new URL(String((await browser.open('/t/demo/staff/login')).headers['location']));
    there.searchParams.set('code_challenge', 'c'.repeat(43));
    expect((await browser.open(provider.callbackFor(there.href))).status).toBe(400);
  });
});

describe('a provider in trouble', () => {
  const json = 'application/json';
  it.each<readonly [string, ProviderWish]>([
    ['hangs up', { isSilent: true }],
    ['has a fault', { answer: { status: 500, type: 'text/html', body: 'oops' } }],
    [
      'says that it has one',
      { answer: { status: 503, type: json, body: '{"error":"temporarily_unavailable"}' } },
    ],
    [
      'does not know our secret',
      { answer: { status: 401, type: json, body: '{"error":"invalid_client"}' } },
    ],
    ['speaks gibberish', { answer: { status: 200, type: json, body: '{' } }],
  ])('that %s is answered 503', async (_, wish) => {
    expect(await logIn(wish)).toMatchObject(unavailable);
  });
  it('that does not know the code is not in trouble', async () => {
    const answer = { status: 400, type: json, body: '{"error":"invalid_grant"}' };
    expect(await logIn({ answer })).toMatchObject(failed);
  });
  it('that sends the person back with its own trouble is answered 503', async () => {
    const browser = createStaffBrowser(api);
    const there = await browser.open('/t/demo/staff/login');
    const callback = new URL(provider.callbackFor(String(there.headers['location'])));
    callback.searchParams.delete('code');
    callback.searchParams.set('error', 'temporarily_unavailable');
    expect((await browser.open(callback.href)).status).toBe(503);
  });

  it('whose word for it is none is not written into the log: whoever comes back writes that', async () => {
    const lines: string[] = [];
    const logger = createLogger({
      level: 'info',
      instance: 'test',
      destination: { write: (line) => void lines.push(line) },
    });
    const own = await startTestApi({
      configuration: api.deps.configuration,
      dependencies: { logger },
    });
    try {
      const browser = createStaffBrowser(own);
      const there = await browser.open('/t/demo/staff/login');
      const callback = new URL(provider.callbackFor(String(there.headers['location'])));
      callback.searchParams.delete('code');
      callback.searchParams.set('error', 'ada@example.test 4711');
      expect((await browser.open(callback.href)).status).toBe(400);
      expect(lines.join('')).toContain('a staff login was not completed');
      expect(lines.join('')).not.toContain('ada@example.test');
    } finally {
      await own.close();
    }
  });

  it('that is gone from the start is a page that says so, and is found once it is back', async () => {
    // An app of its own knows nothing of the provider yet.
    const own = await startTestApi({ configuration: api.deps.configuration });
    const open = () => createStaffBrowser(own).open('/t/demo/staff/login');
    try {
      provider.wish = { isGone: true };
      const page = await open();
      expect(page).toMatchObject({
        status: 503,
        headers: {
          'retry-after': '5',
          'content-type': expect.stringContaining('text/html'),
          'content-security-policy': expect.stringContaining("default-src 'none'"),
        },
        body: expect.stringContaining('The identity provider of staff does not answer.'),
      });
      expect(page.headers).not.toHaveProperty('set-cookie');
      provider.honest();
      expect((await open()).status).toBe(503);
      own.clock.advance(5_000);
      expect((await open()).status).toBe(302);
      provider.wish = { isGone: true };
      own.clock.advance(60 * 60_000);
      expect((await open()).status).toBe(302);
    } finally {
      await own.close();
    }
  });
});
