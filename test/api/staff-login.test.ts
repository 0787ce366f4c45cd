/** A staff login through a real OpenID provider, the demo's: from the first redirect to a session, in a browser and for a command line. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FastifyRequest } from 'fastify';
import { createStaffAuthentication } from '../../api/staff/authentication.ts';
import { LOGIN_COOKIE, STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { startStaffDirectory } from '../../runtime/staff-directory.ts';
import type { StaffDirectory } from '../../runtime/staff-directory.ts';
import { DEMO_PEOPLE } from '../../runtime/staff-people.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { TEST_OPERATIONS_URL } from '../setup/demo-tenant.ts';
import { createStaffBrowser } from '../setup/staff/staff-browser.ts';
import type { StaffBrowser } from '../setup/staff/staff-browser.ts';
import { logInAtDirectory } from '../setup/staff/staff-login.ts';
import { knock } from '../setup/staff.ts';

const LOGIN = '/t/demo/staff/login';
const ROLES = {
  agent: ['bank-agent'],
  supervisor: ['bank-supervisor'],
  auditor: ['bank-auditor'],
  administrator: ['bank-administrator'],
};

let directory: StaffDirectory;
let api: TestApi;
let otherTenantId: string;
/** What the directory says of Mia changes between two logins. */
const mia = {
  ...DEMO_PEOPLE.ana,
  id: 'mia',
  name: 'Mia',
  employeeId: 'E-77',
  roles: ['bank-agent'],
};

beforeAll(async () => {
  const redirectUris = ['demo', 'other'].map(
    (slug) => `${TEST_OPERATIONS_URL}/t/${slug}/staff/callback`,
  );
  directory = await startStaffDirectory({
    port: 0,
    redirectUris,
    people: [...Object.values(DEMO_PEOPLE), mia],
    environment: {},
    onError: (error) => {
      throw error;
    },
  });
  const { issuer, clientId, clientSecret } = directory;
  const entry = {
    issuer,
    clientId,
    clientSecret,
    rolesClaim: 'roles',
    employeeClaim: 'employee_id',
  };
  const staff = { demo: { ...entry, roles: ROLES }, other: { ...entry, roles: ROLES } };
  api = await startTestApi({ configuration: { staff } });
  otherTenantId = await api.addTenant('other');
});
afterAll(async () => {
  await api.close();
  await directory.stop();
});

const locationOf = ({ headers }: { headers: Readonly<Record<string, unknown>> }) =>
  String(headers['location']);

/** To the provider and back, not yet through the callback. */
async function goThere(browser: StaffBrowser, person: string, query = ''): Promise<string> {
  const there = await browser.open(`${LOGIN}${query}`);
  expect(there.status).toBe(302);
  return await logInAtDirectory(locationOf(there), person);
}

async function logIn(browser: StaffBrowser, person: string, query = '') {
  return await browser.open(await goThere(browser, person, query));
}

const me = async (browser: StaffBrowser) => await browser.open('/t/demo/staff/me');

const auditOf = async (action: string) =>
  await api.inTenant(
    (tx) => tx<{ actorKind: string; actorId: string; subjectId: string; detail: object }[]>`
      select actor_kind, actor_id, subject_id, detail from audit where action = ${action} order by position`,
  );

