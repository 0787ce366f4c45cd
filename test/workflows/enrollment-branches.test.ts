import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endRevokedRows } from '../../db/revocation.ts';
import { judgeGuess, latestAttempt } from '../../db/step-attempts.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import { cutOffCustomer } from '../setup/customer.ts';
import { EnrollmentBed } from '../setup/beds/enrollment-bed.ts';
import { ERASED, tracesOf } from '../setup/rows/enrollment-rows.ts';
import type { Enrollee } from '../setup/beds/enrollment-bed.ts';

const HOUR = 3_600_000;

let bed: EnrollmentBed;
beforeAll(async () => {
  bed = await EnrollmentBed.create({
    ...DEFAULT_POLICY,
    enrollment: { ...DEFAULT_POLICY.enrollment, maxUpdates: 10 },
  });
});
afterAll(async () => {
  await bed?.close();
});

const refusedAs = (code: string) => expect.objectContaining({ code });

/** As fraud does: the cut-off, the rows' end and the doorbell. */
async function cutOffOf({ customerId }: Enrollee): Promise<void> {
  const { tenantId } = bed;
  await bed.tick();
  const cut = await bed.database.tenant(tenantId, (tx) =>
    cutOffCustomer(tx, { tenantId, customerId }),
  );
  const revocationId = cut?.revocationId ?? '';
  await bed.database.tenant(tenantId, async (tx) => {
    await endRevokedRows(tx, { tenantId, revocationId });
  });
}

describe('ends from outside', () => {
  test('A cancelled enrollment is erased, and its workflow closes when it is rung.', async () => {
    const enrollee = await bed.start();
    await bed.to(enrollee, 'email');
    await bed.cancel(enrollee);
    await bed.signal(enrollee, 'cancel');
    await bed.closes(enrollee);
    expect(await bed.row(enrollee)).toMatchObject({ outcome: 'cancelled' });
    expect(await tracesOf(bed, enrollee)).toEqual(ERASED);
  });

  test('A cut-off ends it revoked; what it had handed in stays as evidence.', async () => {
    const enrollee = await bed.start();
    await bed.to(enrollee, 'passkey');
    await cutOffOf(enrollee);
    await bed.signal(enrollee, 'revoke');
    await bed.closes(enrollee);
    expect(await bed.row(enrollee)).toMatchObject({ outcome: 'revoked', reason: 'fraud' });
    expect(await tracesOf(bed, enrollee)).toMatchObject({ status: 'prospect', devices: 0 });
  });

  test('A passkey handed in before a cut-off is bound to nothing after it.', async () => {
    const enrollee = await bed.start();
    await bed.to(enrollee, 'passkey');
    const handle = await bed.submit(enrollee, 'passkey', bed.passkey());
    const { tenantId } = bed;
    await bed.database.tenant(tenantId, async (tx) => {
      await tx`update customer set security_epoch = security_epoch + 1 where customer_id = ${enrollee.customerId}`;
    });
    await expect(bed.ring(enrollee, 'passkey', handle)).rejects.toThrow(refusedAs('revoked'));
    expect(await bed.row(enrollee)).toMatchObject({ state: 'passkey', outcome: null });
    expect(await tracesOf(bed, enrollee)).toMatchObject({ status: 'prospect', devices: 0 });
  });
});

describe('Temporal carries no authority', () => {
  test.each(['identityResult', 'cancel', 'revoke'])(
    'A %s that nobody wrote down changes nothing.',
    async (signal) => {
      const enrollee = await bed.start();
      await bed.to(enrollee, 'identity_check');
      const before = await bed.row(enrollee);
      await bed.signal(enrollee, signal);
      await bed.signal(enrollee, signal);
      await bed.verdict(enrollee, 'verified');
      await bed.reaches(enrollee, 'email');
      // Only the verdict moved it.
      expect((await bed.row(enrollee)).seq).toBe(before.seq + 1);
    },
  );

  test('A submission of another enrollment is no submission here.', async () => {
    const [mine, other] = [await bed.start(), await bed.start()];
    const code = await bed.codeOf(mine, 'phone');
    const handle = await bed.submit(other, 'phone', { code });
    await expect(bed.ring(mine, 'phone', handle)).rejects.toThrow(refusedAs('ceremony_not_found'));
    expect((await bed.row(mine)).state).toBe('phone');
  });

  test('A submission for another step is none for this one.', async () => {
    const enrollee = await bed.start();
    const handle = await bed.submit(enrollee, 'email', { email: 'a@example.test' });
    await expect(bed.ring(enrollee, 'phone', handle)).rejects.toThrow(
      refusedAs('ceremony_not_found'),
    );
  });

  test('A submission that comes after its term is refused, and nothing is counted.', async () => {
    const enrollee = await bed.start();
    const handle = await bed.submit(enrollee, 'phone', { code: '000000' }, 30);
    await bed.advanceTo(handle.notAfterMs + 1);
    await expect(bed.ring(enrollee, 'phone', handle)).rejects.toThrow(
      refusedAs('submission_expired'),
    );
    const [row] = await bed.sql`
      select wrong_count from step_attempt where ceremony_id = ${enrollee.enrollmentId}`;
    expect(row).toEqual({ wrongCount: 0 });
  });
});

