/** Rotation, emergency rotation and a KMS that is away while phones refresh at two replicas: what fails is what is written down, nothing else. */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEmbeddedKms } from '../../adapters/kms/embedded.ts';
import { newId } from '../../adapters/random.ts';
import { buildApp } from '../../api/app.ts';
import { rotateKeys, rotateKeysAtOnce } from '../../db/key-rotation.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { KeyManagement } from '../../domain/ports.ts';
import { ROTATED_PURPOSES } from '../../domain/signing-keys.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { keyIdOf, startRefreshLoad } from '../setup/refresh-load.ts';
import type { RefreshLoad } from '../setup/refresh-load.ts';

const DAY_MS = 24 * 3_600_000;
const PHONES = 8;
/** What docs/keys.md promises for one process. */
const FORGOTTEN_WITHIN_MS = 10_000;
const WITHIN = { timeout: 30_000, interval: 100 };

const embedded = createEmbeddedKms([{ kid: 'm1', key: randomBytes(32) }]);
let isAway = false;
const unlessAway = async <T>(work: () => Promise<T>): Promise<T> => {
  if (isAway) throw new LatchkeyError('vendor_unavailable');
  return await work();
};
const kms: KeyManagement = {
  wrap: (...given) => unlessAway(() => embedded.wrap(...given)),
  unwrap: (...given) => unlessAway(() => embedded.unwrap(...given)),
  secret: (...given) => embedded.secret(...given),
};
const actor = { kind: 'system', id: 'test' } as const;

let api: TestApi;
let other: TestApi;
let sql: postgres.Sql;
let load: RefreshLoad;
beforeAll(async () => {
  api = await startTestApi({ dependencies: { kms } });
  // Noon: a day's key is not made in the last minutes of a day.
  const now = api.clock.nowMs();
  api.clock.advance(Math.ceil(now / DAY_MS) * DAY_MS + DAY_MS / 2 - now);
  other = { ...api, app: await buildApp(api.deps) };
  await other.app.ready();
  sql = postgres(api.testDatabase.superuserUrl, { max: 1 });
});
afterAll(async () => {
  await sql?.end();
  await other?.app.close();
  await api?.close();
});
afterEach(() => load?.stop());
beforeEach(async () => {
  isAway = false;
  await sql`delete from signing_key`;
  await rotate();
  // As if made yesterday, and today's not made yet.
  await sql`delete from signing_key where active_from > ${new Date(api.clock.nowMs())}`;
  await sql`update signing_key set active_from = active_from - interval '1 day'`;
  const only = await sql<{ keyId: string }[]>`select key_id as "keyId" from signing_key`;
  const keyIds = only.map(({ keyId }) => keyId).toSorted();
  await vi.waitFor(async () => {
    for (const replica of [api, other]) {
      const known = (await published(replica)).toSorted();
      if (known.join() !== keyIds.join()) throw new Error('a replica remembers other keys');
    }
  }, WITHIN);
});

/** The worker's key management is its own. */
const rotate = async (rotation: typeof rotateKeys | typeof rotateKeysAtOnce = rotateKeys) => {
  for (const purpose of ROTATED_PURPOSES) {
    await api.inTenant((tx) =>
      rotation(tx, { tenantId: api.tenantId, purpose, kms: embedded, newId, actor }),
    );
  }
};
/** What was made for today begins now. */
const letTodayBegin = async () => {
  const now = new Date(api.clock.nowMs());
  const today = now.toISOString().slice(0, 10);
  const begun = await sql`
    update signing_key set active_from = ${new Date(now.getTime() - 1)} where day = ${today}::date and retired_at is null returning key_id`;
  expect(begun).toHaveLength(2);
};
const published = async (replica: TestApi) => {
  const answer = await replica.app.inject({
    method: 'GET',
    url: `${api.prefix}/.well-known/jwks.json`,
  });
  return answer.json<{ keys: { kid: string }[] }>().keys.map(({ kid }) => kid);
};
const dueKeyId = async () => {
  const [row] = await sql<{ keyId: string }[]>`
    select key_id as "keyId" from signing_key where purpose = 'access_token' and retired_at is null
      and active_from <= ${new Date(api.clock.nowMs())} order by active_from desc limit 1`;
  return row?.keyId ?? '';
};
const goOn = async () => {
  const before = load.refreshed();
  await expect.poll(load.refreshed, WITHIN).toBeGreaterThan(before + 5 * PHONES);
};
const liveSessions = async () => {
  const [row] = await sql<{ live: number }[]>`
    select count(*)::integer as live from session where status = 'live' and session_id = any(${[...load.sessionIds]})`;
  return row?.live;
};