describe('a staff login', () => {
  it.each(Object.values(DEMO_PEOPLE))('lets $name in with the mapped role', async (person) => {
    const browser = createStaffBrowser(api);
    const back = await logIn(browser, person.id, '?returnTo=%2Fholds%3Fa%3D1');
    expect(back.status).toBe(303);
    expect(locationOf(back)).toBe(`${TEST_OPERATIONS_URL}/holds?a=1`);
    expect([...browser.cookies.keys()]).toEqual([STAFF_COOKIE]);
    expect(await me(browser)).toMatchObject({
      status: 200,
      body: {
        name: person.name,
        employeeId: person.employeeId,
        roles: person.roles.map((role) => role.replace('bank-', '')),
      },
    });
  });

  it('asks the provider with code, PKCE, state, nonce and a limit on the age of its own session', async () => {
    const there = new URL(locationOf(await createStaffBrowser(api).open(LOGIN)));
    expect(Object.fromEntries(there.searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      max_age: '36000',
      redirect_uri: `${TEST_OPERATIONS_URL}/t/demo/staff/callback`,
    });
    expect(there.searchParams.has('prompt')).toBe(false);
  });

  it('asks for a new proof of the person when it is to be fresh', async () => {
    const there = new URL(locationOf(await createStaffBrowser(api).open(`${LOGIN}?fresh=true`)));
    expect(there.searchParams.get('prompt')).toBe('login');
    expect(there.searchParams.get('max_age')).toBe('0');
  });

  it('stands in the audit trail under the person', async () => {
    const browser = createStaffBrowser(api);
    await logIn(browser, 'sione');
    const { body } = await me(browser);
    const [last] = (await auditOf('staff.logged_in')).slice(-1);
    expect(last).toMatchObject({ actorKind: 'staff', actorId: body.staffId });
    expect(last?.detail).toMatchObject({ kind: 'browser', roles: 'supervisor' });
  });

  it('gives a new session each time and ends the one that the browser had', async () => {
    const browser = createStaffBrowser(api);
    await logIn(browser, 'ana');
    const before = browser.cookies.get(STAFF_COOKIE);
    await logIn(browser, 'ana');
    expect(browser.cookies.get(STAFF_COOKIE)).not.toBe(before);
    const stolen = await knock(api, {
      path: '/t/demo/staff/me',
      headers: { cookie: `${STAFF_COOKIE}=${String(before)}` },
    });
    expect(stolen).toMatchObject({ status: 401, body: { code: 'staff_login_required' } });
  });

  it('takes the roles that the provider names now, in the older sessions too', async () => {
    const old = createStaffBrowser(api);
    mia.roles = ['bank-agent', 'bank-supervisor'];
    await logIn(old, 'mia');
    expect((await me(old)).body.roles).toEqual(['agent', 'supervisor']);
    mia.roles = ['bank-agent', 'bank-administrator'];
    const fresh = createStaffBrowser(api);
    await logIn(fresh, 'mia');
    expect((await me(fresh)).body.roles).toEqual(['agent', 'administrator']);
    expect((await me(old)).body.roles).toEqual(['agent']);
  });

  it('refuses who has no role any more, and ends the sessions they had', async () => {
    const old = createStaffBrowser(api);
    mia.roles = ['bank-agent'];
    await logIn(old, 'mia');
    mia.roles = ['somebody-else'];
    const browser = createStaffBrowser(api);
    const back = await logIn(browser, 'mia');
    expect(back.status).toBe(403);
    expect(back.headers['content-type']).toContain('text/html');
    expect(back.body).toContain('no_staff_role');
    expect(browser.cookies.size).toBe(0);
    expect(await me(old)).toMatchObject({ status: 401, body: { code: 'staff_login_required' } });
    const [refused] = (await auditOf('staff.login_refused')).slice(-1);
    expect(refused?.detail).toEqual({ reason: 'no_staff_role' });
    const [ended] = (await auditOf('staff.session_ended')).slice(-1);
    expect(ended?.detail).toEqual({ reason: 'roles_removed' });
  });

  it('keeps at most ten sessions of one person, the newest', async () => {
    const first = createStaffBrowser(api);
    await logIn(first, 'aida');
    for (let count = 0; count < 9; count += 1) await logIn(createStaffBrowser(api), 'aida');
    expect((await me(first)).status).toBe(200);
    await logIn(createStaffBrowser(api), 'aida');
    expect((await me(first)).status).toBe(401);
  });
});

