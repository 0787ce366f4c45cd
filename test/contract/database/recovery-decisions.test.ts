/** What people of the bank decide about a case, and who of them works on it: natural persons, four eyes, one claim. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { openRecovery } from '../../../db/recovery-open.ts';
import { claimRecovery, handOverRecovery } from '../../../db/recovery-claims.ts';
import { recordFactor } from '../../../db/recovery-ledger.ts';
import type { StaffMethod } from '../../../db/recovery-ledger.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import {
  approved,
  checked,
  follow,
  proved,
  read,
  readyToBind,
  RECOVERY_TOOLS,
  said,
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
const record = (
  subject: RecoverySubject,
  { staffId }: SeededStaff,
  method: StaffMethod,
  evidenceId = newId('request'),
) => run((tx) => recordFactor(tx, RECOVERY_TOOLS, { subject, method, evidenceId, staffId }));

describe('a decision', () => {
  it('to approve counts natural persons, each once', async () => {
    const subject = await proved(run, customer, { report: 'stolen' });
    const one = await somebody('Emp-1');
    const first = await said(run, subject, one, { kind: 'approve' });
    const again = await said(run, subject, await somebody('EMP-1'), { kind: 'approve' });
    expect(again).toEqual({ decisionId: first.decisionId, isRepeat: true });
    expect(await follow(run, subject)).toMatchObject({ state: 'review' });
    await said(run, subject, await somebody(), { kind: 'approve' });
    expect(await follow(run, subject)).toMatchObject({ state: 'cooling' });
  });

  it('to approve is void when the case was edited since, before it and after it', async () => {
    const subject = await proved(run, customer);
    const { revision } = await run((tx) => read(tx, subject));
    await record(subject, await somebody(), 'call_back');
    await expect(
      said(run, subject, await somebody(), { kind: 'approve', revision }),
    ).rejects.toEqual(refused('approval_void'));
    const one = await somebody();
    await said(run, subject, one, { kind: 'approve' });
    await record(subject, await somebody(), 'call_back');
    expect(await follow(run, subject)).toMatchObject({ state: 'review' });
    expect(await said(run, subject, one, { kind: 'approve' })).toMatchObject({ isRepeat: false });
    expect(await follow(run, subject)).toMatchObject({ state: 'cooling' });
  });

  it('is not made by who opened the case, nor of one’s own account, nor where it is not due', async () => {
    const opener = await somebody();
    await run((tx) =>
      openRecovery(tx, RECOVERY_TOOLS, {
        tenantId,
        customerId: customer.customerId,
        by: { kind: 'staff', id: opener.staffId },
        phone: { clientId: 'demo-app', jkt: customer.newJkt },
        report: 'broken',
        risk: 'low',
      }),
    );
    const subject = await proved(run, customer);
    await expect(said(run, subject, opener, { kind: 'approve' })).rejects.toEqual(
      refused('four_eyes_required'),
    );
    const own = await somebody(customer.customerId);
    for (const kind of ['approve', 'refuse', 'send_back'] as const)
      await expect(said(run, subject, own, { kind })).rejects.toEqual(refused('own_account'));
    await expect(said(run, subject, await somebody(), { kind: 'release' })).rejects.toEqual(
      refused('wrong_step'),
    );
    await run(
      (tx) =>
        tx`update ceremony set step_deadline = latchkey_now() where ceremony_id = ${subject.recoveryId}`,
    );
    await expect(said(run, subject, await somebody(), { kind: 'approve' })).rejects.toEqual(
      refused('ceremony_expired'),
    );
  });

  it('to approve is refused while something is missing', async () => {
    const subject = await proved(run, customer);
    await run(
      (tx) =>
        tx`update recovery_factor set voided_at = latchkey_now() where recovery_id = ${subject.recoveryId}`,
    );
    await expect(said(run, subject, await somebody(), { kind: 'approve' })).rejects.toEqual(
      refused('factors_missing'),
    );
  });

  it('to refuse ends the case at once, with the reason on it', async () => {
    const subject = await proved(run, customer);
    const one = await somebody();
    await said(run, subject, one, { kind: 'refuse', reason: 'not_the_person', revision: 0 });
    expect(await run((tx) => read(tx, subject))).toMatchObject({
      outcome: 'denied',
      reason: 'refused_by_staff',
    });
    const [row] = await run(
      (tx) => tx`
        select actor_id, detail->>'because' as because from audit
        where ceremony_id = ${subject.recoveryId} and action = 'recovery.ended'`,
    );
    expect(row).toMatchObject({ actorId: one.staffId, because: 'not_the_person' });
  });

  it.each(['review', 'cooling'] as const)(
    'to send back from %s has the person proved anew, and people look again',
    async (from) => {
      const subject = await proved(run, customer);
      if (from === 'cooling') await approved(run, subject);
      await said(run, subject, await somebody(), { kind: 'send_back' });
      expect(await follow(run, subject)).toMatchObject({
        state: 'identity',
        missing: ['identity'],
      });
      await checked(run, customer, subject);
      expect(await follow(run, subject)).toMatchObject({ state: 'review' });
      expect(await approved(run, subject)).toMatchObject({ state: 'cooling' });
    },
  );
});

describe('an approval by who prepared the case never counts', () => {
  /** As no function here writes it: whoever got past `decide`. */
  const approveAnyway = (subject: RecoverySubject, { staffId, employeeId }: SeededStaff) =>
    run(async (tx) => {
      const { revision } = await read(tx, subject);
      await tx`insert into recovery_decision (tenant_id, decision_id, recovery_id, kind, revision, reason, staff_id, employee, decided_at)
        values (${tenantId}, ${newId('decision')}, ${subject.recoveryId}, 'approve', ${revision}, 'person_recognised', ${staffId},
          ${employeeId}, latchkey_now())`;
    });
  /** And past the revision. */
  const prepareAnyway = async (
    { recoveryId }: RecoverySubject,
    { staffId, employeeId }: SeededStaff,
  ) => {
    await run(
      (tx) => tx`
        insert into recovery_factor (tenant_id, factor_id, recovery_id, customer_id, method, epoch, on_reported_handset, evidence_id,
          recorded_by_kind, recorded_by, recorded_employee, recorded_at)
        values (${tenantId}, ${newId('factor')}, ${recoveryId}, ${customer.customerId}, 'call_back', 1, false, ${newId('request')},
          'staff', ${staffId}, ${employeeId}, latchkey_now())`,
    );
  };

  it('when the preparation comes first', async () => {
    const subject = await proved(run, customer, { report: 'stolen' });
    const preparer = await somebody('Emp-3');
    await record(subject, preparer, 'call_back');
    await expect(said(run, subject, preparer, { kind: 'approve' })).rejects.toEqual(
      refused('four_eyes_required'),
    );
    await said(run, subject, await somebody(), { kind: 'approve' });
    await approveAnyway(subject, await somebody('EMP-3'));
    expect(await follow(run, subject)).toMatchObject({ state: 'review' });
    await said(run, subject, await somebody(), { kind: 'approve' });
    expect(await follow(run, subject)).toMatchObject({ state: 'cooling' });
  });

  it('when the approval comes first', async () => {
    const subject = await proved(run, customer, { report: 'stolen' });
    const preparer = await somebody();
    await said(run, subject, preparer, { kind: 'approve' });
    await record(subject, preparer, 'call_back');
    await said(run, subject, await somebody(), { kind: 'approve' });
    expect(await follow(run, subject)).toMatchObject({ state: 'review' });
    await said(run, subject, await somebody(), { kind: 'approve' });
    expect(await follow(run, subject)).toMatchObject({ state: 'cooling' });
  });

  it.each(['prepared', 'opened'] as const)(
    'at the binding, by who %s it after everything was waited for',
    async (how) => {
      const subject = await readyToBind(run, customer);
      const [approver] = await run(
        (tx) => tx<SeededStaff[]>`
          select staff_id, employee as employee_id from recovery_decision where recovery_id = ${subject.recoveryId} and kind = 'approve'`,
      );
      if (approver === undefined) throw new Error('somebody approved it');
      if (how === 'prepared') await prepareAnyway(subject, approver);
      else
        await run(
          (tx) =>
            tx`update recovery set opened_by_kind = 'staff', opened_by = ${approver.staffId} where recovery_id = ${subject.recoveryId}`,
        );
      await expect(rows.bind(customer, subject)).rejects.toEqual(refused('approval_void'));
      expect(await rows.state(subject)).toBe('rebind');
    },
  );
});

