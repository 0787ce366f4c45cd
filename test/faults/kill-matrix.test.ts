/**
 * kill -9 of each part at each of the three moments that hurt most: four times three. Nothing acknowledged is lost, nothing happens twice,
 * and everything goes on by itself when the part is back.
 */
import { describe, expect, test } from 'vitest';
import type { FailPointName } from '../../domain/fail-point.ts';
import { workflowId } from '../../domain/ids.ts';
import { customerWithEverythingOpen, cutOff, expectAllClosed, STOPPED } from '../setup/cut-off.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { fraudEngine, watchRevocation } from '../setup/faults.ts';
import { armKill, type Kill, type Part } from '../setup/kill.ts';
import {
  beginEnrollment,
  codeSentTo,
  createSoftwarePhone,
  enrollPhone,
  finishEnrollment,
  messagesTo,
  untilDecided,
} from '../setup/software-phone.ts';

const bed = prepareFaultBed({
  hasOwnTemporal: true,
  hasOwnPostgres: true,
  hasShortSecondListing: true,
});

const PATIENCE = { timeout: 60_000 };
const A_STRING = expect.any(String);

const arm = (part: Part, place: FailPointName): Promise<Kill> =>
  armKill(bed.stack, bed.rows, { part, place });

/** The call's outcome once the killed part is back. */
const eventually = async <T>(call: () => Promise<T>): Promise<T> => {
  let outcome: T | undefined;
  await expect
    .poll(async () => {
      outcome = await call();
    }, PATIENCE)
    .toBeUndefined();
  // The poll ends when the call did not throw.
  return outcome as T;
};

describe('in mid-enrollment, while a code is judged', () => {
  test.each([
    ['the API, before it answers the step', 'api', 'api.before_answer.submitPhoneCode'],
    ['the worker, after the move is committed', 'worker', 'activity.after.advanceEnrollment'],
    ['Temporal, after the code is judged', 'temporal', 'activity.after.judgeEnrollmentCode'],
    ['PostgreSQL, before the move is made', 'postgres', 'activity.before.advanceEnrollment'],
  ] as const)('%s: the step is taken exactly once', async (_when, part, place) => {
    const phone = createSoftwarePhone(bed.stack);
    const enrollmentId = await beginEnrollment(phone);
    const code = await codeSentTo(bed.stack, phone.number);
    const kill = await arm(part, place);
    const step = untilDecided(() => phone.latchkey.enrollment.submitPhoneCode(enrollmentId, code));
    await kill.happened();
    await kill.recover();

    expect(await step).toMatchObject({ enrollmentId, state: 'identity' });
    const calls = phone.callsOf('/phone-code');
    expect(new Set(calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    const [done] = await bed.rows`
      select (select count(*)::int from audit where ceremony_id = ${enrollmentId} and action = 'enrollment.step_done') as steps,
        (select array_agg(status || ' ' || wrong_count) from step_attempt where ceremony_id = ${enrollmentId}) as attempts`;
    expect(done).toEqual({ steps: 1, attempts: ['matched 0'] });
    expect(messagesTo(bed.stack, phone.number)).toHaveLength(1);
    const ended = { state: 'ended', outcome: 'completed' };
    expect(await finishEnrollment(bed.stack, phone, enrollmentId)).toMatchObject(ended);
    const [{ tenantId } = { tenantId: '' }] = await bed.rows<{ tenantId: string }[]>`
      select tenant_id from ceremony where ceremony_id = ${enrollmentId}`;
    const id = workflowId('enrollment', tenantId, enrollmentId);
    await expect
      .poll(() => bed.temporal.runsOf(id), PATIENCE)
      .toEqual([{ workflowId: id, status: 'COMPLETED' }]);
  });
});

describe('between a login and the start of its session', () => {
  test.each([
    ['the API, before it answers the login', 'api', 'api.before_answer.login'],
    ['the worker, before it calls Temporal', 'worker', 'relay.before_call.session.start'],
    ['Temporal, before it is called', 'temporal', 'relay.before_call.session.start'],
    ['PostgreSQL, after Temporal was called', 'postgres', 'relay.after_call.session.start'],
  ] as const)('%s: one login, one workflow', async (_when, part, place) => {
    const phone = await enrollPhone(bed.stack);
    const kill = await arm(part, place);
    const loggingIn = untilDecided(() => phone.latchkey.logIn());
    await kill.happened();
    await kill.recover();

    const { sessionId } = await loggingIn;
    const logins = phone.callsOf('/auth/login');
    expect(new Set(logins.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    const session = () => bed.rows<{ tenantId: string; healCount: number; startRow: string }[]>`
      select s.tenant_id, s.heal_count, o.status as start_row from session s
      join outbox o on o.topic = 'session.start' and o.payload ->> 'sessionId' = s.session_id
      where s.customer_id = ${phone.customerId} and s.status = 'live'`;
    await expect
      .poll(session, PATIENCE)
      .toEqual([{ tenantId: expect.any(String), healCount: 0, startRow: 'delivered' }]);
    const id = workflowId('session', (await session())[0]?.tenantId ?? '', sessionId);
    await expect
      .poll(() => bed.temporal.runsOf(id), PATIENCE)
      .toEqual([{ workflowId: id, status: 'RUNNING' }]);
    const audited = await bed.rows`
      select 1 from audit where customer_id = ${phone.customerId} and action = 'session.created'`;
    expect(audited).toHaveLength(1);
    expect((await eventually(() => phone.latchkey.session.refresh())).sessionId).toBe(sessionId);
    expect(await phone.latchkey.sessions()).toHaveLength(1);
  });
});

describe('in mid-revocation', () => {
  test.each([
    ['the API, before it answers the signal', 'api', 'api.before_answer.fraudSignal', undefined],
    ['the worker, after it ended the rows', 'worker', 'activity.after.endRows', A_STRING],
    ['Temporal, after the rows were ended', 'temporal', 'activity.after.endRows', A_STRING],
    ['PostgreSQL, before the rows are ended', 'postgres', 'activity.before.endRows', A_STRING],
  ] as const)('%s: cut off once, counted once, sealed', async (_when, part, place, heard) => {
    const { phone, workflows } = await customerWithEverythingOpen(
      bed.stack,
      bed.rows,
      bed.temporal,
    );
    const kill = await arm(part, place);
    const key = `kill-${part}`;
    const first = cutOff(bed.stack, phone.customerId, key).catch(() => undefined);
    await kill.happened();
    await kill.recover();

    expect(await first).toEqual(heard);
    const revocationId = await eventually(() => cutOff(bed.stack, phone.customerId, key));
    const { receipt } = await watchRevocation(fraudEngine(bed.stack), revocationId);
    expect(receipt.stopped).toEqual(STOPPED);
    await expectAllClosed(bed.rows, bed.temporal, phone.customerId, workflows);
    const [raised] = await bed.rows`
      select security_epoch, (select count(*)::int from revocation r where r.customer_id = c.customer_id) as revocations
      from customer c where customer_id = ${phone.customerId}`;
    expect(raised).toEqual({ securityEpoch: 2, revocations: 1 });
    await expect(phone.latchkey.logIn()).rejects.toMatchObject({ code: 'customer_on_hold' });
    const told = () =>
      messagesTo(bed.stack, phone.number).filter((text) => text.includes('on hold'));
    await expect.poll(told, PATIENCE).toHaveLength(1);
  });
});