describe('a callback', () => {
  const refused = { status: 400, body: expect.stringContaining('staff_login_failed') };

  it('that nobody in this browser began is refused (login CSRF)', async () => {
    const callback = await goThere(createStaffBrowser(api), 'ana');
    const victim = createStaffBrowser(api);
    expect(await victim.open(callback)).toMatchObject(refused);
    expect(victim.cookies.size).toBe(0);
  });

  it('is refused with the login cookie of another login (state)', async () => {
    const attacker = createStaffBrowser(api);
    const callback = await goThere(attacker, 'ana');
    const victim = createStaffBrowser(api);
    await victim.open(LOGIN);
    expect(await victim.open(callback)).toMatchObject(refused);
  });

  it.each(['another', undefined])(
    'is refused with its own code under the state %j',
    async (state) => {
      const browser = createStaffBrowser(api);
      const callback = new URL(await goThere(browser, 'ana'));
      if (state === undefined) callback.searchParams.delete('state');
      else callback.searchParams.set('state', state);
      expect(await browser.open(callback.href)).toMatchObject(refused);
    },
  );

  it("is refused with another login's code under its own state (code injection)", async () => {
    const attackers = new URL(await goThere(createStaffBrowser(api), 'ana'));
    const victim = createStaffBrowser(api);
    const own = new URL(await goThere(victim, 'ana'));
    own.searchParams.set('code', attackers.searchParams.get('code') ?? '');
    expect(await victim.open(own.href)).toMatchObject(refused);
  });

  it('works once, even with the cookies of then', async () => {
    const browser = createStaffBrowser(api);
    const callback = await goThere(browser, 'ana');
    const then = new Map(browser.cookies);
    expect((await browser.open(callback)).status).toBe(303);
    const replay = createStaffBrowser(api);
    for (const [name, value] of then) replay.cookies.set(name, value);
    expect(await replay.open(callback)).toMatchObject(refused);
    expect(replay.cookies.has(STAFF_COOKIE)).toBe(false);
  });

  it('is refused ten minutes after its beginning, and taken just before', async () => {
    const own = await startTestApi({ configuration: { ...api.deps.configuration } });
    try {
      const before = createStaffBrowser(own);
      const taken = await goThere(before, 'ana');
      const after = createStaffBrowser(own);
      const late = await goThere(after, 'ana');
      own.clock.advance(10 * 60_000 - 5_000);
      expect((await before.open(taken)).status).toBe(303);
      own.clock.advance(5_000);
      expect(await after.open(late)).toMatchObject(refused);
    } finally {
      await own.close();
    }
  });

  it("is refused with another tenant's login", async () => {
    const browser = createStaffBrowser(api);
    const callback = new URL(await goThere(browser, 'ana'));
    callback.pathname = '/t/other/staff/callback';
    expect(await browser.open(callback.href)).toMatchObject(refused);
  });

  it.each(['state', 'code', 'iss'])('is refused with two of %s', async (name) => {
    const browser = createStaffBrowser(api);
    const callback = new URL(await goThere(browser, 'ana'));
    callback.searchParams.append(name, callback.searchParams.get(name) ?? '');
    expect(await browser.open(callback.href)).toMatchObject(refused);
  });

  it('is refused when it names another issuer (mix-up, RFC 9207)', async () => {
    const browser = createStaffBrowser(api);
    const callback = new URL(await goThere(browser, 'ana'));
    callback.searchParams.set('iss', 'https://evil.example');
    expect(await browser.open(callback.href)).toMatchObject(refused);
  });

  it('is refused without an issuer, when the provider said that it names itself', async () => {
    const browser = createStaffBrowser(api);
    const callback = new URL(await goThere(browser, 'ana'));
    callback.searchParams.delete('iss');
    expect(await browser.open(callback.href)).toMatchObject(refused);
  });

  it('that brings the refusal of the provider is one here', async () => {
    const browser = createStaffBrowser(api);
    const callback = new URL(await goThere(browser, 'ana'));
    callback.searchParams.delete('code');
    callback.searchParams.set('error', 'access_denied');
    expect(await browser.open(callback.href)).toMatchObject(refused);
  });

  it('answers a program with a problem', async () => {
    const path = '/t/demo/staff/callback?code=a&state=b';
    expect(await knock(api, { path })).toMatchObject({
      status: 400,
      headers: { 'content-type': expect.stringContaining('problem+json') },
      body: { code: 'staff_login_failed' },
    });
  });
});

