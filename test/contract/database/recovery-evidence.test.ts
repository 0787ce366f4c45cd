/** What people of the bank put into a case in the place of a check: evidence and its confirmation, each refused where it must be. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { liftReportByStaff, reportByStaff } from '../../../db/device-reports.ts';
import { openRecovery } from '../../../db/recovery-open.ts';
import { confirmFactor, insertFactor, recordFactor } from '../../../db/recovery-ledger.ts';
import type { StaffMethod } from '../../../db/recovery-ledger.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import {
  approved,
  follow,
  insertRecoverable,
  opened,
  proved,
  read,
  RECOVERY_TOOLS,
  said,
  waitOut,
} from '../../setup/recoveries.ts';
import type { RecoverableCustomer, Run } from '../../setup/recoveries.ts';
import type { SeededStaff } from '../../setup/rows/staff-rows.ts';

let rows: RecoveryRows;
let customer: RecoverableCustomer;
let tenantId: string;

beforeAll(async () => {
  rows = await RecoveryRows.open();
  ({ tenantId } = rows);
});
afterAll(async () => {
  await rows.close();
});
beforeEach(async () => {
  customer = await rows.customer();
});

const run: Run = (work) => rows.run(work);
const refused = (code: string) => expect.objectContaining({ code });
const somebody = (employeeId?: string) => rows.somebody(employeeId);
const atIdentity = () => rows.atIdentity(customer);
const record = (
  subject: RecoverySubject,
  { staffId }: SeededStaff,
  method: StaffMethod,
  evidenceId = newId('request'),
) => run((tx) => recordFactor(tx, RECOVERY_TOOLS, { subject, method, evidenceId, staffId }));
const confirm = (subject: RecoverySubject, { staffId }: SeededStaff, factorId = '') =>
  run((tx) => confirmFactor(tx, { subject, factorId, staffId }));

const DAY_MS = 24 * 3_600_000;

/** Five days a customer, the only phone stolen: the mailbox answers, and nothing else can. */
async function newCustomersCase(): Promise<RecoverySubject> {
  await run(
    (tx) =>
      tx`update contact set proved_at = latchkey_now() - interval '5 days' where customer_id = ${customer.customerId}`,
  );
  const subject = await opened(run, customer, { report: 'stolen' });
  await follow(run, subject);
  return subject;
}

