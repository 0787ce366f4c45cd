/** The callback of a staff login: once, in the browser that began it, for its tenant, with its own code, state and issuer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createStaffBrowser } from '../setup/staff/staff-browser.ts';
import { knock } from '../setup/staff.ts';
import { DirectoryBed, LOGIN } from '../setup/staff/directory-bed.ts';

let bed: DirectoryBed;
let api: TestApi;
beforeAll(async () => {
  bed = await DirectoryBed.open();
  api = bed.api;
});
afterAll(async () => {
  await bed.close();
});

describe('a callback', () => {
  const refused = { status: 400, body: expect.stringContaining('staff_login_failed') };

  it('that nobody in this browser began is refused (login CSRF)', async () => {
    const callback = await bed.goThere(createStaffBrowser(api), 'ana');
    const victim = createStaffBrowser(api);
    expect(await victim.open(callback)).toMatchObject(refused);
    expect(victim.cookies.size).toBe(0);
  });

  it('is refused with the login cookie of another login (state)', async () => {
    const attacker = createStaffBrowser(api);
    const callback = await bed.goThere(attacker, 'ana');
    const victim = createStaffBrowser(api);
    await victim.open(LOGIN);
    expect(await victim.open(callback)).toMatchObject(refused);
  });

  it.each(['another', undefined])(
    'is refused with its own code under the state %j',
    async (state) => {
      const browser = createStaffBrowser(api);
      const callback = new URL(await bed.goThere(browser, 'ana'));
      if (state === undefined) callback.searchParams.delete('state');
      else callback.searchParams.set('state', state);
      expect(await browser.open(callback.href)).toMatchObject(refused);
    },
  );

  it("is refused with another login's code under its own state (code injection)", async () => {
    const attackers = new URL(await bed.goThere(createStaffBrowser(api), 'ana'));
    const victim = createStaffBrowser(api);
    const own = new URL(await bed.goThere(victim, 'ana'));
    own.searchParams.set('code', attackers.searchParams.get('code') ?? '');
    expect(await victim.open(own.href)).toMatchObject(refused);
  });

  it('works once, even with the cookies of then', async () => {
    const browser = createStaffBrowser(api);
    const callback = await bed.goThere(browser, 'ana');
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
      const taken = await bed.goThere(before, 'ana');
      const after = createStaffBrowser(own);
      const late = await bed.goThere(after, 'ana');
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
    const callback = new URL(await bed.goThere(browser, 'ana'));
    callback.pathname = '/t/other/staff/callback';
    expect(await browser.open(callback.href)).toMatchObject(refused);
  });

  it.each(['state', 'code', 'iss'])('is refused with two of %s', async (name) => {
    const browser = createStaffBrowser(api);
    const callback = new URL(await bed.goThere(browser, 'ana'));
    callback.searchParams.append(name, callback.searchParams.get(name) ?? '');
    expect(await browser.open(callback.href)).toMatchObject(refused);
  });

  it('is refused when it names another issuer (mix-up, RFC 9207)', async () => {
    const browser = createStaffBrowser(api);
    const callback = new URL(await bed.goThere(browser, 'ana'));
    callback.searchParams.set('iss', 'https://evil.example');
    expect(await browser.open(callback.href)).toMatchObject(refused);
  });

  it('is refused without an issuer, when the provider said that it names itself', async () => {
    const browser = createStaffBrowser(api);
    const callback = new URL(await bed.goThere(browser, 'ana'));
    callback.searchParams.delete('iss');
    expect(await browser.open(callback.href)).toMatchObject(refused);
  });

  it('that brings the refusal of the provider is one here', async () => {
    const browser = createStaffBrowser(api);
    const callback = new URL(await bed.goThere(browser, 'ana'));
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