describe('the cookie of a login', () => {
  it('holds nothing readable, and is refused when a bit of it was changed', async () => {
    const browser = createStaffBrowser(api);
    const callback = await goThere(browser, 'ana', '?returnTo=%2Fsecret-place');
    const cookie = browser.cookies.get(LOGIN_COOKIE) ?? '';
    expect(Buffer.from(cookie.split('.')[1] ?? '', 'base64url').toString('latin1')).not.toContain(
      'secret-place',
    );
    const [kid = '', sealed = ''] = cookie.split('.');
    const bytes = Buffer.from(sealed, 'base64url');
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    browser.cookies.set(LOGIN_COOKIE, `${kid}.${bytes.toString('base64url')}`);
    expect((await browser.open(callback)).status).toBe(400);
  });
});

describe('where a login leads', () => {
  it.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'javascript:alert(1)',
    'evil',
    '',
    '/a b',
    '/a\nb',
    `/${'a'.repeat(512)}`,
  ])('is not %j', async (returnTo) => {
    const answer = await knock(api, {
      path: `${LOGIN}?returnTo=${encodeURIComponent(returnTo)}`,
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it.each(['/..//evil.example', '/a/..//evil.example/x', '/%2F%2Fevil.example'])(
    'stays at the operations origin for %j',
    async (returnTo) => {
      const browser = createStaffBrowser(api);
      const back = await logIn(browser, 'ana', `?returnTo=${encodeURIComponent(returnTo)}`);
      expect(new URL(locationOf(back)).origin).toBe(TEST_OPERATIONS_URL);
      expect(locationOf(back)).toMatch(/^http:/);
    },
  );

  it('exists only for tenants whose staff have a directory', async () => {
    await api.addTenant('without');
    expect(await knock(api, { path: '/t/without/staff/login' })).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });
});

describe('the session of a tenant', () => {
  it('is nobody in another one', async () => {
    const browser = createStaffBrowser(api);
    await logIn(browser, 'ana');
    expect(await browser.open('/t/other/staff/me')).toMatchObject({
      status: 401,
      body: { code: 'staff_login_required' },
    });
    expect(otherTenantId).not.toBe(api.tenantId);
  });
});

describe('a provider that is another one in the configuration now', () => {
  const visitUnder = async (issuers: Readonly<Record<string, string>>) => {
    const browser = createStaffBrowser(api);
    await logIn(browser, 'ana');
    const [before] = Object.values(api.deps.configuration.staff ?? {});
    if (before === undefined) throw new Error('the demo tenant has a directory');
    const staff = Object.fromEntries(
      Object.entries(issuers).map(([slug, issuer]) => [slug, { ...before, issuer }]),
    );
    const configuration = { ...api.deps.configuration, staff };
    const authentication = createStaffAuthentication({ ...api.deps, configuration });
    const cookie = [`${STAFF_COOKIE}=${browser.cookies.get(STAFF_COOKIE) ?? ''}`];
    // What it reads of a request.
    return await authentication.visitOf({
      raw: { headersDistinct: { cookie } },
    } as unknown as FastifyRequest);
  };
  it('has no sessions any more', async () => {
    expect(await visitUnder({ demo: 'https://idp.example' })).toBeUndefined();
    expect(await visitUnder({ other: directory.issuer })).toBeUndefined();
    expect(await visitUnder({})).toBeUndefined();
  });
  it('keeps them when only its last slash came or went', async () => {
    expect(await visitUnder({ demo: directory.issuer })).toMatchObject({ tenantId: api.tenantId });
    expect(await visitUnder({ demo: `${directory.issuer}/` })).toMatchObject({
      tenantId: api.tenantId,
    });
  });
});

describe('a command line', () => {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const LISTENER = 'http://127.0.0.1:50123/callback';
  const query = `?cli=${encodeURIComponent(LISTENER)}&challenge=${challenge}`;
  const redeem = async (body: unknown, path = '/t/demo/staff/cli-sessions') =>
    await knock(api, {
      method: 'POST',
      path,
      headers: { origin: TEST_OPERATIONS_URL, 'content-type': 'application/json' },
      payload: JSON.stringify(body),
    });
  const codeOf = async (person = 'ana') => {
    const browser = createStaffBrowser(api);
    const back = await logIn(browser, person, query);
    expect(back.status).toBe(303);
    expect(browser.cookies.has(STAFF_COOKIE)).toBe(false);
    const address = new URL(locationOf(back));
    expect(`${address.origin}${address.pathname}`).toBe(LISTENER);
    return address.searchParams.get('code') ?? '';
  };

  it('trades a code and its verifier for a session of its own', async () => {
    const { status, body } = await redeem({ code: await codeOf(), verifier });
    expect(status).toBe(201);
    const headers = { cookie: `${STAFF_COOKIE}=${String(body.token)}` };
    expect(await knock(api, { path: '/t/demo/staff/me', headers })).toMatchObject({
      status: 200,
      body: { name: 'Ana Agent' },
    });
    const [last] = (await auditOf('staff.logged_in')).slice(-1);
    expect(last?.detail).toMatchObject({ kind: 'cli' });
  });

  it('needs somebody who acts at the provider: a link alone gives nobody a session', async () => {
    const there = new URL(locationOf(await createStaffBrowser(api).open(`${LOGIN}${query}`)));
    expect(there.searchParams.get('prompt')).toBe('login');
  });

  const failed = { status: 400, body: { code: 'staff_login_failed' } };
  it('gets nothing with another verifier', async () => {
    const other = randomBytes(32).toString('base64url');
    expect(await redeem({ code: await codeOf(), verifier: other })).toMatchObject(failed);
  });
  it('gets one session for one code', async () => {
    const code = await codeOf();
    expect((await redeem({ code, verifier })).status).toBe(201);
    expect(await redeem({ code, verifier })).toMatchObject(failed);
  });
  it('gets nothing at another tenant', async () => {
    const path = '/t/other/staff/cli-sessions';
    expect(await redeem({ code: await codeOf(), verifier }, path)).toMatchObject(failed);
  });
  it('gets nothing for what was sealed for another purpose', async () => {
    const browser = createStaffBrowser(api);
    await browser.open(LOGIN);
    const code = browser.cookies.get(LOGIN_COOKIE);
    expect(await redeem({ code, verifier })).toMatchObject(failed);
  });
  it('gets nothing for a code of its own making', async () => {
    expect(await redeem({ code: 'abc.def', verifier })).toMatchObject(failed);
  });
  it('has a minute', async () => {
    const own = await startTestApi({ configuration: { ...api.deps.configuration } });
    const trade = async (code: string) =>
      await knock(own, {
        method: 'POST',
        path: '/t/demo/staff/cli-sessions',
        headers: { origin: TEST_OPERATIONS_URL, 'content-type': 'application/json' },
        payload: JSON.stringify({ code, verifier }),
      });
    const next = async () => {
      const back = await logIn(createStaffBrowser(own), 'ana', query);
      return new URL(locationOf(back)).searchParams.get('code') ?? '';
    };
    try {
      const inTime = await next();
      own.clock.advance(55_000);
      expect((await trade(inTime)).status).toBe(201);
      const late = await next();
      own.clock.advance(60_000);
      expect(await trade(late)).toMatchObject(failed);
    } finally {
      await own.close();
    }
  });
  it('is told at its listener when there is no role', async () => {
    mia.roles = [];
    const back = await logIn(createStaffBrowser(api), 'mia', query);
    expect(locationOf(back)).toBe(`${LISTENER}?error=no_staff_role`);
  });

  it.each([
    'http://localhost:50123/',
    'http://127.0.0.1/',
    'https://127.0.0.1:50123/',
    'http://127.0.0.1:50123@evil.example/',
    'http://127.0.0.1:50123/?x=1',
    'http://127.0.0.1.evil.example:50123/',
    'http://127.0.0.1:99999/',
    'http://192.168.0.7:50123/',
  ])('is never at %s', async (listener) => {
    const path = `${LOGIN}?cli=${encodeURIComponent(listener)}&challenge=${challenge}`;
    expect(await knock(api, { path })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });
  it.each(['', 'short', `${challenge}=`])('is refused with the challenge %j', async (wrong) => {
    const path = `${LOGIN}?cli=${encodeURIComponent(LISTENER)}&challenge=${wrong}`;
    expect((await knock(api, { path })).status).toBe(400);
  });
});
