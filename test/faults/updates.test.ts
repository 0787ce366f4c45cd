/** Steps whose answer got lost on Temporal's side: run late, too late, or never. A caller who repeats his key is told the truth in the end. */
import { describe, expect, test } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { armFault, restart } from '../setup/faults.ts';
import {
  beginEnrollment,
  codeSentTo,
  createSoftwarePhone,
  untilDecided,
  type SoftwarePhone,
} from '../setup/software-phone.ts';

const bed = prepareFaultBed({ hasOwnTemporal: true });

const PATIENCE = { timeout: 60_000 };
const PENDING = {
  status: 503,
  code: 'outcome_pending',
  retryAfter: expect.stringMatching(/^\d+$/),
};

interface Asked {
  readonly phone: SoftwarePhone;
  readonly enrollmentId: string;
  readonly workflow: string;
  /** Hands the code in, as often as it takes: `patience` times at once, then only after `askAgain`. */
  readonly submit: (patience: number) => Promise<unknown>;
  readonly askAgain: () => void;
  readonly calls: () => readonly unknown[];
  readonly ceremony: () => Promise<unknown>;
}

/** A phone whose code has come, and whose owner waits to be told before he tries again. */
async function askForCode(): Promise<Asked> {
  const { promise: mayAskAgain, resolve: askAgain } = Promise.withResolvers<void>();
  let patience = Infinity;
  const phone: SoftwarePhone = createSoftwarePhone(bed.stack, {
    pause: () => (phone.callsOf('/phone-code').length < patience ? Promise.resolve() : mayAskAgain),
  });
  const enrollmentId = await beginEnrollment(phone);
  const code = await codeSentTo(bed.stack, phone.number);
  const [{ tenantId } = { tenantId: '' }] = await bed.rows<{ tenantId: string }[]>`
    select tenant_id from ceremony where ceremony_id = ${enrollmentId}`;
  return {
    phone,
    enrollmentId,
    workflow: workflowId('enrollment', tenantId, enrollmentId),
    submit: (attempts) => {
      patience = attempts;
      return untilDecided(() => phone.latchkey.enrollment.submitPhoneCode(enrollmentId, code));
    },
    askAgain,
    calls: () => phone.callsOf('/phone-code'),
    ceremony: async () => {
      const [row] = await bed.rows`
        select state, (select array_agg(status || ' ' || wrong_count) from step_attempt a where a.ceremony_id = c.ceremony_id) as attempts,
          (select count(*)::int from audit a where a.ceremony_id = c.ceremony_id and action = 'enrollment.step_done') as steps
        from ceremony c where ceremony_id = ${enrollmentId}`;
      return row;
    },
  };
}

const TAKEN = { state: 'identity', attempts: ['matched 0'], steps: 1 };

async function expectTakenOnce({ phone, calls, ceremony }: Asked): Promise<void> {
  expect(await ceremony()).toEqual(TAKEN);
  expect(calls().at(-1)).toMatchObject({ status: 200 });
  const keys = new Set(phone.callsOf('/phone-code').map((call) => call.idempotencyKey));
  expect(keys.size).toBe(1);
}

describe('a step that no worker took in time', () => {
  test('is pending; it runs when the worker returns, once, and the same key hears it', async () => {
    const asked = await askForCode();
    await bed.stack.worker().kill();
    const step = asked.submit(2);
    await expect.poll(asked.calls, PATIENCE).toMatchObject([PENDING, PENDING]);
    await restart(bed.stack, 'worker');
    // Nobody has asked again.
    await expect.poll(asked.ceremony, PATIENCE).toEqual(TAKEN);
    await expect
      .poll(() => bed.temporal.updatesOf(asked.workflow), PATIENCE)
      .toEqual({ accepted: 1, answered: 1 });
    expect(asked.calls()).toHaveLength(2);
    asked.askAgain();
    expect(await step).toMatchObject({ state: 'identity' });
    await expectTakenOnce(asked);
  });

  test('is refused when it runs after its time; sent again it gets a new term and is taken', async () => {
    const asked = await askForCode();
    await bed.stack.worker().kill();
    const step = asked.submit(1);
    await expect.poll(asked.calls, PATIENCE).toMatchObject([PENDING]);
    await bed.rows`update step_submission set not_after = latchkey_now() where ceremony_id = ${asked.enrollmentId}`;
    await restart(bed.stack, 'worker');
    await expect
      .poll(() => bed.temporal.updatesOf(asked.workflow), PATIENCE)
      .toEqual({ accepted: 1, answered: 1 });
    expect(await asked.ceremony()).toEqual({ state: 'phone', attempts: ['open 0'], steps: 0 });
    asked.askAgain();
    expect(await step).toMatchObject({ state: 'identity' });
    await expectTakenOnce(asked);
  });
});

describe('a step that Temporal took and lost', () => {
  test('goes on from its row when its caller sends it again, and was judged once', async () => {
    const asked = await askForCode();
    const fault = await armFault(bed.stack, 'worker', 'activity.after.judgeEnrollmentCode');
    const step = asked.submit(1);
    await fault.reached();
    await expect.poll(asked.calls, PATIENCE).toMatchObject([PENDING]);
    await bed.stack.killTemporal();
    await bed.stack.startTemporal();
    await restart(bed.stack, 'worker');
    // The worker works for the new server: somebody else's enrollment begins.
    await beginEnrollment(createSoftwarePhone(bed.stack));
    expect(await bed.temporal.updatesOf(asked.workflow)).toEqual({ accepted: 0, answered: 0 });
    expect(await asked.ceremony()).toEqual({ state: 'phone', attempts: ['matched 0'], steps: 0 });
    asked.askAgain();
    expect(await step).toMatchObject({ state: 'identity' });
    await expectTakenOnce(asked);
  });
});
