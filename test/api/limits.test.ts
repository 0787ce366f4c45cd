/** Limits on real counters: what is counted, by whom it can be used up, when it is forgotten, and that replicas count together. */
import fc from 'fast-check';
import { parseList } from 'structured-headers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS } from '../../api/access.ts';
import { buildApp } from '../../api/app.ts';
import { COUNTED_OPERATIONS } from '../../api/limits/counted-operations.ts';
import { createRequestLimits } from '../../api/limits/request-limits.ts';
import { sweepLimitCounters } from '../../db/limit-counters.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import type { Policy } from '../../domain/policy.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createCaller, createPhone } from '../setup/callers.ts';
import type { Answer, Caller } from '../setup/callers.ts';
import { APP, createBanker, loginBody, logIn, refresh } from '../setup/login-bed.ts';
import { createMachine } from '../setup/machine.ts';
import { randomPhone } from '../setup/somebody.ts';

const policy: Policy = {
  ...DEFAULT_POLICY,
  limits: {
    ...DEFAULT_POLICY.limits,
    startsOfSource: 10,
    loginsOfDevice: 8,
    loginsOfCredential: 6,
    refreshesOfDevice: 7,
    tokensOfSource: 5,
    staffLoginsOfSource: 6,
  },
};

let api: TestApi;
/** A second process over the same database, with memory of its own. */
let replica: TestApi;
beforeAll(async () => {
  api = await startTestApi({ policy });
  await api.addTenant('elsewhere');
  const app = await buildApp(api.deps);
  await app.ready();
  replica = { ...api, app };
});
afterAll(async () => {
  await replica?.app.close();
  await api?.close();
});

/** The calls one after the other, until one is refused; answers how many passed before it. */
async function passedBefore(call: () => Promise<Answer>, atMost = 40) {
  for (let passed = 0; passed < atMost; passed += 1) {
    const answer = await call();
    if (answer.status === 429) return { passed, refused: answer };
  }
  throw new Error(`none of ${String(atMost)} was refused`);
}

const askForOptions = (phone: Caller) => phone.post('/auth/login-options', { clientId: APP });

