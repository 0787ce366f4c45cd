/** The liveness vendor and a case: whose verdict counts, how often, and of which check. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { createRecoveryStore } from '../../../db/recovery-store.ts';
import {
  closeLivenessAttempt,
  latestLiveness,
  livenessQuestion,
  openLivenessAttempt,
  recordLivenessSession,
  recordLivenessVerdict,
} from '../../../db/recovery-liveness.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import {
  checked,
  follow,
  insertRecoverable,
  newKey,
  opened,
  read,
  RECOVERY_TOOLS,
} from '../../setup/recoveries.ts';
import type { RecoverableCustomer, Run } from '../../setup/recoveries.ts';

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
const atIdentity = () => rows.atIdentity(customer);

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
    const store = createRecoveryStore(rows.database, RECOVERY_TOOLS);
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
