import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import { EnrollmentBed } from '../setup/beds/enrollment-bed.ts';
import { ERASED, tracesOf } from '../setup/rows/enrollment-rows.ts';

const SECOND = 1000;
const HOUR = 3_600_000;

let bed: EnrollmentBed;
beforeAll(async () => {
  bed = await EnrollmentBed.create();
});
afterAll(async () => {
  await bed?.close();
});

const refusedAs = (code: string) => expect.objectContaining({ code });

describe('the whole way', () => {
  test('A customer who proves phone, identity, e-mail and passkey is active on a trusted device.', async () => {
    const enrollee = await bed.start();
    await bed.to(enrollee, 'ended');
    await bed.closes(enrollee);
    expect(await bed.row(enrollee)).toMatchObject({ state: 'ended', outcome: 'completed' });
    expect(await tracesOf(bed, enrollee)).toMatchObject({
      status: 'active',
      hasKey: true,
      contacts: 2,
      devices: 1,
      credentials: 1,
      submissions: 0,
    });
    expect(await bed.messages(enrollee)).toEqual([
      'message.sms:enrollment_code',
      'message.email:email_code',
      'message.sms:enrollment_completed',
      'message.email:enrollment_completed',
    ]);
    expect(await bed.events(enrollee)).toEqual(['bank.app.customer_enrolled']);
    const audit = await bed.sql`
      select action from audit where ceremony_id = ${enrollee.enrollmentId} order by position`;
    expect(audit.map((row) => String(row['action']))).toEqual([
      'enrollment.started',
      'enrollment.opened',
      ...Array.from({ length: 5 }, () => 'enrollment.step_done'),
      'enrollment.completed',
      'device.trusted',
    ]);
  });
});

describe('timers, just before and just after', () => {
  test('A code is right until its five minutes are over, and a new one goes on from there.', async () => {
    const enrollee = await bed.start();
    const sentAtMs = (await bed.row(enrollee)).createdAtMs;
    const code = await bed.codeOf(enrollee, 'phone');
    await bed.advanceTo(sentAtMs + DEFAULT_POLICY.otp.ttlSeconds * SECOND + SECOND);
    await expect(bed.step(enrollee, 'phone', { code })).rejects.toThrow(refusedAs('code_expired'));
    expect((await bed.row(enrollee)).state).toBe('phone');
    await bed.step(enrollee, 'phone_resend');
    await bed.proveCode(enrollee, 'phone');
    expect((await bed.row(enrollee)).state).toBe('identity');
  });

  test('A code is accepted one second before it expires.', async () => {
    const enrollee = await bed.start();
    const sentAtMs = (await bed.row(enrollee)).createdAtMs;
    await bed.advanceTo(sentAtMs + DEFAULT_POLICY.otp.ttlSeconds * SECOND - SECOND);
    await bed.proveCode(enrollee, 'phone');
    expect((await bed.row(enrollee)).state).toBe('identity');
  });

  test('An unproved number is open until its 30 minutes are over, then forgotten.', async () => {
    const enrollee = await bed.start();
    const { stepDeadlineMs } = await bed.row(enrollee);
    await bed.advanceTo((stepDeadlineMs ?? 0) - 2 * SECOND);
    expect((await bed.row(enrollee)).outcome).toBeNull();
    await bed.advanceTo((stepDeadlineMs ?? 0) + 2 * SECOND);
    await bed.closes(enrollee);
    expect(await bed.row(enrollee)).toMatchObject({ outcome: 'expired', reason: 'step_timeout' });
    expect(await tracesOf(bed, enrollee)).toEqual(ERASED);
    expect(await bed.events(enrollee)).toEqual(['bank.app.enrollment_ended']);
  });

  test('Nothing reminds before 24 hours, one message does then, and 72 hours end it.', async () => {
    const enrollee = await bed.start();
    await bed.to(enrollee, 'identity');
    const { createdAtMs, deadlineMs } = await bed.row(enrollee);
    expect(deadlineMs).toBe(createdAtMs + 72 * HOUR);
    await bed.advanceTo(createdAtMs + 24 * HOUR - 2 * SECOND);
    expect(await bed.messages(enrollee)).toEqual(['message.sms:enrollment_code']);
    await bed.advanceTo(createdAtMs + 24 * HOUR + 2 * SECOND);
    await expect
      .poll(() => bed.messages(enrollee))
      .toEqual(['message.sms:enrollment_code', 'message.sms:enrollment_reminder']);
    await bed.advanceTo(deadlineMs - 2 * SECOND);
    expect((await bed.row(enrollee)).outcome).toBeNull();
    await bed.advanceTo(deadlineMs + 2 * SECOND);
    await bed.closes(enrollee);
    expect(await bed.row(enrollee)).toMatchObject({ outcome: 'expired', reason: 'abandoned' });
    expect(await bed.messages(enrollee)).toHaveLength(2);
    expect(await tracesOf(bed, enrollee)).toEqual(ERASED);
  });

  test('A vendor who stays silent ends it after 24 hours, not before.', async () => {
    const enrollee = await bed.start();
    await bed.to(enrollee, 'identity_check');
    const { stepDeadlineMs } = await bed.row(enrollee);
    await bed.advanceTo((stepDeadlineMs ?? 0) - 2 * SECOND);
    expect((await bed.row(enrollee)).outcome).toBeNull();
    await bed.advanceTo((stepDeadlineMs ?? 0) + 2 * SECOND);
    await bed.closes(enrollee);
    expect(await bed.row(enrollee)).toMatchObject({
      outcome: 'expired',
      reason: 'identity_timeout',
    });
    expect(await tracesOf(bed, enrollee)).toEqual(ERASED);
  });

  test('A verdict of the last second still counts.', async () => {
    const enrollee = await bed.start();
    await bed.to(enrollee, 'identity_check');
    const { stepDeadlineMs } = await bed.row(enrollee);
    await bed.advanceTo((stepDeadlineMs ?? 0) - SECOND);
    await bed.verdict(enrollee, 'verified');
    await expect.poll(async () => (await bed.row(enrollee)).state).toBe('email');
  });
});