describe('a limit', () => {
  it('lets so many through, says where it stands, and then when to come back', async () => {
    const phone = await createPhone(api);
    const first = await askForOptions(phone);
    expect(parseList(String(first.headers['ratelimit-policy']))).toStrictEqual([
      ['loginsOfSource', new Map(Object.entries({ q: 600, w: 60 }))],
      ['loginsOfDevice', new Map(Object.entries({ q: 8, w: 300 }))],
    ]);
    const [, [name, state]] = parseList(String(first.headers['ratelimit'])) as unknown as [
      unknown,
      [string, Map<string, number>],
    ];
    expect([name, state.get('r')]).toStrictEqual(['loginsOfDevice', 7]);
    const { passed, refused } = await passedBefore(() => askForOptions(phone));
    expect(passed).toBe(7);
    expect(refused.body).toMatchObject({ code: 'too_many_requests', limit: 'loginsOfDevice' });
    const wait = Number(refused.headers['retry-after']);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(300);
  });

  it('is one for all replicas', async () => {
    const phone = await createPhone(api);
    const both = [phone, await createCaller(replica, { key: phone.key })];
    let turn = 0;
    const { passed } = await passedBefore(() => {
      turn += 1;
      return askForOptions(both[turn % 2] ?? phone);
    });
    expect(passed).toBe(8);
  });

  it('forgets when its window ends: not just before, and at once after', async () => {
    const phone = await createPhone(api);
    await passedBefore(() => askForOptions(phone));
    api.clock.advance(298_000);
    expect((await askForOptions(phone)).status).toBe(429);
    api.clock.advance(2_001);
    expect((await askForOptions(phone)).status).toBe(200);
  });

  it('lets exactly as many of a crowd through, over both replicas', async () => {
    const tenant = await api.tenant();
    const one = createRequestLimits(api.deps);
    const other = createRequestLimits(api.deps);
    await fc.assert(
      fc.asyncProperty(
        fc.uuid(),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
        async (subject, crowd) => {
          const taken = await Promise.allSettled(
            crowd.map((isHere) =>
              (isHere ? one : other).take(tenant, [{ name: 'loginsOfDevice', subject }]),
            ),
          );
          const passed = taken.filter(({ status }) => status === 'fulfilled').length;
          expect(passed).toBe(Math.min(crowd.length, 8));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('counts nothing under another tenant', async () => {
    const phone = await createPhone(api);
    await passedBefore(() => askForOptions(phone));
    const there = await createCaller(api, { key: phone.key, prefix: '/t/elsewhere' });
    expect((await askForOptions(there)).status).toBe(200);
  });

  it('leaves rows that tell nothing, and the sweep takes them when they have ended', async () => {
    const phone = await createPhone(api);
    await askForOptions(phone);
    const rows = await api.inTenant((tx) => tx<{ key: string }[]>`select key from limit_counter`);
    const text = JSON.stringify(rows);
    expect(rows.length).toBeGreaterThan(0);
    for (const known of [phone.jkt, '127.0.0.1', 'logins']) expect(text).not.toContain(known);
    api.clock.advance(3_600_000);
    await api.inTenant((tx) => sweepLimitCounters(tx, 1_000));
    expect(await api.inTenant((tx) => tx`select from limit_counter`)).toHaveLength(0);
  });
});

describe('a stranger', () => {
  it('who knows a passkey’s id cannot keep its holder out', async () => {
    const banker = await createBanker(api);
    for (let stranger = 0; stranger < 3; stranger += 1) {
      const phone = await createPhone(api);
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const answer = await logIn(banker, phone, { spoil: { wrongKey: true } });
        expect(answer.body.code).toBe('credential_invalid');
      }
    }
    expect((await logIn(banker, banker.phone)).status).toBe(200);
  });

  it('spends only a count of his own: another key at the same address goes on', async () => {
    const stranger = await createPhone(api);
    await passedBefore(() => askForOptions(stranger));
    expect((await askForOptions(await createPhone(api))).status).toBe(200);
  });

  it('without a valid proof is not counted at all', async () => {
    const before = await rowsOf();
    const answer = await api.app.inject({
      method: 'POST',
      url: `${api.prefix}/auth/login-options`,
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify({ clientId: APP }),
    });
    expect(answer.statusCode).toBe(401);
    expect(await rowsOf()).toBe(before);
  });
});

describe('what is counted', () => {
  it('of a passkey: the logins that it proved, on whichever devices', async () => {
    const banker = await createBanker(api);
    let phones = 0;
    const { passed, refused } = await passedBefore(async () => {
      phones += 1;
      return await logIn(banker, await createPhone(phones % 2 === 0 ? api : replica));
    });
    expect(passed).toBe(6);
    expect(refused.body).toMatchObject({ limit: 'loginsOfCredential' });
  });

  it('of a passkey: the logins that need one more factor too', async () => {
    const riskEngine = { evaluate: () => Promise.resolve('high' as const) };
    const wary = await startTestApi({ policy, dependencies: { riskEngine } });
    try {
      const banker = await createBanker(wary);
      const login = async () => logIn(banker, await createPhone(wary));
      const { passed, refused } = await passedBefore(login);
      expect(passed).toBe(6);
      expect(refused.body).toMatchObject({ limit: 'loginsOfCredential' });
    } finally {
      await wary.close();
    }
  });

  it('of a login: not its repetition under the same key', async () => {
    const banker = await createBanker(api);
    const body = await loginBody(banker, banker.phone);
    const options = { idempotencyKey: 'the-same-login' };
    for (let time = 0; time < 5; time += 1)
      expect((await banker.phone.post('/auth/login', body, options)).status).toBe(200);
    const others = await passedBefore(async () => logIn(banker, await createPhone(api)));
    expect(others.passed).toBe(5);
  });

  it('of a refresh: the key, in memory, and never the session of another', async () => {
    const banker = await createBanker(api);
    let token = String((await logIn(banker, banker.phone)).body.refresh_token);
    const { passed } = await passedBefore(async () => {
      const answer = await refresh(banker.phone, token);
      if (answer.status === 200) token = String(answer.body.refresh_token);
      return answer;
    });
    expect(passed).toBe(7);
    const other = await createBanker(api);
    const theirs = String((await logIn(other, other.phone)).body.refresh_token);
    expect((await refresh(other.phone, theirs)).status).toBe(200);
  });

  it('of enrollments: the source, which keeps nobody with a session from anything', async () => {
    const banker = await createBanker(api);
    await logIn(banker, banker.phone);
    const { passed, refused } = await passedBefore(async () =>
      (await createPhone(api)).post('/auth/enrollments', {
        clientId: APP,
        phone: randomPhone(),
        locale: 'en',
      }),
    );
    expect(passed).toBeLessThanOrEqual(10);
    expect(refused.body).toMatchObject({ limit: 'startsOfSource' });
    expect((await banker.phone.get('/auth/sessions')).status).toBe(200);
  });

  it('never a fraud signal, whatever its rate', async () => {
    const machine = await createMachine(api);
    const banker = await createBanker(api);
    for (let time = 0; time < 30; time += 1) {
      const answer = await machine.post('/fraud/signals', {
        customerId: banker.customerId,
        reason: 'account_takeover',
      });
      expect(answer.status).toBe(202);
      expect(answer.headers['ratelimit']).toBeUndefined();
    }
  });

  it('is said for every operation', () => {
    expect(Object.keys(COUNTED_OPERATIONS).toSorted()).toStrictEqual(
      Object.keys(ACCESS).toSorted(),
    );
  });
});

describe('without PostgreSQL', () => {
  it('a shared count is a 503 and not a free pass; one in memory goes on', async () => {
    const tenant = await api.tenant();
    const gone = new LatchkeyError('database_unavailable');
    const limits = createRequestLimits({
      ...api.deps,
      database: { ...api.deps.database, statement: () => Promise.reject(gone) },
    });
    const taken = limits.take(tenant, [{ name: 'loginsOfSource', subject: 'here' }]);
    await expect(taken).rejects.toBe(gone);
    const local = limits.take(tenant, [{ name: 'refreshesOfDevice', subject: 'key' }]);
    await expect(local).resolves.toMatchObject([{ remaining: 6 }]);
  });
});

const rowsOf = async () => (await api.inTenant((tx) => tx`select from limit_counter`)).length;
