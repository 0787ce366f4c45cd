/** The rotation of signing keys on real rows: ahead and late by the day, at once in an emergency, never two for one day. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { newId } from '../../../adapters/random.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { rotateKeys, rotateKeysAtOnce } from '../../../db/key-rotation.ts';
import { currentKeys, ensureFirstKey, openKey } from '../../../db/signing-keys.ts';
import type { KeyManagement } from '../../../domain/ports.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import { KEPT_MS, PUBLISHED_AHEAD_MS } from '../../../domain/signing-keys.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';

const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;
const kms = createEmbeddedKms([{ kid: 'm1', key: randomBytes(32) }]);
const actor = { kind: 'system', id: 'key-rotation' } as const;

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let midnight = 0;
let nowMs = 0;
let tenants = 0;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
});
afterAll(async () => {
  await database?.close();
  await testDatabase?.drop();
});
beforeEach(async () => {
  tenants += 1;
  const slug = `keys-${String(tenants)}`;
  tenantId = await seedDemoTenant(testDatabase, { slug, name: slug });
  midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  nowMs = midnight + 9 * HOUR_MS;
});

const rotate = (keyManagement: KeyManagement = kms) =>
  database.tenant(tenantId, (tx) =>
    rotateKeys(tx, { tenantId, purpose: 'access_token', kms: keyManagement, newId, actor }),
  );
const rotateAtOnce = (keyManagement: KeyManagement = kms) =>
  database.tenant(tenantId, (tx) =>
    rotateKeysAtOnce(tx, { tenantId, purpose: 'access_token', kms: keyManagement, newId, actor }),
  );
const keys = () => database.tenant(tenantId, (tx) => currentKeys(tx, tenantId, 'access_token'));
const trail = () =>
  database.tenant(tenantId, async (tx) => {
    const rows = await tx<{ action: string; detail: { reason?: string } }[]>`
      select action, detail from audit where subject_kind = 'signing_key' order by position`;
    return rows.map(({ action, detail }) => [action, detail.reason].filter(Boolean).join(' '));
  });

describe('the daily rotation', () => {
  test('makes today’s key, which signs, and tomorrow’s, which does not yet, and says so in the audit', async () => {
    expect(await rotate()).toEqual({ made: 2, retired: 0 });
    expect(await keys()).toMatchObject([
      { isDue: false, activeFrom: new Date(midnight + DAY_MS) },
      { isDue: true, activeFrom: new Date(nowMs) },
    ]);
    expect(await trail()).toEqual(['signing_key.made', 'signing_key.made']);
    expect(await rotate()).toEqual({ made: 0, retired: 0 });
  });

  test('a week of hours has one key a day and never more than three at once', async () => {
    for (let hour = 0; hour < 7 * 24; hour += 1) {
      await rotate();
      const now = await keys();
      expect(now.some(({ isDue }) => isDue)).toBe(true);
      expect(now.length).toBeLessThanOrEqual(3);
      nowMs += HOUR_MS;
    }
    const [row] = await database.tenant(
      tenantId,
      async (tx) =>
        await tx<{ keys: number; days: number }[]>`
          select count(*) as keys, count(distinct day) as days from signing_key where purpose = 'access_token'`,
    );
    expect(row).toEqual({ keys: 9, days: 9 });
  });

  test('takes a key away a day after its successor began, and its private half for ever', async () => {
    await rotate();
    const [, old] = await keys();
    nowMs = midnight + DAY_MS + KEPT_MS - 1_000;
    await rotate();
    expect((await keys()).map(({ keyId }) => keyId)).toContain(old?.keyId);
    nowMs = midnight + DAY_MS + KEPT_MS;
    expect(await rotate()).toMatchObject({ retired: 1 });
    expect((await keys()).map(({ keyId }) => keyId)).not.toContain(old?.keyId);
    const [row] = await database.tenant(
      tenantId,
      async (tx) =>
        await tx<{ left: number; x: string }[]>`
          select length(sealed_private) as left, public_jwk->>'x' as x from signing_key where key_id = ${old?.keyId ?? ''}`,
    );
    expect(row).toEqual({ left: 0, x: old?.publicJwk.x });
  });

  test('after days without it the old key goes on, and the new one waits until it can be known', async () => {
    await rotate();
    nowMs = midnight + 5 * DAY_MS + 3 * HOUR_MS;
    const before = await keys();
    expect(before[0]?.isDue).toBe(true);
    expect(await rotate()).toMatchObject({ made: 2 });
    const after = await keys();
    const due = after.filter(({ isDue }) => isDue);
    expect(due[0]?.keyId).toBe(before[0]?.keyId);
    expect(after.map(({ activeFrom }) => activeFrom.getTime())).toContain(
      nowMs + PUBLISHED_AHEAD_MS,
    );
  });

  test('ten at once make one key a day', async () => {
    await Promise.all(Array.from({ length: 10 }, () => rotate()));
    expect(await keys()).toHaveLength(2);
    await expect(
      database.tenant(tenantId, (tx) => {
        const row = { tenantId, purpose: 'access_token', kms, newId } as const;
        return ensureFirstKey(tx, row);
      }),
    ).resolves.toBeUndefined();
    expect(await keys()).toHaveLength(2);
  });

  test('changes nothing when the key management is away', async () => {
    const away: KeyManagement = {
      ...kms,
      wrap: () => Promise.reject(new LatchkeyError('vendor_unavailable')),
    };
    await rotate();
    const before = await keys();
    nowMs += 3 * DAY_MS;
    await expect(rotate(away)).rejects.toMatchObject({ code: 'vendor_unavailable' });
    await expect(rotateAtOnce(away)).rejects.toMatchObject({ code: 'vendor_unavailable' });
    expect((await keys()).map(({ keyId }) => keyId)).toEqual(before.map(({ keyId }) => keyId));
  });
});

describe('the rotation in an emergency', () => {
  test('leaves one key, a new one that signs now, and tells who did it', async () => {
    await rotate();
    const before = (await keys()).map(({ keyId }) => keyId);
    expect(await rotateAtOnce()).toEqual({ made: 1, retired: 2 });
    const after = await keys();
    expect(after).toMatchObject([{ isDue: true }]);
    expect(before).not.toContain(after[0]?.keyId);
    expect(await trail()).toEqual([
      'signing_key.made',
      'signing_key.made',
      'signing_key.retired emergency',
      'signing_key.retired emergency',
      'signing_key.made',
    ]);
    const [key] = after;
    if (key === undefined) throw new Error('one key');
    await expect(openKey(kms, tenantId, key)).resolves.toMatchObject({ keyId: key.keyId });
  });

  test('is followed by tomorrow’s key with the next daily one', async () => {
    await rotate();
    await rotateAtOnce();
    expect(await rotate()).toEqual({ made: 1, retired: 0 });
    expect(await keys()).toHaveLength(2);
  });
});

describe('a private half', () => {
  test('opens for its own tenant, id and purpose alone', async () => {
    await rotate();
    const [key] = await keys();
    if (key === undefined) throw new Error('a key was made');
    await expect(openKey(kms, 'ten_other', key)).rejects.toMatchObject({ code: 'internal_error' });
    await expect(openKey(kms, tenantId, { ...key, purpose: 'id_token' })).rejects.toMatchObject({
      code: 'internal_error',
    });
    await expect(openKey(kms, tenantId, { ...key, keyId: 'key_1' })).rejects.toMatchObject({
      code: 'internal_error',
    });
  });
});