describe('evidence in the place of a check', () => {
  it('in a branch proves the person, and takes two people who did not record it', async () => {
    const subject = await atIdentity();
    const teller = await somebody();
    await record(subject, teller, 'branch');
    expect(await follow(run, subject)).toMatchObject({ state: 'review', people: 2 });
    await expect(said(run, subject, teller, { kind: 'approve' })).rejects.toEqual(
      refused('four_eyes_required'),
    );
    expect(await approved(run, subject)).toMatchObject({ state: 'cooling' });
  });

  it.each(['video', 'document'] as const)(
    'by %s counts once a second person has confirmed it',
    async (method) => {
      const subject = await atIdentity();
      const one = await somebody('Emp-7');
      const { factorId } = await record(subject, one, method);
      expect(await follow(run, subject)).toMatchObject({
        state: 'identity',
        missing: ['identity'],
      });
      await expect(confirm(subject, one, factorId)).rejects.toEqual(refused('four_eyes_required'));
      await expect(confirm(subject, await somebody('EMP-7'), factorId)).rejects.toEqual(
        refused('four_eyes_required'),
      );
      const other = await somebody();
      expect(await confirm(subject, other, factorId)).toEqual({ isRepeat: false });
      expect(await confirm(subject, other, factorId)).toEqual({ isRepeat: true });
      expect(await follow(run, subject)).toMatchObject({ state: 'review', missing: [] });
    },
  );

  it('in a branch lets a customer of five days in whose only other contact rings on the stolen phone; two people and the time to object stay', async () => {
    const subject = await newCustomersCase();
    const lacks = { state: 'contact', missing: ['second_contact', 'identity'] };
    expect(await follow(run, subject)).toMatchObject(lacks);
    const teller = await somebody();
    await record(subject, teller, 'call_back');
    expect(await follow(run, subject)).toMatchObject(lacks);
    await record(subject, teller, 'branch');
    expect(await follow(run, subject)).toMatchObject({ state: 'review', missing: [], people: 2 });
    await expect(said(run, subject, teller, { kind: 'approve' })).rejects.toEqual(
      refused('four_eyes_required'),
    );
    await said(run, subject, await somebody(), { kind: 'approve' });
    expect(await follow(run, subject)).toMatchObject({ state: 'review' });
    await said(run, subject, await somebody(), { kind: 'approve' });
    const { state, times } = await follow(run, subject);
    expect(state).toBe('cooling');
    expect(times.coolingMs).toBeGreaterThanOrEqual(DAY_MS);
    await expect(rows.bind(customer, subject)).rejects.toEqual(refused('wrong_step'));
    expect(await waitOut(run, subject)).toMatchObject({ state: 'rebind' });
    await rows.bind(customer, subject);
    expect(await run((tx) => read(tx, subject))).toMatchObject({ outcome: 'completed' });
  });

  it.each(['video', 'document'] as const)(
    'by %s takes the place of a missing contact once a second person has confirmed it',
    async (method) => {
      const subject = await newCustomersCase();
      const { factorId } = await record(subject, await somebody(), method);
      expect(await follow(run, subject)).toMatchObject({ state: 'contact' });
      await confirm(subject, await somebody(), factorId);
      expect(await follow(run, subject)).toMatchObject({ state: 'review', people: 2 });
    },
  );

  it('that was sent back asks for the second contact anew, and is no more worth under its old reference', async () => {
    const subject = await newCustomersCase();
    const teller = await somebody();
    await record(subject, teller, 'branch', 'branch-1');
    await follow(run, subject);
    await said(run, subject, await somebody(), { kind: 'send_back' });
    const lacks = { state: 'contact', missing: ['second_contact', 'identity'] };
    expect(await follow(run, subject)).toMatchObject(lacks);
    expect(await record(subject, teller, 'branch', 'branch-1')).toEqual({ factorId: undefined });
    expect(await follow(run, subject)).toMatchObject(lacks);
    await record(subject, teller, 'branch', 'branch-2');
    expect(await follow(run, subject)).toMatchObject({ state: 'review' });
  });

  it('that counts no more leaves the binding without a second contact, whatever a camera saw', async () => {
    const subject = await newCustomersCase();
    await record(subject, await somebody(), 'branch');
    await follow(run, subject);
    await approved(run, subject);
    expect(await waitOut(run, subject)).toMatchObject({ state: 'rebind' });
    await run(async (tx) => {
      const by = { kind: 'vendor', id: 'vendor' } as const;
      const check = { handset: null, isOnReportedHandset: false, evidenceId: newId('request'), by };
      await insertFactor(tx, RECOVERY_TOOLS, await read(tx, subject), {
        method: 'liveness',
        ...check,
      });
      await tx`update recovery_factor set voided_at = latchkey_now() where recovery_id = ${subject.recoveryId} and method = 'branch'`;
    });
    expect(await run((tx) => read(tx, subject))).toMatchObject({ missing: ['second_contact'] });
    await expect(rows.bind(customer, subject)).rejects.toEqual(refused('factors_missing'));
  });

  it('of a contact, and of nothing, is not confirmed', async () => {
    const subject = await atIdentity();
    const one = await somebody();
    const { factorId } = await record(subject, one, 'call_back');
    for (const id of [factorId, newId('factor')])
      await expect(confirm(subject, await somebody(), id)).rejects.toEqual(refused('not_found'));
  });

  it('of one document stands there once', async () => {
    const subject = await atIdentity();
    const one = await somebody();
    const evidenceId = newId('request');
    await record(subject, one, 'document', evidenceId);
    const { revision } = await run((tx) => read(tx, subject));
    expect(await record(subject, one, 'document', evidenceId)).toEqual({ factorId: undefined });
    expect(await run((tx) => read(tx, subject))).toMatchObject({ revision });
  });

  it('is not taken before a phone has joined, while it cools off, and after the step’s time', async () => {
    const { recoveryId } = await run((tx) =>
      openRecovery(tx, RECOVERY_TOOLS, {
        tenantId,
        customerId: customer.customerId,
        by: { kind: 'staff', id: 'stf_x' },
        report: 'broken',
        risk: 'low',
      }),
    );
    const subject = { tenantId, recoveryId };
    const one = await somebody();
    await expect(record(subject, one, 'branch')).rejects.toEqual(refused('phone_not_joined'));
    expect(await follow(run, subject)).toMatchObject({ state: 'contact' });
    await record(subject, one, 'call_back');
    expect(await follow(run, subject)).toMatchObject({ state: 'identity' });
    await opened(run, customer);
    await run(
      (tx) =>
        tx`update ceremony set step_deadline = latchkey_now() where ceremony_id = ${recoveryId}`,
    );
    await expect(record(subject, one, 'branch')).rejects.toEqual(refused('ceremony_expired'));
    customer = await run((tx) => insertRecoverable(tx, tenantId));
    const cooling = await proved(run, customer);
    await approved(run, cooling);
    await expect(record(cooling, one, 'branch')).rejects.toEqual(refused('wrong_step'));
  });

  it('by a verified call is asked of the call itself: approved by this customer, lately, on a phone that nobody reported', async () => {
    const subject = await atIdentity();
    const one = await somebody();
    const call = async (
      of: RecoverableCustomer,
      changes: { type?: string; minutesAgo?: number } = {},
    ) => {
      const stepUpId = newId('ceremony');
      const { type = 'verified_call', minutesAgo = 1 } = changes;
      await run(async (tx) => {
        await tx`insert into ceremony (tenant_id, ceremony_id, kind, customer_id, requester, state, outcome, epoch, policy_version, locale,
            deadline, created_at, ended_at)
          values (${tenantId}, ${stepUpId}, 'step_up', ${of.customerId}, ${`staff:${one.staffId}`}, 'ended', 'completed', 1, 1, 'en',
            latchkey_now(), latchkey_now(), latchkey_now())`;
        await tx`insert into step_up (tenant_id, step_up_id, customer_id, requester_kind, requester_id, action_type, sealed_request,
            reference_index, required, approved_device_id, approved_at, consume_by)
          select ${tenantId}, ${stepUpId}, ${of.customerId}, 'staff', ${one.staffId}, ${type}, '', '', 'latchkey:3', ${of.deviceId}, t.at, t.at
          from (select latchkey_now() - make_interval(mins => ${minutesAgo}) as at) t`;
      });
      return stepUpId;
    };
    const stranger = await run((tx) => insertRecoverable(tx, tenantId));
    for (const evidenceId of [
      newId('ceremony'),
      await call(stranger),
      await call(customer, { type: 'payment' }),
      await call(customer, { minutesAgo: 61 }),
    ])
      await expect(record(subject, one, 'verified_call', evidenceId)).rejects.toEqual(
        refused('caller_not_proved'),
      );
    const calls = async () => (await run((tx) => read(tx, subject))).ledger.slice(1);
    await record(subject, one, 'verified_call', await call(customer));
    const { deviceId: handset } = customer;
    expect(await calls()).toMatchObject([{ handset, isOnReportedHandset: false }]);
    await run(
      (
        tx,
      ) => tx`update device set status = 'restricted', reported_at = latchkey_now(), reported_as = 'stolen', reported_by = 'x'
      where device_id = ${handset}`,
    );
    await record(subject, one, 'verified_call', await call(customer));
    // Nor does the one before the report count any more: who had the phone then nobody knows.
    expect(await calls()).toMatchObject([
      { handset, isOnReportedHandset: true },
      { handset, isOnReportedHandset: true },
    ]);
  });

  it('by a call back and a call in the app of the same phone counts once', async () => {
    const subject = await atIdentity();
    await record(subject, await somebody(), 'call_back');
    const { ledger } = await run((tx) => read(tx, subject));
    expect(ledger[1]).toMatchObject({ method: 'call_back', handset: customer.deviceId });
  });

  it('is of no worth from nobody, and never of one’s own account', async () => {
    const subject = await atIdentity();
    await expect(
      record(subject, { staffId: newId('staff'), employeeId: 'x' }, 'branch'),
    ).rejects.toEqual(refused('staff_role_missing'));
    const own = await somebody(customer.customerId.toUpperCase());
    await expect(record(subject, own, 'branch')).rejects.toEqual(refused('own_account'));
  });
});

