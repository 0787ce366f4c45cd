import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stepUpAnswerId, workflowId } from '../../domain/ids.ts';
import { historyText } from '../setup/temporal/history-text.ts';
import { recordHistory } from '../setup/temporal/recorded-history.ts';
import { StepUpBed } from '../setup/beds/step-up-bed.ts';
import type { Asked } from '../setup/beds/step-up-bed.ts';
import { TIME_SKIPPING_NAMESPACE } from '../setup/temporal/time-skipping.ts';

const HIGH = '40000.00';

let bed: StepUpBed;
beforeAll(async () => {
  bed = await StepUpBed.create();
});
afterAll(async () => {
  await bed?.close();
});

async function keep(id: string, name: string): Promise<string> {
  const execution = { namespace: TIME_SKIPPING_NAMESPACE, workflowId: id };
  await recordHistory(bed.env.connection, { name, ...execution });
  return await historyText(bed.env.connection, execution);
}

const idOf = ({ stepUpId }: Asked): string => workflowId('step_up', bed.tenantId, stepUpId);
const answerOf = ({ stepUpId }: Asked): string => stepUpAnswerId(bed.tenantId, stepUpId);

describe('the history of a step-up', () => {
  test('that was approved by passkey, key and code, and used, holds ids and nothing of the payment', async () => {
    const one = await bed.start(HIGH);
    await bed.approve(one);
    const code = await bed.codeOf(one);
    await bed.guess(one, code);
    await bed.consume(one);
    await bed.closes(one);
    const text = await keep(idOf(one), 'stepUp.lean-consumed');
    expect(text).toContain('binary/encrypted');
    expect(text).toContain(one.stepUpId);
    for (const secret of [code, HIGH, 'Mere Kahu', 'Invoice 7', one.customer.customerId])
      expect(text).not.toContain(secret);
  });

  test('that nobody answered ends by its timer', async () => {
    const one = await bed.start();
    await bed.advanceTo((await bed.row(one)).approveByMs + 1_000);
    await bed.closes(one);
    expect(await keep(idOf(one), 'stepUp.lean-expired')).toContain(one.stepUpId);
  });

  test('that was approved and never used ends by its time, which the timer of the approval rings before', async () => {
    const one = await bed.start();
    await bed.approve(one);
    const { approveByMs, consumeByMs } = await bed.row(one);
    await bed.advanceTo(approveByMs + 1_000);
    expect(await bed.row(one)).toMatchObject({ state: 'approved' });
    await bed.advanceTo((consumeByMs ?? 0) + 1_000);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'expired', reason: 'not_consumed' });
    expect(await keep(idOf(one), 'stepUp.lean-unused')).toContain(one.stepUpId);
  });

  test('with a wrong code, an engine that was away and another code shows refusals by their codes', async () => {
    const one = await bed.start(HIGH);
    bed.risk = () => Promise.reject(new Error('away'));
    await expect(bed.approve(one)).rejects.toMatchObject({ code: 'vendor_unavailable' });
    bed.risk = () => Promise.resolve('low');
    await bed.approve(one);
    await expect(bed.guess(one, '00000x')).rejects.toMatchObject({ code: 'wrong_code' });
    await expect(bed.resend(one)).rejects.toMatchObject({ code: 'resend_too_soon' });
    await bed.end(one, 'denied');
    await bed.closes(one);
    expect(await keep(idOf(one), 'stepUp.lean-denied')).toContain('wrong_code');
  });

  test('that risk refused ends denied', async () => {
    bed.risk = () => Promise.resolve('high');
    const one = await bed.start();
    await bed.approve(one);
    bed.risk = () => Promise.resolve('low');
    await bed.closes(one);
    expect(await keep(idOf(one), 'stepUp.lean-risk-refused')).toContain(one.stepUpId);
  });
});

describe('the history of an answer', () => {
  test('that was awaited holds ids and a status, in clear', async () => {
    const one = await bed.start();
    const handle = await bed.await(one);
    await bed.approve(one);
    expect(await handle.result()).toEqual({
      status: 'approved',
      stepUpId: one.stepUpId,
      acr: 'latchkey:3',
      receiptId: null,
    });
    const text = await keep(answerOf(one), 'stepUpAnswer.approved');
    for (const secret of ['400.00', 'Mere Kahu', one.customer.customerId])
      expect(text).not.toContain(secret);
    await bed.consume(one);
    await bed.closes(one);
    expect(await keep(idOf(one), 'stepUp.lean-awaited')).toContain(one.stepUpId);
  });

  test('that was called off takes the step-up back', async () => {
    const one = await bed.start();
    const handle = await bed.await(one);
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(await bed.row(one)).toMatchObject({ outcome: 'cancelled', reason: 'by_requester' });
    expect(await keep(answerOf(one), 'stepUpAnswer.withdrawn')).toContain(one.stepUpId);
  });

  test('of a step-up that was over before says how it ended, at once', async () => {
    const one = await bed.start();
    await bed.end(one, 'denied');
    const handle = await bed.await(one);
    expect(await handle.result()).toMatchObject({ status: 'denied', acr: null });
    expect(await keep(answerOf(one), 'stepUpAnswer.over')).toContain(one.stepUpId);
  });

  test('that no bell rings comes by its own timer, a second after the time to approve', async () => {
    const one = await bed.insert();
    const handle = await bed.await(one);
    const { approveByMs } = await bed.row(one);
    const isWaiting = async () =>
      (await handle.fetchHistory()).events?.some((event) => event.timerStartedEventAttributes);
    await expect.poll(isWaiting).toBe(true);
    await bed.endRow(one, 'denied');
    await bed.advanceTo(approveByMs - 1_000);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await bed.advanceTo(approveByMs + 2_000);
    expect(await handle.result()).toMatchObject({ status: 'denied' });
    expect(await keep(answerOf(one), 'stepUpAnswer.unrung')).toContain(one.stepUpId);
  });
});
