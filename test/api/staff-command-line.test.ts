/** A staff login for a command line: a code for its listener, worth nothing without its verifier, a second time or elsewhere. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOGIN_COOKIE, STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { TEST_OPERATIONS_URL } from '../setup/demo-tenant.ts';
import { createStaffBrowser } from '../setup/staff/staff-browser.ts';
import { knock } from '../setup/staff.ts';
import { DirectoryBed, LOGIN, locationOf } from '../setup/staff/directory-bed.ts';

let bed: DirectoryBed;
let api: TestApi;
beforeAll(async () => {
  bed = await DirectoryBed.open();
  api = bed.api;
});
afterAll(async () => {
  await bed.close();
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
    const back = await bed.logIn(browser, person, query);
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
    const [last] = (await bed.auditOf('staff.logged_in')).slice(-1);
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
      const back = await bed.logIn(createStaffBrowser(own), 'ana', query);
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
    bed.mia.roles = [];
    const back = await bed.logIn(createStaffBrowser(api), 'mia', query);
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
