/** What people of the bank and the liveness vendor put into a case: evidence, confirmations, decisions, claims, verdicts; each refused where it must be. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { claimRecovery, handOverRecovery } from '../../../db/recovery-claims.ts';
import { confirmFactor, recordFactor } from '../../../db/recovery-ledger.ts';
import type { StaffMethod } from '../../../db/recovery-ledger.ts';
import {
  closeLivenessAttempt,
  latestLiveness,
  livenessQuestion,
  openLivenessAttempt,
  recordLivenessSession,
  recordLivenessVerdict,
} from '../../../db/recovery-liveness.ts';
import { openRecovery } from '../../../db/recovery-open.ts';
import { createRecoveryStore } from '../../../db/recovery-store.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';
import {
  approved,
  checked,
  colleague,
  follow,
  insertRecoverable,
  newKey,
  opened,
  proved,
  read,
  RECOVERY_TOOLS,
  said,
} from '../../setup/recoveries.ts';
import type { RecoverableCustomer } from '../../setup/recoveries.ts';
import type { SeededStaff } from '../../setup/rows/staff-rows.ts';

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let customer: RecoverableCustomer;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  customer = await run((tx) => insertRecoverable(tx, tenantId));
});

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);
const refused = (code: string) => expect.objectContaining({ code });
const somebody = (employeeId?: string) => colleague(run, tenantId, employeeId);
const record = (
  subject: RecoverySubject,
  { staffId }: SeededStaff,
  method: StaffMethod,
  evidenceId = newId('request'),
) => run((tx) => recordFactor(tx, RECOVERY_TOOLS, { subject, method, evidenceId, staffId }));
const confirm = (subject: RecoverySubject, { staffId }: SeededStaff, factorId = '') =>
  run((tx) => confirmFactor(tx, { subject, factorId, staffId }));

async function atIdentity(): Promise<RecoverySubject> {
  const subject = await opened(run, customer);
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
    await record(subject, one, 'verified_call', await call(customer));
    await run(
      (
        tx,
      ) => tx`update device set status = 'restricted', reported_at = latchkey_now(), reported_as = 'stolen', reported_by = 'x'
      where device_id = ${customer.deviceId}`,
    );
    await record(subject, one, 'verified_call', await call(customer));
    const { ledger } = await run((tx) => read(tx, subject));
    expect(ledger.slice(1)).toMatchObject([
      { handset: customer.deviceId, isOnReportedHandset: false },
      { handset: customer.deviceId, isOnReportedHandset: true },
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

describe('a liveness check', () => {
  const begin = (subject: RecoverySubject, jkt = customer.newJkt) =>
    run((tx) => openLivenessAttempt(tx, RECOVERY_TOOLS, { ...subject, jkt }));
  const attempt = async (attemptId: string) => {
    const [row] = await run(
      (tx) =>
        tx`select status, verdict, liveness_confidence from step_attempt where attempt_id = ${attemptId}`,
    );
    return row;
  };

  it('is asked about the reference of the person, bound to case and key, and followed once', async () => {
    const subject = await atIdentity();
    const store = createRecoveryStore(database, RECOVERY_TOOLS);
    const { attemptId } = await begin(subject);
    expect(await store.read(subject)).toMatchObject({ livenessAttemptId: attemptId });
    expect(await store.livenessQuestion({ ...subject, attemptId })).toEqual({
      caseId: subject.recoveryId,
      newJkt: customer.newJkt,
      referenceImageId: customer.personEvidence,
      vendorSession: null,
      expiresAtMs: null,
    });
    const session = {
      ...subject,
      attemptId,
      vendorSession: 'v1',
      expiresAtMs: 4_000_000_000_000,
      clientParameters: { sessionId: 'v1' },
    };
    await store.recordLivenessSession(session);
    await store.recordLivenessSession({ ...session, vendorSession: 'v2' });
    expect(await store.livenessQuestion({ ...subject, attemptId })).toMatchObject({
      vendorSession: 'v1',
      expiresAtMs: 4_000_000_000_000,
    });
  });

  it('supersedes the one before it, whose verdict is written and moves nothing', async () => {
    const subject = await atIdentity();
    const { attemptId } = await begin(subject);
    await run((tx) =>
      recordLivenessSession(tx, RECOVERY_TOOLS, {
        ...subject,
        attemptId,
        vendorSession: 'old',
        expiresAtMs: 4e12,
        clientParameters: {},
      }),
    );
    await begin(subject);
    expect(await run((tx) => livenessQuestion(tx, { ...subject, attemptId }))).toBeUndefined();
    const verdict = {
      tenantId,
      attemptId,
      vendorSession: 'old',
      caseId: subject.recoveryId,
      newJkt: customer.newJkt,
      outcome: 'passed',
      livenessConfidence: 99,
      matchConfidence: 99,
      evidenceId: 'evidence',
      vendorId: 'vendor',
    } as const;
    expect(await run((tx) => recordLivenessVerdict(tx, RECOVERY_TOOLS, verdict))).toEqual({
      result: 'late',
    });
    expect(await attempt(attemptId)).toMatchObject({ status: 'superseded', verdict: 'passed' });
    expect(await follow(run, subject)).toMatchObject({ state: 'identity' });
  });

  it('is judged by the case’s own figures, at the figure and just below it', async () => {
    const { minLivenessConfidence, minMatchConfidence } = DEFAULT_POLICY.recovery;
    const subject = await atIdentity();
    for (const below of [
      { livenessConfidence: minLivenessConfidence - 0.001 },
      { matchConfidence: minMatchConfidence - 0.001 },
      { matchConfidence: null },
    ]) {
      const { verdict, recorded } = await checked(run, customer, subject, below);
      expect(recorded).toEqual({ result: 'recorded', isPassed: false });
      expect(await attempt(verdict.attemptId)).toMatchObject({
        status: 'failed',
        verdict: 'low_confidence',
      });
    }
    const exactly = {
      livenessConfidence: minLivenessConfidence,
      matchConfidence: minMatchConfidence,
    };
    expect((await checked(run, customer, subject, exactly)).recorded).toEqual({
      result: 'recorded',
      isPassed: true,
    });
    expect(await follow(run, subject)).toMatchObject({ state: 'review' });
  });

  it.each(['failed', 'low_confidence', 'injection_suspected', 'timed_out'] as const)(
    'that %s proves nothing, and the next may begin',
    async (outcome) => {
      const subject = await atIdentity();
      expect((await checked(run, customer, subject, { outcome })).recorded).toMatchObject({
        isPassed: false,
      });
      expect(await follow(run, subject)).toMatchObject({ state: 'identity' });
      expect(await run((tx) => latestLiveness(tx, RECOVERY_TOOLS, subject))).toMatchObject({
        verdict: outcome,
        attemptsLeft: DEFAULT_POLICY.recovery.maxLivenessAttempts - 1,
      });
    },
  );

  it('of another attempt, session, case or key is not found, and changes nothing', async () => {
    const subject = await atIdentity();
    const stranger = await run((tx) => insertRecoverable(tx, tenantId));
    const others = await opened(run, stranger);
    for (const changes of [
      { attemptId: newId('attempt') },
      { vendorSession: 'another' },
      { caseId: others.recoveryId },
      { caseId: newId('ceremony') },
      { newJkt: newKey() },
    ])
      expect((await checked(run, customer, subject, changes)).recorded).toBeUndefined();
    expect(await follow(run, subject)).toMatchObject({ state: 'identity', missing: ['identity'] });
    expect((await run((tx) => read(tx, others))).ledger).toHaveLength(1);
  });

  it('judged twice counts once', async () => {
    const subject = await atIdentity();
    const { verdict } = await checked(run, customer, subject);
    const again = { ...verdict, outcome: 'failed' } as const;
    expect(await run((tx) => recordLivenessVerdict(tx, RECOVERY_TOOLS, again))).toEqual({
      result: 'late',
    });
    expect(await follow(run, subject)).toMatchObject({ state: 'review' });
  });

  it('whose session is over is counted as one that ran out of time', async () => {
    const subject = await atIdentity();
    const { attemptId } = await begin(subject);
    expect(await run((tx) => closeLivenessAttempt(tx, { ...subject, attemptId }))).toBe(true);
    expect(await run((tx) => closeLivenessAttempt(tx, { ...subject, attemptId }))).toBe(false);
    expect(await attempt(attemptId)).toMatchObject({ status: 'failed', verdict: 'timed_out' });
  });

  it('is bounded: after the last one that fails the case ends, and no attempt is begun beyond', async () => {
    const subject = await atIdentity();
    for (let index = 0; index < DEFAULT_POLICY.recovery.maxLivenessAttempts; index += 1)
      await checked(run, customer, subject, { outcome: 'failed' });
    await expect(begin(subject)).rejects.toEqual(refused('attempts_exhausted'));
    expect(await follow(run, subject)).toMatchObject({
      outcome: 'denied',
      reason: 'identity_not_proved',
    });
  });

  it('is begun by the new phone alone, and only where it is due', async () => {
    const subject = await atIdentity();
    await expect(begin(subject, newKey())).rejects.toEqual(refused('recovery_not_found'));
    await checked(run, customer, subject);
    await follow(run, subject);
    await expect(begin(subject)).rejects.toEqual(refused('wrong_step'));
    await run(
      (tx) => tx`update ceremony set state = 'held' where ceremony_id = ${subject.recoveryId}`,
    );
    await expect(begin(subject)).rejects.toEqual(refused('recovery_held'));
    await run(
      (tx) =>
        tx`update ceremony set state = 'identity', step_deadline = latchkey_now() where ceremony_id = ${subject.recoveryId}`,
    );
    await expect(begin(subject)).rejects.toEqual(refused('ceremony_expired'));
  });
});