describe('while phones refresh at two replicas', () => {
  test('the daily rotation refuses nobody: no refresh and no use of a token', async () => {
    load = await startRefreshLoad([api, other], PHONES);
    await goOn();
    const before = await dueKeyId();
    await rotate();
    for (const replica of [api, other])
      await expect.poll(() => published(replica), WITHIN).toHaveLength(6);
    expect(await dueKeyId()).toBe(before);
    expect(load.keyIds).toEqual([before]);
    await letTodayBegin();
    const after = await dueKeyId();
    expect(after).not.toBe(before);
    await expect.poll(() => load.keyIds.at(-1), WITHIN).toBe(after);
    await goOn();
    await load.stop();
    expect(load.refusedRefreshes).toEqual([]);
    expect(load.refusedReads).toEqual([]);
    expect(await published(api)).toContain(before);
    expect(await liveSessions()).toBe(PHONES);
  });

  test('an emergency refuses no refresh and ends no session; old access tokens die within the bound, everywhere', async () => {
    load = await startRefreshLoad([api, other], PHONES);
    await goOn();
    const old = await api.accessTokens.issueAccessToken({
      tenant: await api.tenant(),
      subject: { kind: 'machine', clientId: 'demo-fraud' },
      jkt: 'A'.repeat(43),
      scopes: [],
    });
    const before = keyIdOf(old.token);
    await rotate(rotateKeysAtOnce);
    const rotatedAtMs = performance.now();
    const after = await dueKeyId();
    await expect.poll(() => load.keyIds.at(-1), WITHIN).toBe(after);
    for (const replica of [api, other])
      await expect.poll(() => published(replica), WITHIN).not.toContain(before);
    const tenant = await api.tenant();
    const judged = () =>
      api.accessTokens.verifyAccessToken(tenant, old.token).then(
        () => 'accepted',
        ({ code }: LatchkeyError) => code,
      );
    await expect.poll(judged, WITHIN).toBe('token_invalid');
    expect(performance.now() - rotatedAtMs).toBeLessThan(FORGOTTEN_WITHIN_MS);
    const refusedBefore = load.refusedReads.length;
    await goOn();
    await load.stop();
    expect(load.refusedRefreshes).toEqual([]);
    // Written down: a token that an unknowing replica still signed with the old key.
    for (const { status, code } of load.refusedReads)
      expect([status, code]).toEqual([401, 'token_invalid']);
    expect(load.refusedReads).toHaveLength(refusedBefore);
    expect(await liveSessions()).toBe(PHONES);
  });

  test('the KMS may be away, over the change of the day too: no refresh and no use of a token fails', async () => {
    load = await startRefreshLoad([api, other], PHONES);
    await goOn();
    await rotate();
    for (const replica of [api, other])
      await expect.poll(() => published(replica), WITHIN).toHaveLength(6);
    isAway = true;
    await letTodayBegin();
    const after = await dueKeyId();
    await expect.poll(() => load.keyIds.at(-1), WITHIN).toBe(after);
    await goOn();
    await load.stop();
    expect(load.refusedRefreshes).toEqual([]);
    expect(load.refusedReads).toEqual([]);
  });

  test('a key that the KMS does not open yet is left to wait: the old one signs until then', async () => {
    load = await startRefreshLoad([api, other], PHONES);
    await goOn();
    const before = await dueKeyId();
    isAway = true;
    await rotate();
    await letTodayBegin();
    const after = await dueKeyId();
    for (const replica of [api, other])
      await expect.poll(() => published(replica), WITHIN).toContain(after);
    await goOn();
    expect(load.keyIds).toEqual([before]);
    isAway = false;
    await expect.poll(() => load.keyIds.at(-1), WITHIN).toBe(after);
    await load.stop();
    expect(load.refusedRefreshes).toEqual([]);
    expect(load.refusedReads).toEqual([]);
  });
});
