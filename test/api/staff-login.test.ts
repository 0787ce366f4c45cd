/** A staff login through a real OpenID provider, the demo's, in a browser: from the first redirect to a session, and where it leads. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FastifyRequest } from 'fastify';
import { createStaffAuthentication } from '../../api/staff/authentication.ts';
import { LOGIN_COOKIE, STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { DEMO_PEOPLE } from '../../runtime/staff-people.ts';
import type { TestApi } from '../setup/api.ts';
import { TEST_OPERATIONS_URL } from '../setup/demo-tenant.ts';
import { createStaffBrowser } from '../setup/staff/staff-browser.ts';
import { knock } from '../setup/staff.ts';
import { DirectoryBed, LOGIN, locationOf, meOf } from '../setup/staff/directory-bed.ts';

let bed: DirectoryBed;
let api: TestApi;
beforeAll(async () => {
  bed = await DirectoryBed.open();
  api = bed.api;
});
afterAll(async () => {
  await bed.close();
});

describe('a staff login', () => {
  it.each(Object.values(DEMO_PEOPLE))('lets $name in with the mapped role', async (person) => {
    const browser = createStaffBrowser(api);
    const back = await bed.logIn(browser, person.id, '?returnTo=%2Fholds%3Fa%3D1');
    expect(back.status).toBe(303);
    expect(locationOf(back)).toBe(`${TEST_OPERATIONS_URL}/holds?a=1`);
    expect([...browser.cookies.keys()]).toEqual([STAFF_COOKIE]);
    expect(await meOf(browser)).toMatchObject({
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
    await bed.logIn(browser, 'sione');
    const { body } = await meOf(browser);
    const [last] = (await bed.auditOf('staff.logged_in')).slice(-1);
    expect(last).toMatchObject({ actorKind: 'staff', actorId: body.staffId });
    expect(last?.detail).toMatchObject({ kind: 'browser', roles: 'supervisor' });
  });

  it('gives a new session each time and ends the one that the browser had', async () => {
    const browser = createStaffBrowser(api);
    await bed.logIn(browser, 'ana');
    const before = browser.cookies.get(STAFF_COOKIE);
    await bed.logIn(browser, 'ana');
    expect(browser.cookies.get(STAFF_COOKIE)).not.toBe(before);
    const stolen = await knock(api, {
      path: '/t/demo/staff/me',
      headers: { cookie: `${STAFF_COOKIE}=${String(before)}` },
    });
    expect(stolen).toMatchObject({ status: 401, body: { code: 'staff_login_required' } });
  });

  it('takes the roles that the provider names now, in the older sessions too', async () => {
    const old = createStaffBrowser(api);
    bed.mia.roles = ['bank-agent', 'bank-supervisor'];
    await bed.logIn(old, 'mia');
    expect((await meOf(old)).body.roles).toEqual(['agent', 'supervisor']);
    bed.mia.roles = ['bank-agent', 'bank-administrator'];
    const fresh = createStaffBrowser(api);
    await bed.logIn(fresh, 'mia');
    expect((await meOf(fresh)).body.roles).toEqual(['agent', 'administrator']);
    expect((await meOf(old)).body.roles).toEqual(['agent']);
  });

  it('refuses who has no role any more, and ends the sessions they had', async () => {
    const old = createStaffBrowser(api);
    bed.mia.roles = ['bank-agent'];
    await bed.logIn(old, 'mia');
    bed.mia.roles = ['somebody-else'];
    const browser = createStaffBrowser(api);
    const back = await bed.logIn(browser, 'mia');
    expect(back.status).toBe(403);
    expect(back.headers['content-type']).toContain('text/html');
    expect(back.body).toContain('no_staff_role');
    expect(browser.cookies.size).toBe(0);
    expect(await meOf(old)).toMatchObject({ status: 401, body: { code: 'staff_login_required' } });
    const [refused] = (await bed.auditOf('staff.login_refused')).slice(-1);
    expect(refused?.detail).toEqual({ reason: 'no_staff_role' });
    const [ended] = (await bed.auditOf('staff.session_ended')).slice(-1);
    expect(ended?.detail).toEqual({ reason: 'roles_removed' });
  });

  it('keeps at most ten sessions of one person, the newest', async () => {
    const first = createStaffBrowser(api);
    await bed.logIn(first, 'aida');
    for (let count = 0; count < 9; count += 1) await bed.logIn(createStaffBrowser(api), 'aida');
    expect((await meOf(first)).status).toBe(200);
    await bed.logIn(createStaffBrowser(api), 'aida');
    expect((await meOf(first)).status).toBe(401);
  });
});

describe('the cookie of a login', () => {
  it('holds nothing readable, and is refused when a bit of it was changed', async () => {
    const browser = createStaffBrowser(api);
    const callback = await bed.goThere(browser, 'ana', '?returnTo=%2Fsecret-place');
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
      const back = await bed.logIn(browser, 'ana', `?returnTo=${encodeURIComponent(returnTo)}`);
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
    await bed.logIn(browser, 'ana');
    expect(await browser.open('/t/other/staff/me')).toMatchObject({
      status: 401,
      body: { code: 'staff_login_required' },
    });
    expect(bed.otherTenantId).not.toBe(api.tenantId);
  });
});

describe('a provider that is another one in the configuration now', () => {
  const visitUnder = async (issuers: Readonly<Record<string, string>>) => {
    const browser = createStaffBrowser(api);
    await bed.logIn(browser, 'ana');
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
    expect(await visitUnder({ other: bed.directory.issuer })).toBeUndefined();
    expect(await visitUnder({})).toBeUndefined();
  });
  it('keeps them when only its last slash came or went', async () => {
    expect(await visitUnder({ demo: bed.directory.issuer })).toMatchObject({
      tenantId: api.tenantId,
    });
    expect(await visitUnder({ demo: `${bed.directory.issuer}/` })).toMatchObject({
      tenantId: api.tenantId,
    });
  });
});
