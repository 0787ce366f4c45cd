import { describe, expect, it } from 'vitest';
import { createLatchkey } from '../../sdk/client.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import { memoryStore } from '../setup/memory-store.ts';
import { ISSUER, json, network, phone, problem, sharedTabs, tokenAnswer } from './sdk-fakes.ts';
import type { Answerer } from './sdk-fakes.ts';

const loggedIn = () => {
  const store = memoryStore();
  store.records.set('session', { sessionId: 'ses_1', refreshToken: 'refresh-1' });
  return store;
};

/** A server that rotates: answers generation n + 1 to generation n. */
const rotating =
  (expiresIn = 300): Answerer =>
  (request) => {
    if (request.path !== '/oauth/token') return json(200, { sessions: [] });
    const shown = Number(request.form.get('refresh_token')?.replace('refresh-', ''));
    return tokenAnswer(shown + 1, expiresIn);
  };

describe('refresh', () => {
  it('is made once however many callers need a token at once', async () => {
    const { latchkey, seen } = phone(rotating(), { store: loggedIn() });
    await Promise.all([latchkey.sessions(), latchkey.sessions(), latchkey.session.refresh()]);
    expect(seen.filter(({ path }) => path === '/oauth/token')).toHaveLength(1);
  });

  it('is made once by two tabs that start together: the second takes what the first was answered', async () => {
    const store = loggedIn();
    const { fetch, seen } = network(rotating());
    const { alone, tab } = sharedTabs();
    const open = () =>
      createLatchkey({
        issuer: ISSUER,
        clientId: 'demo-app',
        fetch,
        store,
        tabs: tab(),
        nowMs: () => 1_800_000_000_000,
        ...(alone === undefined ? {} : { alone }),
      });
    const [first, second] = [open(), open()];
    await Promise.all([first.session.restore(), second.session.restore()]);
    expect(seen).toHaveLength(1);
    expect(second.session.state()).toStrictEqual(first.session.state());
    expect(store.records.get('session')).toMatchObject({ refreshToken: 'refresh-2' });
  });

  it('sends the same request id again, with a new proof, when the answer is lost', async () => {
    let isLost = true;
    const { latchkey, seen } = phone(
      (request) => {
        if (isLost) {
          isLost = false;
          return undefined;
        }
        return rotating()(request);
      },
      { store: loggedIn() },
    );
    await latchkey.session.refresh();
    const [lost, repeated] = seen;
    expect(seen).toHaveLength(2);
    expect(repeated?.form.get('request_id')).toBe(lost?.form.get('request_id'));
    expect(repeated?.form.get('refresh_token')).toBe('refresh-1');
    expect(repeated?.proof['jti']).not.toBe(lost?.proof['jti']);
  });

  it('stores the request id before it sends, and uses it after the app was killed in between', async () => {
    const store = loggedIn();
    const storedWhenSent: unknown[] = [];
    const dead = phone(
      () => {
        storedWhenSent.push(store.records.get('session'));
        return undefined;
      },
      { store },
    );
    await expect(dead.latchkey.session.refresh()).rejects.toMatchObject({ code: 'network_lost' });
    const requestId = dead.seen[0]?.form.get('request_id');
    expect(storedWhenSent[0]).toMatchObject({ refreshToken: 'refresh-1', requestId });

    const reborn = phone(rotating(), { store });
    await reborn.latchkey.session.restore();
    expect(reborn.seen[0]?.form.get('request_id')).toBe(requestId);
    expect(store.records.get('session')).toStrictEqual({
      sessionId: 'ses_1',
      refreshToken: 'refresh-2',
    });
  });

  it('chooses a new request id for the next generation', async () => {
    const { latchkey, seen } = phone(rotating(), { store: loggedIn() });
    await latchkey.session.refresh();
    await latchkey.session.refresh();
    expect(seen[1]?.form.get('refresh_token')).toBe('refresh-2');
    expect(seen[1]?.form.get('request_id')).not.toBe(seen[0]?.form.get('request_id'));
  });

  it.each([
    'refresh_reused',
    'refresh_superseded',
    'session_ended',
    'customer_on_hold',
    'invalid_grant',
  ])('ends the session here when it is refused as %s', async (code) => {
    const store = loggedIn();
    const { latchkey } = phone(() => problem(400, code), { store });
    await expect(latchkey.session.refresh()).rejects.toBeInstanceOf(LatchkeyProblem);
    expect(latchkey.session.state()).toStrictEqual({ status: 'ended', code });
    expect(store.records.has('session')).toBe(false);
  });

  it('keeps the session when the server cannot answer', async () => {
    const store = loggedIn();
    const { latchkey } = phone(() => problem(503, 'database_unavailable'), { store });
    await expect(latchkey.session.refresh()).rejects.toMatchObject({ status: 503 });
    expect(store.records.has('session')).toBe(true);
  });
});

