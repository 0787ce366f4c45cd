import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { footprintOf, hasClosed } from '../setup/rows/enrollment-rows.ts';
import { randomPhone } from '../setup/somebody.ts';
import { EnrollmentStack } from '../setup/beds/enrollment-stack.ts';
import { createPhone } from '../setup/callers.ts';

let stack: EnrollmentStack;
beforeAll(async () => {
  stack = await EnrollmentStack.start();
});
afterAll(async () => {
  await stack?.close();
});

const newKey = () => randomBytes(8).toString('hex');

async function whileTemporalIsDown<T>(work: () => Promise<T>): Promise<T> {
  stack.temporal.isDown = true;
  try {
    return await work();
  } finally {
    stack.temporal.isDown = false;
  }
}

describe('while Temporal is down', () => {
  test('a start answers 503, loses nothing, and the same key completes it once', async () => {
    const phone = await createPhone(stack.api);
    const body = { clientId: 'demo-app', phone: randomPhone() };
    const idempotencyKey = newKey();
    const down = await whileTemporalIsDown(() =>
      phone.post('/auth/enrollments', body, { idempotencyKey }),
    );
    expect(down).toMatchObject({ status: 503, body: { code: 'temporal_unavailable' } });
    expect(Number(down.headers['retry-after'])).toBeGreaterThan(0);
    const rows = () =>
      stack.api.inTenant(
        async (tx) => await tx`select state from ceremony where jkt = ${phone.jkt}`,
      );
    expect(await rows()).toEqual([{ state: 'starting' }]);
    const up = await phone.post('/auth/enrollments', body, { idempotencyKey });
    expect(up).toMatchObject({ status: 202 });
    await stack.until(
      { phone, path: `/auth/enrollments/${String(up.body.enrollmentId)}` },
      'phone',
    );
    expect(await rows()).toHaveLength(1);
  });

  test('a step answers 503, grants nothing, and the same key takes it once', async () => {
    const enrollee = await stack.begin();
    const { phone, path, number } = enrollee;
    const code = await stack.codeTo(number);
    const idempotencyKey = newKey();
    const step = () => phone.post(`${path}/phone-code`, { code }, { idempotencyKey });
    const before = await footprintOf(stack.api, enrollee);
    const down = await whileTemporalIsDown(step);
    expect(down).toMatchObject({ status: 503, body: { code: 'temporal_unavailable' } });
    expect(Number(down.headers['retry-after'])).toBeGreaterThan(0);
    expect(await footprintOf(stack.api, enrollee)).toEqual(before);
    expect(await step()).toMatchObject({ status: 200, body: { state: 'identity' } });
    const after = await footprintOf(stack.api, enrollee);
    expect(await step()).toMatchObject({ status: 200, body: { state: 'identity' } });
    expect(await footprintOf(stack.api, enrollee)).toEqual(after);
  });

  test('a step that is repeated long after is taken all the same: its caller sent it again', async () => {
    const enrollee = await stack.begin();
    await stack.to(enrollee, 'email');
    const { phone, path } = enrollee;
    const idempotencyKey = newKey();
    const step = () =>
      phone.post(
        `${path}/email`,
        { email: `${enrollee.enrollmentId}@example.test` },
        { idempotencyKey },
      );
    expect(await whileTemporalIsDown(step)).toMatchObject({ status: 503 });
    stack.api.clock.advance(120_000);
    expect(await step()).toMatchObject({ status: 200, body: { state: 'email_code' } });
  });

  test('looking, and giving up, go on', async () => {
    const enrollee = await stack.begin();
    const { phone, path } = enrollee;
    const answers = await whileTemporalIsDown(async () => [
      await phone.get(path),
      await phone.post(`${path}/cancel`, {}),
    ]);
    expect(answers).toMatchObject([
      { status: 200, body: { state: 'phone' } },
      { status: 200, body: { outcome: 'cancelled' } },
    ]);
    // The doorbell waits in the outbox until Temporal is back.
    await expect.poll(() => hasClosed(stack.api, enrollee), { timeout: 30_000 }).toBe(true);
  });
});

describe('while no worker runs', () => {
  test('a step is pending; the worker comes back, and the same key hears the outcome', async () => {
    const enrollee = await stack.begin();
    const { phone, path, number } = enrollee;
    const code = await stack.codeTo(number);
    await stack.stopWorkers();
    const idempotencyKey = newKey();
    const step = () => phone.post(`${path}/phone-code`, { code }, { idempotencyKey });
    const pending = await step();
    expect(pending).toMatchObject({ status: 503, body: { code: 'outcome_pending' } });
    expect(Number(pending.headers['retry-after'])).toBeGreaterThan(0);
    expect(await phone.get(path)).toMatchObject({ body: { state: 'phone' } });
    await stack.startWorkers();
    await expect.poll(async () => (await step()).body.state, { timeout: 30_000 }).toBe('identity');
    const audit = await stack.api.inTenant(
      async (tx) =>
        await tx`
        select action from audit where ceremony_id = ${enrollee.enrollmentId} order by position`,
    );
    expect(audit.map(({ action }) => String(action))).toEqual([
      'enrollment.started',
      'enrollment.opened',
      'enrollment.step_done',
    ]);
  });
});
