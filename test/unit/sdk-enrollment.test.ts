import { describe, expect, it } from 'vitest';
import type { Latchkey } from '../../sdk/client.ts';
import { phoneProblem } from '../../sdk/problem.ts';
import { memoryStore } from '../setup/memory-store.ts';
import { json, phone, problem, tokenAnswer } from './sdk-fakes.ts';
import type { Answerer } from './sdk-fakes.ts';

const view = (state: string, more: object = {}) =>
  json(200, { enrollmentId: 'cer_1', state, locale: 'en', ...more });

const PROMPT = { options: { challenge: 'Y2hhbGxlbmdl' }, approvalChallenge: 'approve' };

describe('enrollment', () => {
  it('goes on after a restart with the ceremony under way', async () => {
    const store = memoryStore();
    const before = phone(() => view('phone'), { store });
    await before.latchkey.enrollment.start({ phone: '+64211234567', locale: 'en' });

    const after = phone(() => view('identity'), { store });
    await expect(after.latchkey.enrollment.resume()).resolves.toMatchObject({ state: 'identity' });
    expect(after.seen.map(({ method, path }) => `${method} ${path}`)).toStrictEqual([
      'GET /auth/enrollments/cer_1',
    ]);
    await expect(after.latchkey.sessionKey()).resolves.toStrictEqual(
      await before.latchkey.sessionKey(),
    );
  });

  it('repeats a start whose answer was lost under its first key, also after a restart', async () => {
    const store = memoryStore();
    const before = phone(() => undefined, { store });
    await expect(
      before.latchkey.enrollment.start({ phone: '+64211234567', locale: 'en' }),
    ).rejects.toMatchObject({ code: 'network_lost' });

    const after = phone(() => view('phone'), { store });
    await expect(after.latchkey.enrollment.resume()).resolves.toMatchObject({ state: 'phone' });
    expect(after.seen[0]?.headers['idempotency-key']).toBe(
      before.seen[0]?.headers['idempotency-key'],
    );
    expect(after.seen[0]?.body).toBe(before.seen[0]?.body);
    expect([...store.records.keys()].toSorted()).toStrictEqual(['enrollment', 'session-key']);
  });

  it('opens another ceremony when the customer corrects the number after a lost answer', async () => {
    const store = memoryStore();
    const { latchkey, seen } = phone(() => undefined, { store });
    await expect(latchkey.enrollment.start({ phone: '+6421', locale: 'en' })).rejects.toMatchObject(
      { status: 0 },
    );
    await expect(latchkey.enrollment.start({ phone: '+6422', locale: 'en' })).rejects.toMatchObject(
      { status: 0 },
    );
    expect(new Set(seen.map(({ headers }) => headers['idempotency-key'])).size).toBe(2);
  });

  it('forgets a ceremony that the server does not know', async () => {
    const store = memoryStore();
    store.records.set('enrollment', 'cer_gone');
    const { latchkey } = phone(() => problem(404, 'ceremony_not_found'), { store });
    await expect(latchkey.enrollment.resume()).resolves.toBeUndefined();
    expect(store.records.has('enrollment')).toBe(false);
  });

  it('keeps the ceremony when the server cannot answer at the restart', async () => {
    const store = memoryStore();
    store.records.set('enrollment', 'cer_1');
    const { latchkey } = phone(() => problem(503, 'database_unavailable'), { store });
    await expect(latchkey.enrollment.resume()).rejects.toMatchObject({ status: 503 });
    expect(store.records.has('enrollment')).toBe(true);
  });

  it('waits out the identity check over a lost network', async () => {
    const answers = ['identity_check', 'lost', 'lost', 'lost', 'lost', 'identity_check', 'email'];
    const { latchkey } = phone(() => {
      const next = answers.shift();
      return next === 'lost' || next === undefined ? undefined : view(next);
    });
    const from = await latchkey.enrollment.view('cer_1');
    await expect(
      latchkey.enrollment.waitWhile(from, new AbortController().signal),
    ).resolves.toMatchObject({ state: 'email' });
  });

  it('stops waiting when the screen is left', async () => {
    const leave = new AbortController();
    const { latchkey, seen } = phone(() => view('identity_check'));
    const from = await latchkey.enrollment.view('cer_1');
    const waiting = latchkey.enrollment.waitWhile(from, leave.signal);
    leave.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(seen).toHaveLength(1);
  });
});