describe('a contact on a phone that is reported', () => {
  const reported = async () => {
    const { deviceId } = customer;
    const { staffId } = await somebody();
    await run((tx) =>
      reportByStaff(tx, { tenantId, deviceId, as: 'stolen', staffId, because: 'caller' }),
    );
    return deviceId;
  };
  const byPhone = () =>
    opened(run, customer, {
      contact: { kind: 'phone', value: customer.phone },
      report: 'replaced',
    });

  it('proves nothing, whatever whoever asks says of the phone', async () => {
    await reported();
    const subject = await byPhone();
    expect(await follow(run, subject)).toMatchObject({
      state: 'contact',
      missing: ['contact', 'identity'],
    });
  });

  it('ceases to count while the report stands, and no longer', async () => {
    const subject = await byPhone();
    expect(await follow(run, subject)).toMatchObject({ state: 'identity', missing: ['identity'] });
    const deviceId = await reported();
    expect(await run((tx) => read(tx, subject))).toMatchObject({
      missing: ['contact', 'identity'],
    });
    const { staffId } = await somebody();
    await run((tx) => liftReportByStaff(tx, { tenantId, deviceId, staffId, because: 'caller' }));
    expect(await run((tx) => read(tx, subject))).toMatchObject({ missing: ['identity'] });
  });
});
