import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../adapters/clock.ts';
import { DEMO_FRAUD_KEY } from '../../runtime/demo-secrets.ts';
import { MachineClient } from '../../runtime/machine-client.ts';

const ISSUER = 'http://localhost:4600/t/demo';

interface Seen {
  readonly token: string | null;
  readonly idempotencyKey: string | null;
}

/** An API whose tokens are `token-1`, `token-2` and so on, and which takes those that `isGood` says. */
const answerAs = (isGood: (token: string | null) => boolean): readonly Seen[] => {
  const seen: Seen[] = [];
  let issued = 0;
  vi.stubGlobal('fetch', (url: URL, { headers }: { readonly headers: Record<string, string> }) => {
    if (url.pathname.endsWith('/oauth/token')) {
      issued += 1;
      const token = { access_token: `token-${String(issued)}`, expires_in: 300 };
      return Promise.resolve(Response.json(token));
    }
    const given = new Headers(headers);
    const token = given.get('authorization');
    seen.push({ token, idempotencyKey: given.get('idempotency-key') });
    return Promise.resolve(new Response('{}', { status: isGood(token) ? 200 : 401 }));
  });
  return seen;
};

const createClient = (): MachineClient =>
  new MachineClient({
    issuer: ISSUER,
    clientId: 'demo-fraud',
    key: DEMO_FRAUD_KEY,
    scope: 'fraud:signal',
    clock: systemClock,
  });

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a machine whose token has died before its time', () => {
  test('asks for another and repeats the call under the same key', async () => {
    const client = createClient();
    let good = 'DPoP token-1';
    const seen = answerAs((token) => token === good);
    const signal = { method: 'POST', path: '/fraud/signals', body: {} } as const;
    expect((await client.call(signal)).status).toBe(200);

    good = 'DPoP token-2';
    expect((await client.call(signal)).status).toBe(200);

    expect(seen.map(({ token }) => token)).toStrictEqual([
      'DPoP token-1',
      'DPoP token-1',
      'DPoP token-2',
    ]);
    expect(seen[2]?.idempotencyKey).toBe(seen[1]?.idempotencyKey);
  });

  test('hands on the refusal of a token that is new', async () => {
    const seen = answerAs(() => false);
    const answer = await createClient().call({ method: 'GET', path: '/fraud/signals' });
    expect([answer.status, seen.length]).toStrictEqual([401, 1]);
  });
});
