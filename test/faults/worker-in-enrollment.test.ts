/** kill -9 of the worker inside a step of an enrollment, at each place where something could get lost or happen twice. */
import { describe, expect, test } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { armFault, endLeases, restart } from '../setup/faults.ts';
import {
  beginEnrollment,
  codeSentTo,
  createSoftwarePhone,
  finishEnrollment,
  messagesTo,
  untilDecided,
  type PhoneCall,
} from '../setup/software-phone.ts';

const bed = prepareFaultBed();

/** One operation, sent more than once under one key, told "not known yet" and when to come back. */
function expectOneOperation(calls: readonly PhoneCall[]): void {
  expect(new Set(calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  const pending = calls.filter(({ code }) => code === 'outcome_pending');
  expect(pending.length).toBeGreaterThan(0);
  for (const { status, retryAfter } of pending)
    expect({ status, retryAfter }).toEqual({
      status: 503,
      retryAfter: expect.stringMatching(/^\d+$/),
    });
}

async function ceremony(enrollmentId: string) {
  const [row] = await bed.rows<
    { tenantId: string; state: string; seq: number; healCount: number }[]
  >`
    select tenant_id, state, seq, heal_count from ceremony where ceremony_id = ${enrollmentId}`;
  if (row === undefined) throw new Error('there is no such ceremony');
  return row;
}

async function audited(enrollmentId: string, action: string): Promise<number> {
  const found = await bed.rows`
    select 1 from audit where ceremony_id = ${enrollmentId} and action = ${action}`;
  return found.length;
}

function attempts(enrollmentId: string) {
  return bed.rows<{ status: string; wrongCount: number }[]>`
    select status, wrong_count from step_attempt where ceremony_id = ${enrollmentId} order by created_at`;
}

describe('the worker killed in mid-enrollment', () => {
  test('before the move is committed: the step is taken exactly once, under its first key', async () => {
    const phone = createSoftwarePhone(bed.stack);
    const enrollmentId = await beginEnrollment(phone);
    const code = await codeSentTo(bed.stack, phone.number);
    const { seq } = await ceremony(enrollmentId);
    const fault = await armFault(bed.stack, 'worker', 'activity.before.advanceEnrollment');

    const step = untilDecided(() => phone.latchkey.enrollment.submitPhoneCode(enrollmentId, code));
    await fault.reached();
    expect((await ceremony(enrollmentId)).seq).toBe(seq);
    await restart(bed.stack, 'worker');

    expect(await step).toMatchObject({ enrollmentId, state: 'identity' });
    expectOneOperation(phone.callsOf('/phone-code'));
    expect(await ceremony(enrollmentId)).toMatchObject({ state: 'identity', seq: seq + 1 });
    expect(await audited(enrollmentId, 'enrollment.step_done')).toBe(1);
    expect(await attempts(enrollmentId)).toEqual([{ status: 'matched', wrongCount: 0 }]);
    expect(messagesTo(bed.stack, phone.number)).toHaveLength(1);
    expect(await finishEnrollment(bed.stack, phone, enrollmentId)).toMatchObject({
      state: 'ended',
      outcome: 'completed',
    });
    const { tenantId } = await ceremony(enrollmentId);
    const runs = await bed.temporal.runsOf(workflowId('enrollment', tenantId, enrollmentId));
    expect(runs).toHaveLength(1);
  });

  test('after a wrong code was counted: it counts once, and the customer is told the same', async () => {
    const phone = createSoftwarePhone(bed.stack);
    const enrollmentId = await beginEnrollment(phone);
    const code = await codeSentTo(bed.stack, phone.number);
    const wrong = code === '000000' ? '000001' : '000000';
    const allowed = (await phone.latchkey.enrollment.view(enrollmentId)).code?.attemptsLeft ?? 0;
    const fault = await armFault(bed.stack, 'worker', 'activity.after.judgeEnrollmentCode');

    const step = untilDecided(() =>
      phone.latchkey.enrollment.submitPhoneCode(enrollmentId, wrong),
    ).catch((error: unknown) => error);
    await fault.reached();
    await restart(bed.stack, 'worker');

    expect(await step).toMatchObject({
      code: 'wrong_code',
      extra: { attemptsLeft: allowed - 1 },
    });
    expectOneOperation(phone.callsOf('/phone-code'));
    expect(await attempts(enrollmentId)).toEqual([{ status: 'open', wrongCount: 1 }]);
    expect(await audited(enrollmentId, 'enrollment.code_refused')).toBe(1);
    expect(await phone.latchkey.enrollment.submitPhoneCode(enrollmentId, code)).toMatchObject({
      state: 'identity',
    });
  });

  test('after another code was ordered: one more code exists, and one more message is sent', async () => {
    const phone = createSoftwarePhone(bed.stack);
    const enrollmentId = await beginEnrollment(phone);
    await codeSentTo(bed.stack, phone.number);
    await bed.rows`update step_attempt set resend_after = created_at where ceremony_id = ${enrollmentId}`;
    const fault = await armFault(bed.stack, 'worker', 'activity.after.resendEnrollmentCode');

    const step = untilDecided(() => phone.latchkey.enrollment.resendPhoneCode(enrollmentId));
    await fault.reached();
    await restart(bed.stack, 'worker');

    expect(await step).toMatchObject({ state: 'phone' });
    expectOneOperation(phone.callsOf('/phone-code/resend'));
    expect(await attempts(enrollmentId)).toEqual([
      { status: 'superseded', wrongCount: 0 },
      { status: 'open', wrongCount: 0 },
    ]);
    const code = await codeSentTo(bed.stack, phone.number, 2);
    await phone.latchkey.enrollment.submitPhoneCode(enrollmentId, code);
    expect(messagesTo(bed.stack, phone.number)).toHaveLength(2);
  });

  test('after the supplier took a code but before the outbox knew: the phone gets it once', async () => {
    const phone = createSoftwarePhone(bed.stack);
    const fault = await armFault(bed.stack, 'worker', 'relay.after_call.message.sms');
    const { enrollmentId } = await phone.latchkey.enrollment.start({
      phone: phone.number,
      locale: 'en',
    });
    await fault.reached();
    await endLeases(bed.rows);
    await restart(bed.stack, 'worker');

    const message = () => bed.rows<{ status: string; attempts: number }[]>`
      select o.status, o.attempts from outbox o join ceremony c on c.customer_id = o.payload ->> 'customerId'
      where c.ceremony_id = ${enrollmentId} and o.topic = 'message.sms'`;
    await expect.poll(message, { timeout: 30_000 }).toEqual([{ status: 'delivered', attempts: 2 }]);
    expect(messagesTo(bed.stack, phone.number)).toHaveLength(1);
  });
});