describe('a call with the access token', () => {
  it('renews a token that is about to expire before it is sent', async () => {
    const { latchkey, seen } = phone(rotating(5), { store: loggedIn() });
    await latchkey.sessions();
    await latchkey.sessions();
    expect(seen.map(({ path }) => path)).toStrictEqual([
      '/oauth/token',
      '/auth/sessions',
      '/oauth/token',
      '/auth/sessions',
    ]);
  });

  it('carries the hash of the token in its proof', async () => {
    const { latchkey, seen } = phone(rotating(), { store: loggedIn() });
    await latchkey.sessions();
    const token = seen[1]?.headers['authorization']?.replace('DPoP ', '') ?? '';
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
    expect(seen[1]?.proof['ath']).toBe(Buffer.from(digest).toString('base64url'));
    expect(seen[1]?.proof['htu']).toBe(`${ISSUER}/auth/sessions`);
  });

  it('is repeated once with a new token when the server calls it expired', async () => {
    let isExpired = true;
    const { latchkey, seen } = phone(
      (request) => {
        if (request.path !== '/auth/sessions' || !isExpired) return rotating()(request);
        isExpired = false;
        return problem(401, 'token_expired');
      },
      { store: loggedIn() },
    );
    await expect(latchkey.sessions()).resolves.toStrictEqual([]);
    expect(seen.map(({ path }) => path)).toStrictEqual([
      '/oauth/token',
      '/auth/sessions',
      '/oauth/token',
      '/auth/sessions',
    ]);
  });

  it('ends the session here when the server says it is over, and tells the other tabs', async () => {
    const { alone, tab } = sharedTabs();
    const heard: unknown[] = [];
    tab().listen((message) => heard.push(message));
    const { latchkey } = phone(
      (request) =>
        request.path === '/auth/sessions' ? problem(401, 'session_ended') : rotating()(request),
      { store: loggedIn(), tabs: tab(), ...(alone === undefined ? {} : { alone }) },
    );
    await expect(latchkey.sessions()).rejects.toMatchObject({ code: 'session_ended' });
    const ended = { status: 'ended', code: 'session_ended' };
    expect(latchkey.session.state()).toStrictEqual(ended);
    expect(heard.at(-1)).toStrictEqual({ kind: 'session', state: ended });
  });

  it('that slept through a newer login of another tab joins it, and takes it from nobody', async () => {
    const store = loggedIn();
    const { latchkey } = phone(
      (request) => {
        if (request.path !== '/auth/sessions') return rotating()(request);
        return request.headers['authorization']?.includes(old) === true
          ? problem(401, 'session_ended')
          : json(200, { sessions: [] });
      },
      { store },
    );
    const old = (await latchkey.session.refresh()).accessToken;
    store.records.set('session', { sessionId: 'ses_2', refreshToken: 'refresh-7' });
    await expect(latchkey.sessions()).rejects.toMatchObject({ code: 'session_ended' });
    expect(store.records.get('session')).toMatchObject({ refreshToken: 'refresh-8' });
    expect(latchkey.session.state().status).toBe('active');
    expect(await latchkey.sessions()).toEqual([]);
  });

  it('does not let the refusal of an older token end a session that began since', async () => {
    let refuse: (() => void) | undefined;
    const refused = new Promise<void>((resolve) => {
      refuse = resolve;
    });
    const { latchkey } = phone(
      async (request) => {
        if (request.path !== '/auth/sessions') return rotating()(request);
        await refused;
        return problem(401, 'session_ended');
      },
      { store: loggedIn() },
    );
    await latchkey.session.refresh();
    const old = latchkey.sessions();
    await latchkey.session.refresh();
    refuse?.();
    await expect(old).rejects.toMatchObject({ code: 'session_ended' });
    expect(latchkey.session.state().status).toBe('active');
  });
});

describe('pushes', () => {
  it('are registered with a body and taken back without one, each under a key of its own', async () => {
    const { latchkey, seen } = phone(rotating(), { store: loggedIn() });
    const registration = { platform: 'fcm', token: 'a-token-of-fcm-0001' } as const;
    await latchkey.registerPush(registration);
    await latchkey.removePush();
    const [put, removed] = seen.filter(({ path }) => path === '/auth/push');
    expect(put).toMatchObject({ method: 'PUT', headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(put?.body ?? '')).toStrictEqual(registration);
    expect(removed).toMatchObject({ method: 'DELETE', body: '' });
    expect(removed?.headers['content-type']).toBeUndefined();
    const keys = [put, removed].map((call) => call?.headers['idempotency-key']);
    expect(new Set(keys).size).toBe(2);
    expect(keys).not.toContain(undefined);
  });
});
