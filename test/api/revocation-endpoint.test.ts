/** RFC 7009: a token is given back by the key that it is bound to, and its session ends; to everybody else it is unknown, and so is what is answered. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createCaller } from '../setup/callers.ts';
import type { Caller } from '../setup/callers.ts';
import { APP, createBanker, logIn, refresh } from '../setup/login-bed.ts';
import { createMachine } from '../setup/machine.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
});

async function loggedIn() {
  const banker = await createBanker(api);
  const { body } = await logIn(banker, banker.phone);
  return {
    ...banker,
    sessionId: String(body.session_id),
    accessToken: String(body.access_token),
    refreshToken: String(body.refresh_token),
  };
}

const giveBack = (caller: Caller, token: string, form: Readonly<Record<string, string>> = {}) =>
  caller.postForm('/oauth/revoke', { token, client_id: APP, ...form });

async function sessionRow(sessionId: string) {
  const [row] = await api.inTenant(
    (tx) =>
      tx<{ status: string; endReason: string | null }[]>`
        select status, end_reason from session where session_id = ${sessionId}`,
  );
  return row;
}

const LIVE = { status: 'live', endReason: null };
const ENDED = { status: 'ended', endReason: 'logged_out' };

describe('a token given back by its key', () => {
  it.each(['accessToken', 'refreshToken'] as const)(
    'ends the session when it is the %s: both tokens die with it',
    async (which) => {
      const login = await loggedIn();
      const answer = await giveBack(login.phone, login[which], { token_type_hint: 'access_token' });
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: '' });
      expect(await sessionRow(login.sessionId)).toEqual(ENDED);
      expect(await login.phone.get('/auth/me')).toMatchObject({
        status: 401,
        body: { code: 'session_ended' },
      });
      expect(await refresh(login.phone, login.refreshToken)).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
    },
  );

  it('tells the workflow, the audit and the receivers once, however often it is given back', async () => {
    const login = await loggedIn();
    const answers = await Promise.all([
      giveBack(login.phone, login.accessToken),
      giveBack(login.phone, login.refreshToken),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const [told] = await api.inTenant(
      (tx) =>
        tx<{ audits: number; wakes: number }[]>`
          select (select count(*)::int from audit where subject_id = ${login.sessionId} and action = 'session.ended') as audits,
            (select count(*)::int from outbox where subject = ${login.sessionId} and topic = 'session.wake') as wakes`,
    );
    expect(told).toEqual({ audits: 1, wakes: 1 });
  });

  it('of an older generation ends the session too: whoever holds the key may log out', async () => {
    const login = await loggedIn();
    await refresh(login.phone, login.refreshToken, { requestId: 'one' });
    expect((await giveBack(login.phone, login.refreshToken)).status).toBe(200);
    expect(await sessionRow(login.sessionId)).toEqual(ENDED);
  });

  it('leaves the customer’s other sessions as they are', async () => {
    const login = await loggedIn();
    const other = await createCaller(api);
    const second = await logIn(login, other);
    await giveBack(login.phone, login.refreshToken);
    expect(await sessionRow(String(second.body.session_id))).toEqual(LIVE);
    expect((await other.get('/auth/me')).status).toBe(200);
  });
});

describe('a token that is unknown to the key that shows it', () => {
  it.each(['accessToken', 'refreshToken'] as const)(
    'is answered alike and ends nothing when it is another’s %s',
    async (which) => {
      const login = await loggedIn();
      const thief = await createCaller(api);
      const answer = await giveBack(thief, login[which]);
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: '' });
      expect(await sessionRow(login.sessionId)).toEqual(LIVE);
    },
  );

  it('is answered alike when it is nobody’s, or a machine’s', async () => {
    const phone = await createCaller(api);
    const machine = await createMachine(api);
    for (const token of ['nonsense', 'x'.repeat(4_096), machine.accessToken ?? '']) {
      const answer = await giveBack(phone, token);
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: '' });
    }
    const alive = await machine.get('/fraud/revocations/rev_00000000000070008000000000000000');
    expect(alive.status).toBe(404);
  });
});

describe('who gives a token back', () => {
  it('says which app he is', async () => {
    const login = await loggedIn();
    const answer = await giveBack(login.phone, login.accessToken, { client_id: 'nobody' });
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const unsaid = await login.phone.postForm('/oauth/revoke', { token: login.accessToken });
    expect(unsaid).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(await sessionRow(login.sessionId)).toEqual(LIVE);
  });

  it('comes from a page of that app, if from a page', async () => {
    const login = await loggedIn();
    const answer = await login.phone.postForm(
      '/oauth/revoke',
      { token: login.accessToken, client_id: APP },
      { headers: { 'latchkey-app-id': 'com.example.other' } },
    );
    expect(answer).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
    expect(await sessionRow(login.sessionId)).toEqual(LIVE);
  });

  it('proves a key: without one there is nothing to give back', async () => {
    const login = await loggedIn();
    const answer = await api.app.inject({
      method: 'POST',
      url: `${api.prefix}/oauth/revoke`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ token: login.accessToken, client_id: APP }).toString(),
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ error: 'invalid_dpop_proof' });
    expect(await sessionRow(login.sessionId)).toEqual(LIVE);
  });
});