describe('limits', () => {
  test('A stranger cannot grow its history: after ten updates it takes no more, and still ends by itself.', async () => {
    const enrollee = await bed.start();
    const step = () => bed.step(enrollee, 'identity_check', { documentNumber: 'x' });
    for (let count = 0; count < 10; count += 1)
      await expect(step()).rejects.toThrow(refusedAs('wrong_step'));
    await expect(step()).rejects.toThrow(refusedAs('too_many_updates'));
    await bed.advanceTo((await bed.row(enrollee)).createdAtMs + HOUR);
    await bed.closes(enrollee);
    expect(await bed.row(enrollee)).toMatchObject({ reason: 'step_timeout' });
  });

  test('Guesses against one code are judged five times in all, however many come at once.', async () => {
    const enrollee = await bed.insert();
    await bed.startWorkflow(enrollee);
    await bed.reaches(enrollee, 'phone');
    const { tenantId } = bed;
    const { attempt } = await bed.database.tenant(tenantId, (tx) =>
      latestAttempt(tx, { tenantId, ceremonyId: enrollee.enrollmentId, step: 'phone' }),
    );
    const attemptId = attempt?.attemptId ?? '';
    const guess = (isRight: boolean) =>
      bed.database.tenant(tenantId, (tx) =>
        judgeGuess(tx, { tenantId, attemptId, isRight, maxWrong: 5 }),
      );
    const results = await Promise.all(Array.from({ length: 30 }, () => guess(false)));
    const count = (result: string) => results.filter((found) => found.result === result).length;
    expect({ wrong: count('wrong'), exhausted: count('exhausted') }).toEqual({
      wrong: 4,
      exhausted: 26,
    });
    expect(await guess(true)).toEqual({ result: 'exhausted' });
    const [row] = await bed.sql`
      select wrong_count, status from step_attempt where attempt_id = ${attemptId}`;
    expect(row).toEqual({ wrongCount: 5, status: 'exhausted' });
  });
});

describe('a vendor that is away', () => {
  test('is asked again for hours, and the customer goes on when it answers.', async () => {
    const enrollee = await bed.start();
    const vendor = bed.vendor;
    bed.vendor = () => Promise.reject(new LatchkeyError('vendor_unavailable'));
    await bed.to(enrollee, 'identity_check');
    const asked = bed.vendorCalls.length;
    await bed.advanceTo((await bed.row(enrollee)).createdAtMs + 5 * HOUR);
    await expect.poll(() => bed.vendorCalls.length).toBeGreaterThan(asked + 10);
    bed.vendor = vendor;
    await bed.advanceTo((await bed.row(enrollee)).createdAtMs + 6 * HOUR);
    await bed.verdict(enrollee, 'verified');
    await expect.poll(async () => (await bed.row(enrollee)).state).toBe('email');
  });
});

describe('a workflow that is begun anew', () => {
  test.each(['identity', 'identity_check', 'email', 'email_code', 'passkey'] as const)(
    'goes on from %s as its row stands',
    async (state) => {
      const enrollee = await bed.start();
      await bed.to(enrollee, state);
      await bed.lose(enrollee);
      await bed.startWorkflow(enrollee, 1);
      await bed.finish(enrollee, state, 1);
      await bed.closes(enrollee, 1);
      expect(await bed.row(enrollee)).toMatchObject({ outcome: 'completed' });
      expect(await tracesOf(bed, enrollee)).toMatchObject({ devices: 1, credentials: 1 });
    },
  );

  test('follows a code that was right just before the one before it was lost', async () => {
    const enrollee = await bed.start();
    await bed.lose(enrollee);
    const { tenantId } = bed;
    await bed.database.tenant(tenantId, async (tx) => {
      const key = { tenantId, ceremonyId: enrollee.enrollmentId, step: 'phone' } as const;
      const { attempt } = await latestAttempt(tx, key);
      const attemptId = attempt?.attemptId ?? '';
      await judgeGuess(tx, { tenantId, attemptId, isRight: true, maxWrong: 5 });
    });
    await bed.startWorkflow(enrollee, 1);
    await expect.poll(async () => (await bed.row(enrollee)).state).toBe('identity');
  });

  test('of a row that has ended closes at once and changes nothing', async () => {
    const enrollee = await bed.insert();
    await bed.cancel(enrollee);
    const before = await bed.row(enrollee);
    await bed.startWorkflow(enrollee);
    await bed.closes(enrollee);
    expect({ ...(await bed.row(enrollee)), nowMs: 0 }).toEqual({ ...before, nowMs: 0 });
    expect(await bed.messages(enrollee)).toEqual([]);
  });
});
