import fc from 'fast-check';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { newId } from '../../../adapters/random.ts';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { createPersonalData } from '../../../db/personal-data.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';

const oldKey = { kid: 'old', key: new Uint8Array(32).fill(1) };
const newKey = { kid: 'new', key: new Uint8Array(32).fill(2) };
const personalData = createPersonalData(createEmbeddedKms([oldKey]));
const afterRotation = createPersonalData(createEmbeddedKms([newKey, oldKey]));

const UNREADABLE = { code: 'internal_error' };
const phone = '+4915112345678';
let testDatabase: TestDatabase;
let database: Database;
let tenantId = '';

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  ({ tenantId } = await bootstrapDemoTenant({
    ownerUrl: testDatabase.ownerUrl,
    publicUrl: 'http://localhost',
    fraudClientJwks: { keys: [] },
  }));
  database = connectDatabase({ url: testDatabase.applicationUrl, maxConnections: 2 });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const inTenant = <T>(work: (tx: Tx) => Promise<T>) => database.tenant(tenantId, work);

async function makeCustomer(tx: Tx, data = personalData) {
  const customerId = newId('customer');
  await tx`insert into customer (tenant_id, customer_id, status, locale) values (${tenantId}, ${customerId}, 'prospect', 'en')`;
  await data.createKey(tx, tenantId, customerId);
  return { tenantId, customerId, purpose: 'contact.phone' };
}

describe('sealed personal data', () => {
  it('opens to exactly what was sealed, whatever it is', async () => {
    await inTenant(async (tx) => {
      const target = await makeCustomer(tx);
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
          expect(
            await personalData.open(tx, target, await personalData.seal(tx, target, text)),
          ).toBe(text);
        }),
        { numRuns: 40 },
      );
    });
  });

  it('looks different each time, and never like its text', async () => {
    await inTenant(async (tx) => {
      const target = await makeCustomer(tx);
      const [one, other] = [
        await personalData.seal(tx, target, phone),
        await personalData.seal(tx, target, phone),
      ];
      expect(Buffer.from(one).equals(other)).toBe(false);
      expect(Buffer.from(one).includes(phone)).toBe(false);
    });
  });

  it('opens for no other customer, purpose or tenant', async () => {
    await inTenant(async (tx) => {
      const target = await makeCustomer(tx);
      const other = await makeCustomer(tx);
      const sealed = await personalData.seal(tx, target, phone);
      await expect(personalData.open(tx, other, sealed)).rejects.toMatchObject(UNREADABLE);
      await expect(
        personalData.open(tx, { ...target, purpose: 'contact.email' }, sealed),
      ).rejects.toMatchObject(UNREADABLE);
      await expect(
        personalData.open(tx, { ...target, tenantId: newId('tenant') }, sealed),
      ).rejects.toMatchObject(UNREADABLE);
      await expect(
        personalData.open(tx, { ...target, customerId: newId('customer') }, sealed),
      ).rejects.toMatchObject(UNREADABLE);
    });
  });

  it('does not open when the key of another customer was put in the place of its own', async () => {
    await inTenant(async (tx) => {
      const [target, other] = [await makeCustomer(tx), await makeCustomer(tx)];
      const sealed = await personalData.seal(tx, other, phone);
      await tx`update customer_key set sealed_key = (select sealed_key from customer_key where customer_id = ${other.customerId})
        where customer_id = ${target.customerId}`;
      await expect(personalData.open(tx, target, sealed)).rejects.toMatchObject(UNREADABLE);
    });
  });

  it('does not open when any byte was changed, cut off or made up', async () => {
    await inTenant(async (tx) => {
      const target = await makeCustomer(tx);
      const sealed = await personalData.seal(tx, target, phone);
      for (let index = 0; index < sealed.length; index += 1) {
        const changed = Uint8Array.from(sealed);
        changed[index] = (changed[index] ?? 0) ^ 1;
        await expect(personalData.open(tx, target, changed)).rejects.toMatchObject(UNREADABLE);
      }
      for (const wrong of [new Uint8Array(0), sealed.subarray(0, 28), sealed.subarray(0, -1)]) {
        await expect(personalData.open(tx, target, wrong)).rejects.toMatchObject(UNREADABLE);
      }
    });
  });

  it('still opens after the master key was changed, and no longer once the old one is gone', async () => {
    await inTenant(async (tx) => {
      const target = await makeCustomer(tx);
      const sealed = await personalData.seal(tx, target, phone);
      expect(await afterRotation.open(tx, target, sealed)).toBe(phone);
      const without = createPersonalData(createEmbeddedKms([newKey]));
      await expect(without.open(tx, target, sealed)).rejects.toMatchObject(UNREADABLE);
    });
  });
});

