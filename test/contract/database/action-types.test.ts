/** A tenant's own types of action as rows: from the file to a step-up and back, a version a change, and nobody else's. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { actionTypesFor, readTenantAction } from '../../../db/action-types.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { applyTenant } from '../../../db/tenant-setup.ts';
import type { TenantDocument } from '../../../db/tenant-setup.ts';
import { canonicalAction } from '../../../domain/action.ts';
import { displayOf } from '../../../domain/step-up-texts.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { payment } from '../../setup/step-ups.ts';

type OwnType = NonNullable<TenantDocument['actionTypes']>[number];

const LOAN: OwnType = {
  name: 'loan_payout',
  members: { amount: { kind: 'amount' }, currency: { kind: 'currency' } },
  templates: {
    en: {
      title: 'Pay out a loan of {amount} {currency}',
      fields: [{ label: 'Amount', value: '{amount} {currency}' }],
    },
  },
};
const WITH_BRANCH: OwnType = {
  name: 'loan_payout',
  members: { ...LOAN.members, branch: { kind: 'text', maxLength: 20 } },
  templates: {
    en: { title: 'Loan at {branch}', fields: [{ label: 'Branch', value: '{branch}' }] },
  },
};
const PAYOUT = { type: 'loan_payout', amount: '400', currency: 'NZD' };

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({ url: testDatabase.applicationUrl });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

async function apply(slug: string, actionTypes: readonly OwnType[]): Promise<string> {
  const origins = ['https://bank.example'];
  const document = { slug, name: slug, rpId: 'bank.example', origins, clients: [], actionTypes };
  return (await applyTenant(testDatabase.ownerUrl, document)).tenantId;
}
const versions = (tenantId: string) =>
  database.tenant(
    tenantId,
    async (tx) => (await tx`select version from action_type order by version`).length,
  );
const read = (tenantId: string, value: unknown) =>
  database.tenant(tenantId, (tx) => readTenantAction(tx, tenantId, value));

describe("a tenant's own type of action", () => {
  test('is one version, however often the same file is applied', async () => {
    const tenantId = await apply('same-file', [LOAN]);
    await apply('same-file', [{ ...LOAN }]);
    expect(await versions(tenantId)).toBe(1);
    await apply('same-file', []);
    expect(await versions(tenantId)).toBe(1);
  });

  test('is read beside the built-in ones, and by its own tenant alone', async () => {
    const tenantId = await apply('own-type', [LOAN]);
    const other = await apply('no-type', []);
    expect(await read(tenantId, PAYOUT)).toStrictEqual({ ...PAYOUT, amount: '400.00' });
    expect(await read(tenantId, payment('40'))).toMatchObject({ amount: '40.00' });
    await expect(read(other, PAYOUT)).rejects.toMatchObject({
      code: 'action_invalid',
      extra: { member: 'type', why: 'unknown_type' },
    });
  });

  test('is the same action, in the same words, when its type has changed since', async () => {
    const tenantId = await apply('changed-type', [LOAN]);
    const before = await read(tenantId, PAYOUT);
    await apply('changed-type', [WITH_BRANCH]);
    expect(await versions(tenantId)).toBe(2);
    // What a consume compares.
    expect(canonicalAction(await read(tenantId, PAYOUT))).toBe(canonicalAction(before));
    const types = await database.tenant(tenantId, (tx) => actionTypesFor(tx, tenantId, before));
    expect(displayOf(before, 'en', 'Loans', types)).toMatchObject({
      version: 1,
      text: 'Pay out a loan of 400.00 NZD\nAmount: 400.00 NZD',
    });
    const after = await read(tenantId, { ...PAYOUT, branch: 'Lower Hutt' });
    expect(canonicalAction(after)).not.toBe(canonicalAction(before));
  });
});