describe('a claim', () => {
  it('of two at once is one’s', async () => {
    const subject = await proved(run, customer);
    const both = [await somebody(), await somebody()];
    const claims = await Promise.allSettled(
      both.map(({ staffId }) => run((tx) => claimRecovery(tx, { subject, staffId }))),
    );
    expect(claims.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(claims.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'case_taken' },
    });
  });

  it('is repeated, handed over, given back and taken by a supervisor; never by another agent', async () => {
    const subject = await proved(run, customer);
    const [one, two, boss] = [await somebody(), await somebody(), await somebody()];
    const claim = ({ staffId }: SeededStaff) =>
      run((tx) => claimRecovery(tx, { subject, staffId }));
    const hand = ({ staffId }: SeededStaff, to: string | null, isSupervisor = false) =>
      run((tx) => handOverRecovery(tx, { subject, staffId, to, isSupervisor }));
    const claimedBy = async () => (await run((tx) => read(tx, subject))).claimedBy;
    await claim(one);
    await claim(one);
    await expect(claim(two)).rejects.toEqual(refused('case_taken'));
    await expect(hand(two, two.staffId)).rejects.toEqual(refused('case_taken'));
    await hand(one, two.staffId);
    expect(await claimedBy()).toBe(two.staffId);
    await hand(boss, boss.staffId, true);
    expect(await claimedBy()).toBe(boss.staffId);
    await hand(boss, null);
    expect(await claimedBy()).toBeNull();
  });

  it('is never of one’s own account, of no case, and of one that has ended', async () => {
    const subject = await proved(run, customer);
    const own = await somebody(customer.customerId);
    const claim = (of: RecoverySubject, { staffId }: SeededStaff) =>
      run((tx) => claimRecovery(tx, { subject: of, staffId }));
    await expect(claim(subject, own)).rejects.toEqual(refused('own_account'));
    const one = await somebody();
    await expect(claim({ tenantId, recoveryId: newId('ceremony') }, one)).rejects.toEqual(
      refused('recovery_not_found'),
    );
    await said(run, subject, one, { kind: 'refuse' });
    await expect(claim(subject, one)).rejects.toEqual(refused('ceremony_ended'));
  });
});
