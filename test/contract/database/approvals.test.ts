/** Four eyes over a release, on real rows: who may approve, what makes a request void, and what the table itself refuses whoever writes it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { approveRelease, declineRelease, requestRelease } from '../../../db/approvals.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { listApprovals, listHolds, takeSearch } from '../../../db/staff-desk.ts';
import type { StaffRole } from '../../../domain/staff.ts';
import {
  cutOffCustomer,
  insertCustomer,
  insertProvedPhone,
  releaseCustomer,
} from '../../setup/customer.ts';
import type { SeededCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';
import { insertStaff, setRoles } from '../../setup/rows/staff-rows.ts';
import type { SeededStaff } from '../../setup/rows/staff-rows.ts';

const TTL_MS = 600_000;

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let nowMs = Date.now();
let agent: SeededStaff;
let supervisor: SeededStaff;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
  agent = await staff(['agent']);
  supervisor = await staff(['supervisor']);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const inTenant = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);
const staff = (roles: readonly StaffRole[], employeeId?: string) =>
  inTenant((tx) =>
    insertStaff(tx, tenantId, { roles, ...(employeeId === undefined ? {} : { employeeId }) }),
  );

interface Held {
  readonly customer: SeededCustomer;
  readonly holdId: string;
}

const held = (): Promise<Held> =>
  inTenant(async (tx) => {
    const customer = await insertCustomer(tx, tenantId);
    await insertProvedPhone(tx, customer);
    await cutOffCustomer(tx, customer);
    const [hold] = await listHolds(tx, { tenantId, customerId: customer.customerId, limit: 1 });
    return { customer, holdId: hold?.holdId ?? '' };
  });

async function ask(holdId: string, by = agent) {
  const approvalId = newId('approval');
  const request = { tenantId, holdId, approvalId, staffId: by.staffId, ttlSeconds: TTL_MS / 1000 };
  const answer = await inTenant((tx) =>
    requestRelease(tx, { ...request, reason: 'customer_verified' }),
  );
  return { approvalId, answer };
}

const approve = (approvalId: string, by = supervisor) =>
  inTenant((tx) => approveRelease(tx, { tenantId, approvalId, staffId: by.staffId }));
const decline = (approvalId: string, by = supervisor) =>
  inTenant((tx) => declineRelease(tx, { tenantId, approvalId, staffId: by.staffId }));
const statusOf = async (approvalId: string) => {
  const [entry] = await inTenant((tx) => listApprovals(tx, { tenantId, approvalId, limit: 1 }));
  return entry?.status;
};

describe('an approval', () => {
  it('by another person lifts the hold, reinstates, tells the customer, and stands in the audit with both', async () => {
    const { customer, holdId } = await held();
    const { approvalId } = await ask(holdId);
    expect(await approve(approvalId)).toMatchObject({ holdId, devices: 1, credentials: 1 });
    expect(await statusOf(approvalId)).toBe('approved');
    const left = await inTenant(async (tx) => ({
      audit:
        await tx`select action, actor_kind, actor_id, detail->>'preparedBy' as prepared_by from audit
        where customer_id = ${customer.customerId} and actor_kind = 'staff' order by position`,
      notices: await tx`select payload->>'template' as template from outbox
        where topic = 'message.sms' and payload->>'customerId' = ${customer.customerId}`,
    }));
    const by = ({ staffId }: SeededStaff) => ({ actorKind: 'staff', actorId: staffId });
    expect([...left.audit]).toEqual([
      { action: 'staff.release_requested', ...by(agent), preparedBy: null },
      { action: 'fraud.released', ...by(supervisor), preparedBy: null },
      { action: 'staff.release_approved', ...by(supervisor), preparedBy: agent.staffId },
    ]);
    expect([...left.notices]).toEqual([{ template: 'hold_released' }]);
    expect(await approve(approvalId)).toEqual({ refused: 'approval_decided' });
  });

  it.each([
    ['the same account', 'E-1', undefined],
    ['the same person under a second account', 'E-2', 'E-2'],
    ['the same person whose directory spells the id in other letters', 'E-3a', 'e-3A'],
  ])(
    'by %s is refused and noted, and the request still waits for another',
    async (_who, own, second) => {
      const { holdId } = await held();
      const preparer = await staff(['agent', 'supervisor'], own);
      const approver = second === undefined ? preparer : await staff(['supervisor'], second);
      const { approvalId } = await ask(holdId, preparer);
      expect(await approve(approvalId, approver)).toEqual({ refused: 'four_eyes_required' });
      const noted = await inTenant(
        (tx) => tx`select detail->>'code' as code from audit
        where subject_id = ${approvalId} and action = 'staff.release_refused' and actor_id = ${approver.staffId}`,
      );
      expect([...noted]).toEqual([{ code: 'four_eyes_required' }]);
      expect(await approve(approvalId)).toMatchObject({ holdId });
    },
  );

  it('by a person whose employee id was put right only after the request is refused as well', async () => {
    const { holdId } = await held();
    const preparer = await staff(['agent'], 'E-4-misspelt');
    const approver = await staff(['supervisor'], 'E-4');
    const { approvalId } = await ask(holdId, preparer);
    await inTenant(
      (tx) => tx`update staff set employee_id = 'e-4' where staff_id = ${preparer.staffId}`,
    );
    expect(await approve(approvalId, approver)).toEqual({ refused: 'four_eyes_required' });
  });

  it.each([['agent'], ['auditor'], ['administrator']] as const)(
    'by a mere %s is refused',
    async (role) => {
      const { approvalId } = await ask((await held()).holdId);
      expect(await approve(approvalId, await staff([role]))).toEqual({
        refused: 'staff_role_missing',
      });
    },
  );

  it('that does not exist, or is another tenant’s, is not found', async () => {
    const { approvalId } = await ask((await held()).holdId);
    const tenant = await seedDemoTenant(testDatabase, { slug: 'other', name: 'Other' });
    const decision = { tenantId: tenant, approvalId, staffId: supervisor.staffId };
    expect(await database.tenant(tenant, (tx) => approveRelease(tx, decision))).toEqual({
      refused: 'approval_not_found',
    });
    expect(await approve(newId('approval'))).toEqual({ refused: 'approval_not_found' });
    expect(await decline(newId('approval'))).toEqual({ refused: 'approval_not_found' });
  });

  it('is possible just before its request expires, and refused from then on', async () => {
    const [early, late] = [await ask((await held()).holdId), await ask((await held()).holdId)];
    const lateDecline = await ask((await held()).holdId);
    nowMs += TTL_MS - 1;
    expect(await approve(early.approvalId)).toHaveProperty('releasedAtMs');
    nowMs += 1;
    expect(await statusOf(late.approvalId)).toBe('expired');
    expect(await approve(late.approvalId)).toEqual({ refused: 'approval_expired' });
    expect(await decline(lateDecline.approvalId)).toEqual({ refused: 'approval_expired' });
    expect(await approve(late.approvalId)).toEqual({ refused: 'approval_expired' });
  });
});

type Change = (tx: Tx, held: Held) => Promise<unknown>;
const changes: readonly (readonly [string, Change])[] = [
  ['a fresh cut-off', (tx, { customer }) => cutOffCustomer(tx, customer)],
  [
    'a device revoked for ever',
    (tx, { customer }) =>
      tx`update device set status = 'revoked' where device_id = ${customer.deviceId}`,
  ],
  [
    'a passkey revoked for ever',
    (tx, { customer }) =>
      tx`update credential set status = 'revoked' where credential_id = ${customer.credentialId}`,
  ],
  ['a new contact', (tx, { customer }) => insertProvedPhone(tx, customer)],
  [
    'another reason on the hold',
    (tx, { holdId }) => tx`update hold set reason = 'stolen_device' where hold_id = ${holdId}`,
  ],
  [
    'the person erased',
    (tx, { customer }) =>
      tx`update customer set status = 'erased' where customer_id = ${customer.customerId}`,
  ],
];

describe('a request', () => {
  it.each(changes)('falls with %s after it was made', async (_what, change) => {
    const subject = await held();
    const { approvalId } = await ask(subject.holdId);
    await inTenant((tx) => change(tx, subject));
    expect(await approve(approvalId)).toEqual({ refused: 'approval_void' });
    expect(await statusOf(approvalId)).toBe('void');
    expect(await decline(approvalId)).toEqual({ refused: 'approval_void' });
  });

  it('falls when the fraud engine has released the hold', async () => {
    const { customer, holdId } = await held();
    const { approvalId } = await ask(holdId);
    await inTenant((tx) => releaseCustomer(tx, customer));
    expect(await approve(approvalId)).toEqual({ refused: 'hold_released' });
    expect(await approve(approvalId)).toEqual({ refused: 'approval_void' });
    expect((await ask(holdId)).answer).toEqual({ refused: 'hold_released' });
  });

  it('falls when whoever made it has lost the role', async () => {
    const { holdId } = await held();
    const gone = await staff(['agent']);
    const { approvalId } = await ask(holdId, gone);
    await inTenant((tx) => setRoles(tx, gone, ['auditor']));
    expect(await approve(approvalId)).toEqual({ refused: 'approval_void' });
  });

  it('waits alone, and gives way once it was declined, has fallen or has expired', async () => {
    const { customer, holdId } = await held();
    const first = await ask(holdId);
    expect((await ask(holdId, supervisor)).answer).toEqual({ refused: 'approval_pending' });
    await decline(first.approvalId);
    const second = await ask(holdId);
    await inTenant((tx) => cutOffCustomer(tx, customer));
    const third = await ask(holdId);
    nowMs += TTL_MS;
    const gone = await staff(['agent']);
    const fourth = await ask(holdId, gone);
    await inTenant((tx) => setRoles(tx, gone, []));
    const last = await ask(holdId);
    const statuses = [];
    for (const { approvalId } of [first, second, third, fourth, last])
      statuses.push(await statusOf(approvalId));
    expect(statuses).toEqual(['declined', 'void', 'expired', 'void', 'pending']);
  });

  it('for a hold that does not exist is not found', async () => {
    expect((await ask(newId('hold'))).answer).toEqual({ refused: 'hold_not_found' });
  });

  it('may be declined by whoever made it: that takes it back, and the hold stays', async () => {
    const { customer, holdId } = await held();
    const { approvalId } = await ask(holdId, supervisor);
    expect(await decline(approvalId, supervisor)).toEqual({ holdId });
    expect(await decline(approvalId)).toEqual({ refused: 'approval_decided' });
    expect(await approve(approvalId)).toEqual({ refused: 'approval_decided' });
    const holds = await inTenant((tx) =>
      listHolds(tx, { tenantId, customerId: customer.customerId, limit: 5 }),
    );
    expect(holds).toMatchObject([{ holdId, approvalId: null }]);
  });
});

describe('the table', () => {
  const write = (approvalId: string, by: SeededStaff) =>
    inTenant(
      (
        tx,
      ) => tx`update approval set status = 'approved', decided_by = ${by.staffId}, decided_employee = ${by.employeeId},
        decided_at = latchkey_now() where approval_id = ${approvalId}`,
    );

  it('refuses an approval by the person who asked, whoever writes it', async () => {
    const own = await staff(['agent'], 'E-9');
    const second = await staff(['supervisor'], 'e-9');
    const { approvalId } = await ask((await held()).holdId, own);
    for (const by of [own, second]) {
      await expect(write(approvalId, by)).rejects.toMatchObject({
        code: '23514',
        constraint_name: 'approval_four_eyes',
      });
    }
    await expect(write(approvalId, supervisor)).resolves.toHaveProperty('count', 1);
  });

  it('lets nobody change what was asked for, by whom, until when', async () => {
    const { approvalId } = await ask((await held()).holdId);
    for (const column of [
      'state_hash',
      'prepared_by',
      'prepared_employee',
      'expires_at',
      'hold_id',
    ]) {
      await expect(
        inTenant(
          (tx) =>
            tx`update approval set ${tx(column)} = ${tx(column)} where approval_id = ${approvalId}`,
        ),
      ).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('searches of one member of staff', () => {
  it('are let through so many at once, then one an interval, whatever they find', async () => {
    const { staffId } = await staff(['agent']);
    const search = () =>
      inTenant((tx) =>
        takeSearch(tx, { tenantId, staffId, searchesAtOnce: 3, intervalSeconds: 10 }),
      );
    for (let count = 0; count < 3; count += 1) await search();
    await expect(search()).rejects.toMatchObject({ code: 'too_many_requests' });
    nowMs += 9_999;
    await expect(search()).rejects.toMatchObject({ code: 'too_many_requests' });
    nowMs += 1;
    await search();
    await expect(search()).rejects.toMatchObject({ code: 'too_many_requests' });
  });
});
