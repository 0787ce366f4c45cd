/** How long a staff session counts, and which cookies are one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOGIN_COOKIE, STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { createStaffAuthentication } from '../../api/staff/authentication.ts';
import { newStaffToken } from '../../api/staff/tokens.ts';
import { createSweepPort } from '../../db/sweeping.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createStaff, knock } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';

const MINUTE = 60_000;
const nobody = { status: 401, body: { code: 'staff_login_required' } };

let api: TestApi;
let neighbourId: string;
beforeAll(async () => {
  api = await startTestApi();
  neighbourId = await api.addTenant('neighbour');
});
afterAll(async () => {
  await api.close();
});

const withCookie = (cookie: string | string[]) =>
  knock(api, { path: '/t/demo/staff/me', headers: { cookie } });
const auditsOf = async ({ staffSessionId }: Staff) =>
  await api.inTenant(
    (tx) =>
      tx<{ action: string; actorKind: string; detail: object }[]>`
        select action, actor_kind, detail from audit where subject_id = ${staffSessionId} order by position`,
  );

describe('the cookie of staff', () => {
  it('says where to log in when it is missing', async () => {
    const answer = await knock(api, { path: '/t/demo/staff/me' });
    expect(answer).toMatchObject(nobody);
    expect(answer.body.loginUrl).toBe(`${api.operations.url}/t/demo/staff/login`);
    expect(answer.headers['www-authenticate']).toBe(`Cookie cookie-name="${STAFF_COOKIE}"`);
  });

  it('is found among others', async () => {
    const { token } = await createStaff(api, ['auditor']);
    expect((await withCookie(`a=b; ${STAFF_COOKIE}=${token};c=d`)).status).toBe(200);
  });

  it('is refused when it comes twice, in one header or in two', async () => {
    const { token } = await createStaff(api, ['agent']);
    const own = `${STAFF_COOKIE}=${token}`;
    expect(await withCookie(`${own}; ${own}`)).toMatchObject(nobody);
    expect(await withCookie(`${own}; ${STAFF_COOKIE}=x`)).toMatchObject(nobody);
    expect(await withCookie([`${STAFF_COOKIE}=x`, own])).toMatchObject(nobody);
    expect(await withCookie(`${own}; ${STAFF_COOKIE.toLowerCase()}=x`)).toMatchObject(nobody);
  });

  it.each([
    ['another name', (token: string) => `latchkey-staff=${token}`],
    ['the name of the other cookie', (token: string) => `${LOGIN_COOKIE}=${token}`],
    ['another case', (token: string) => `${STAFF_COOKIE.toLowerCase()}=${token}`],
    ['quotes', (token: string) => `${STAFF_COOKIE}="${token}"`],
    ['something after it', (token: string) => `${STAFF_COOKIE}=${token}x`],
    [
      'another letter',
      (token: string) =>
        `${STAFF_COOKIE}=${token.slice(0, -2)}${token.endsWith('A') ? 'BA' : 'AA'}`,
    ],
    ['no tenant', (token: string) => `${STAFF_COOKIE}=${token.split('.')[1] ?? ''}`],
  ])('is nobody with %s', async (_, cookieOf) => {
    const { token } = await createStaff(api, ['agent']);
    expect(await withCookie(cookieOf(token))).toMatchObject(nobody);
  });

  it('is nobody when it was made up', async () => {
    expect(await withCookie(`${STAFF_COOKIE}=${newStaffToken(api.tenantId)}`)).toMatchObject(
      nobody,
    );
  });

  it("is nobody in another tenant, and under another tenant's name", async () => {
    const tenantId = neighbourId;
    const theirs = await createStaff(api, ['agent'], { tenant: { tenantId, slug: 'neighbour' } });
    expect((await theirs.get('/staff/me')).status).toBe(200);
    expect(await theirs.get('/staff/me', { prefix: '/t/demo' })).toMatchObject(nobody);
    const renamed = theirs.token.replace(tenantId, api.tenantId);
    expect(await withCookie(`${STAFF_COOKIE}=${renamed}`)).toMatchObject(nobody);
  });

  it('stands nowhere in the database', async () => {
    const { token } = await createStaff(api, ['agent']);
    const [, secret = ''] = token.split('.');
    const rows = await api.inTenant((tx) => tx`select s::text as row from staff_session s`);
    const text = JSON.stringify(rows);
    for (const form of [secret, Buffer.from(secret, 'base64url').toString('hex')])
      expect(text).not.toContain(form);
  });
});

describe('a staff session', () => {
  it('ends at its logout, in the audit trail under the person', async () => {
    const ana = await createStaff(api, ['agent']);
    const answer = await ana.post('/staff/logout', {});
    expect(answer).toMatchObject({ status: 200, body: { ended: true } });
    expect(String(answer.headers['set-cookie'])).toMatch(
      new RegExp(`^${STAFF_COOKIE}=;.*Max-Age=0`),
    );
    expect(await ana.get('/staff/me')).toMatchObject(nobody);
    expect((await auditsOf(ana)).at(-1)).toEqual({
      action: 'staff.logged_out',
      actorKind: 'staff',
      detail: { reason: 'logged_out' },
    });
  });

  it('ends after 15 minutes without use, and not just before', async () => {
    const idle = await createStaff(api, ['agent']);
    const used = await createStaff(api, ['agent']);
    api.clock.advance(15 * MINUTE - 1_000);
    expect((await used.get('/staff/me')).status).toBe(200);
    api.clock.advance(1_000);
    expect(await idle.get('/staff/me')).toMatchObject(nobody);
    api.clock.advance(13 * MINUTE);
    expect((await used.get('/staff/me')).status).toBe(200);
    api.clock.advance(15 * MINUTE);
    expect(await used.get('/staff/me')).toMatchObject(nobody);
  });

  it('ends after ten hours whatever its use, and not just before', async () => {
    const ana = await createStaff(api, ['agent']);
    for (let quarters = 0; quarters < 59; quarters += 1) {
      api.clock.advance(10 * MINUTE);
      expect((await ana.get('/staff/me')).status).toBe(200);
    }
    api.clock.advance(10 * MINUTE - 2_000);
    expect((await ana.get('/staff/me')).status).toBe(200);
    api.clock.advance(2_000);
    expect(await ana.get('/staff/me')).toMatchObject(nobody);
  });

  it('is not written at every request', async () => {
    const ana = await createStaff(api, ['agent']);
    const seen = async () => {
      await ana.get('/staff/me');
      const [row] = await api.inTenant(
        (tx) => tx<{ lastSeenAt: Date }[]>`
          select last_seen_at from staff_session where staff_session_id = ${ana.staffSessionId}`,
      );
      return row?.lastSeenAt.getTime();
    };
    const first = await seen();
    api.clock.advance(30_000);
    expect(await seen()).toBe(first);
    api.clock.advance(31_000);
    expect(await seen()).toBeGreaterThan(first ?? 0);
  });

  it('is kept awake by nothing that a page asks while nobody sits at it', async () => {
    const headers = { 'latchkey-unattended': '?1' };
    const ana = await createStaff(api, ['agent']);
    for (let minutes = 0; minutes < 14; minutes += 2) {
      api.clock.advance(2 * MINUTE);
      expect((await ana.get('/staff/me', { headers })).status).toBe(200);
    }
    api.clock.advance(MINUTE - 1_000);
    expect((await ana.get('/staff/me', { headers })).status).toBe(200);
    api.clock.advance(1_000);
    expect(await ana.get('/staff/me')).toMatchObject(nobody);
  });

  it('says that it has expired once the sweeper came by', async () => {
    const ana = await createStaff(api, ['agent']);
    api.clock.advance(16 * MINUTE);
    await createSweepPort(api.database, api.deps.personalData).sweepTenant(api.tenantId);
    expect((await auditsOf(ana)).at(-1)).toEqual({
      action: 'staff.session_ended',
      actorKind: 'system',
      detail: { reason: 'expired' },
    });
  });

  it('has the roles that its login and the latest one brought, and ends without any', async () => {
    const ana = await createStaff(api, ['agent', 'auditor']);
    const setRoles = (roles: string[]) =>
      api.inTenant((tx) => tx`update staff set roles = ${roles} where staff_id = ${ana.staffId}`);
    await setRoles(['auditor', 'administrator']);
    expect((await ana.get('/staff/me')).body.roles).toEqual(['auditor']);
    await setRoles(['administrator']);
    expect(await ana.get('/staff/me')).toMatchObject(nobody);
  });
});

describe('an operation for some of the staff', () => {
  const ask = async (staff: Staff, row: { roles: readonly ['supervisor']; recentLogin?: true }) => {
    const staffAuthentication = createStaffAuthentication(api.deps);
    const cookie = [`${STAFF_COOKIE}=${staff.token}`];
    // What it reads of a request.
    const request = { raw: { headersDistinct: { cookie } } } as unknown as Parameters<
      typeof staffAuthentication.authenticate
    >[0];
    return await staffAuthentication.authenticate(request, await api.tenant(), row);
  };
  const roles = ['supervisor'] as const;

  it('is refused to those without the role', async () => {
    const ana = await createStaff(api, ['agent', 'auditor', 'administrator']);
    await expect(ask(ana, { roles })).rejects.toMatchObject({
      code: 'staff_role_missing',
      extra: { roles: 'supervisor' },
    });
  });

  it('that needs a recent login takes one of five minutes ago, and no older one', async () => {
    const recent = await createStaff(api, ['supervisor'], { loggedInMsAgo: 5 * MINUTE - 2_000 });
    expect(await ask(recent, { roles, recentLogin: true })).toMatchObject({ kind: 'staff' });
    const old = await createStaff(api, ['supervisor'], { loggedInMsAgo: 5 * MINUTE + 1 });
    await expect(ask(old, { roles, recentLogin: true })).rejects.toMatchObject({
      code: 'reauthentication_required',
      extra: { loginUrl: `${api.operations.url}/t/demo/staff/login?fresh=true` },
    });
    expect(await ask(old, { roles })).toMatchObject({ staffId: old.staffId });
  });
});