describe('a passkey', () => {
  const server: Answerer = ({ path }) => {
    if (path.endsWith('-options')) return json(200, PROMPT);
    if (path === '/auth/login') return tokenAnswer(1);
    return view('ended', { outcome: 'completed', customerId: 'cus_1', deviceId: 'dev_1' });
  };
  const webauthn = {
    create: () => Promise.resolve({ id: 'made' } as never),
    get: () => Promise.resolve({ id: 'used' } as never),
  };
  const closed = () => Promise.reject(phoneProblem('passkey_cancelled', 'closed'));

  it('is bound with the approval key, and the installation remembers whom it belongs to', async () => {
    const { latchkey, seen } = phone(server, { webauthn });
    await latchkey.enrollment.createPasskey('cer_1', { name: 'Phone', platform: 'web' });
    expect(JSON.parse(seen[1]?.body ?? '')).toMatchObject({
      credential: { id: 'made' },
      approvalKey: { jwk: { kty: 'EC' } },
      device: { name: 'Phone', platform: 'web' },
    });
    await expect(latchkey.enrollment.installation()).resolves.toStrictEqual({
      customerId: 'cus_1',
      deviceId: 'dev_1',
    });
  });

  it('whose prompt is closed binds nothing and can be asked for again', async () => {
    const { latchkey, seen } = phone(server, { webauthn: { create: closed, get: closed } });
    const device = { name: 'Phone', platform: 'web' };
    await expect(latchkey.enrollment.createPasskey('cer_1', device)).rejects.toMatchObject({
      code: 'passkey_cancelled',
    });
    await expect(latchkey.logIn()).rejects.toMatchObject({ code: 'passkey_cancelled' });
    expect(seen.map(({ path }) => path)).toStrictEqual([
      '/auth/enrollments/cer_1/passkey-options',
      '/auth/login-options',
    ]);
  });

  it('logs in: the session is active and only its refresh token is stored', async () => {
    const store = memoryStore();
    const { latchkey } = phone(server, { webauthn, store });
    await latchkey.logIn();
    expect(latchkey.session.state()).toMatchObject({ status: 'active', acr: 'latchkey:2' });
    expect(store.records.get('session')).toStrictEqual({
      sessionId: 'ses_1',
      refreshToken: 'refresh-1',
    });
  });

  it.each([
    [
      'binding',
      '/auth/enrollments/cer_1/passkey',
      (latchkey: Latchkey) =>
        latchkey.enrollment.createPasskey('cer_1', { name: 'Phone', platform: 'web' }),
    ],
    ['login', '/auth/login', (latchkey: Latchkey) => latchkey.logIn()],
  ] as const)(
    'whose %s went unanswered is not asked for again: the same is sent under the same key',
    async (_what, path, act) => {
      let prompts = 0;
      const prompt = () => {
        prompts += 1;
        return Promise.resolve({ id: `prompt ${String(prompts)}` } as never);
      };
      let isLineLost = true;
      const { latchkey, seen } = phone(
        (request) => (request.path === path && isLineLost ? undefined : server(request)),
        { webauthn: { create: prompt, get: prompt } },
      );
      await expect(act(latchkey)).rejects.toMatchObject({ code: 'network_lost' });
      isLineLost = false;
      await act(latchkey);
      const sent = seen.filter((request) => request.path === path);
      expect(new Set(sent.map(({ body }) => body)).size).toBe(1);
      expect(new Set(sent.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
      expect(prompts).toBe(1);
    },
  );

  it('is asked for anew once the challenge of an unanswered login is over: somebody else may hold the phone', async () => {
    let [prompts, nowMs, isLineLost] = [0, 1_800_000_000_000, true];
    const get = () => {
      prompts += 1;
      return Promise.resolve({ id: `prompt ${String(prompts)}` } as never);
    };
    const { latchkey, seen } = phone(
      (request) => {
        if (request.path === '/auth/login-options')
          return json(200, { options: { ...PROMPT.options, timeout: 300_000 } });
        return request.path === '/auth/login' && isLineLost ? undefined : server(request);
      },
      { webauthn: { ...webauthn, get }, nowMs: () => nowMs },
    );
    await expect(latchkey.logIn()).rejects.toMatchObject({ code: 'network_lost' });
    isLineLost = false;
    nowMs += 300_000;
    await latchkey.logIn();
    expect(prompts).toBe(2);
    expect(seen.at(-1)?.body).toContain('prompt 2');
  });

  it('is asked for anew after a login that was decided', async () => {
    let prompts = 0;
    const get = () => {
      prompts += 1;
      return Promise.resolve({ id: 'used' } as never);
    };
    let isRefused = true;
    const { latchkey } = phone(
      (request) =>
        request.path === '/auth/login' && isRefused
          ? problem(401, 'challenge_invalid')
          : server(request),
      { webauthn: { ...webauthn, get } },
    );
    await expect(latchkey.logIn()).rejects.toMatchObject({ code: 'challenge_invalid' });
    isRefused = false;
    await latchkey.logIn();
    expect(prompts).toBe(2);
  });

  it('whose login is refused by a hold leaves nobody logged in', async () => {
    const { latchkey } = phone(
      ({ path }) => (path === '/auth/login' ? problem(403, 'customer_on_hold') : json(200, PROMPT)),
      { webauthn },
    );
    await expect(latchkey.logIn()).rejects.toMatchObject({ code: 'customer_on_hold' });
    expect(latchkey.session.state()).toStrictEqual({ status: 'none' });
  });
});