describe('erasing a person', () => {
  it('makes every sealed value unreadable for ever and forgets the blind indexes', async () => {
    const { target, sealed } = await inTenant(async (tx) => {
      const made = await makeCustomer(tx);
      const value = await personalData.seal(tx, made, phone);
      await tx`insert into contact (tenant_id, contact_id, customer_id, kind, status, blind_index, sealed_value)
        values (${tenantId}, ${newId('contact')}, ${made.customerId}, 'phone', 'proved',
          ${personalData.blindIndex(tenantId, 'phone', phone)}, ${value})`;
      await personalData.eraseKey(tx, tenantId, made.customerId);
      return { target: made, sealed: value };
    });
    await inTenant(async (tx) => {
      await expect(personalData.open(tx, target, sealed)).rejects.toMatchObject(UNREADABLE);
      await expect(personalData.seal(tx, target, phone)).rejects.toMatchObject(UNREADABLE);
      expect(await tx`select 1 from contact where customer_id = ${target.customerId}`).toHaveLength(
        0,
      );
      const [key] = await tx<{ sealedKey: unknown; destroyedAt: Date | null }[]>`
        select sealed_key, destroyed_at from customer_key where customer_id = ${target.customerId}`;
      expect(key?.sealedKey).toBeNull();
      expect(key?.destroyedAt).toBeInstanceOf(Date);
    });
  });

  it('spares everybody else, and may be asked for twice', async () => {
    await inTenant(async (tx) => {
      const [erased, kept] = [await makeCustomer(tx), await makeCustomer(tx)];
      const sealed = await personalData.seal(tx, kept, phone);
      await personalData.eraseKey(tx, tenantId, erased.customerId);
      await personalData.eraseKey(tx, tenantId, erased.customerId);
      expect(await personalData.open(tx, kept, sealed)).toBe(phone);
    });
  });
});

describe('a blind index', () => {
  it('is the same for the same value, also after the master key was changed', () => {
    const index = personalData.blindIndex(tenantId, 'phone', phone);
    expect(Buffer.from(index).equals(personalData.blindIndex(tenantId, 'phone', phone))).toBe(true);
    expect(Buffer.from(index).equals(afterRotation.blindIndex(tenantId, 'phone', phone))).toBe(
      true,
    );
  });

  it('differs by tenant, kind, value and key, and has no ambiguous joints', () => {
    const other = createPersonalData(createEmbeddedKms([newKey]));
    const indexes = [
      personalData.blindIndex('ten_a', 'phone', phone),
      personalData.blindIndex('ten_b', 'phone', phone),
      personalData.blindIndex('ten_a', 'email', phone),
      personalData.blindIndex('ten_a', 'phone', `${phone}1`),
      personalData.blindIndex('ten_a","phone', 'phone', phone),
      other.blindIndex('ten_a', 'phone', phone),
    ];
    expect(new Set(indexes.map((index) => Buffer.from(index).toString('hex'))).size).toBe(
      indexes.length,
    );
  });
});

describe('the bytes of the tables', () => {
  it('hold no sealed text anywhere, though a planted one is found', async () => {
    const superuser = postgres(testDatabase.superuserUrl, { max: 1 });
    const canary = `canary-${newId('request')}`;
    const found = async () => {
      const places: string[] = [];
      const tables = await superuser<{ name: string }[]>`
        select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`;
      for (const { name } of tables) {
        // As text, bytea is hexadecimal: both spellings are looked for.
        const hex = Buffer.from(canary).toString('hex');
        const rows = await superuser`select 1 from ${superuser(name)} t
          where strpos(t::text, ${canary}) > 0 or strpos(t::text, ${hex}) > 0`;
        if (rows.length > 0) places.push(name);
      }
      return places;
    };
    try {
      await inTenant(async (tx) => {
        const target = await makeCustomer(tx);
        await tx`insert into contact (tenant_id, contact_id, customer_id, kind, status, blind_index, sealed_value)
          values (${tenantId}, ${newId('contact')}, ${target.customerId}, 'email', 'proved',
            ${personalData.blindIndex(tenantId, 'email', canary)}, ${await personalData.seal(tx, target, canary)})`;
      });
      expect(await found()).toStrictEqual([]);
      await superuser`update contact set sealed_value = ${Buffer.from(canary)} where kind = 'email'`;
      expect(await found()).toStrictEqual(['contact']);
    } finally {
      await superuser.end();
    }
  });
});
