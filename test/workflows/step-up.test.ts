import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import { StepUpBed } from '../setup/beds/step-up-bed.ts';

const SECOND = 1000;
const APPROVE_MS = DEFAULT_POLICY.stepUp.approveSeconds * SECOND;
const CONSUME_MS = DEFAULT_POLICY.stepUp.consumeSeconds * SECOND;
const HIGH = '40000.00';

let bed: StepUpBed;
beforeAll(async () => {
  bed = await StepUpBed.create();
});
afterAll(async () => {
  await bed?.close();
});

const refusedAs = (code: string) => expect.objectContaining({ code });

describe('the whole way', () => {
  test('A payment that passkey and key approve is used once, and its receipt is asked for once.', async () => {
    const one = await bed.start();
    await bed.approve(one);
    expect(await bed.row(one)).toMatchObject({ state: 'approved', required: 'latchkey:3' });
    await bed.consume(one);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'completed', reason: 'consumed' });
    expect(await bed.receiptsAsked(one)).toBe(1);
  });

  test('A high value asks for the code too, and only then is it approved.', async () => {
    const one = await bed.start(HIGH);
    await bed.approve(one);
    expect((await bed.row(one)).state).toBe('second_factor');
    await bed.guess(one, await bed.codeOf(one));
    expect((await bed.row(one)).state).toBe('approved');
    await bed.consume(one);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'completed' });
  });
});

describe('deadlines, just before and just after', () => {
  test('It can be approved one second before its five minutes are over.', async () => {
    const one = await bed.start();
    const { approveByMs, createdAtMs } = await bed.row(one);
    expect(approveByMs).toBe(createdAtMs + APPROVE_MS);
    await bed.advanceTo(approveByMs - SECOND);
    expect((await bed.row(one)).state).toBe('open');
    await bed.approve(one);
    expect((await bed.row(one)).state).toBe('approved');
  });

  test('Unanswered it expires when they are, and its workflow closes.', async () => {
    const one = await bed.start();
    const { approveByMs } = await bed.row(one);
    await bed.advanceTo(approveByMs - SECOND);
    expect((await bed.row(one)).outcome).toBeNull();
    await bed.advanceTo(approveByMs + SECOND);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'expired', reason: 'not_approved' });
    expect(await bed.receiptsAsked(one)).toBe(0);
  });

  test('The time for the code ends with the time to approve: right one second before, expired one after.', async () => {
    const [early, late] = [await bed.start(HIGH), await bed.start(HIGH)];
    await bed.approve(early);
    await bed.approve(late);
    const { approveByMs } = await bed.row(early);
    await bed.advanceTo(approveByMs - SECOND);
    // The code itself lives no longer than the step-up, and here as long.
    await bed.guess(early, await bed.codeOf(early));
    expect((await bed.row(early)).state).toBe('approved');
    await bed.advanceTo((await bed.row(late)).approveByMs + SECOND);
    await bed.closes(late);
    expect(await bed.row(late)).toMatchObject({ outcome: 'expired', reason: 'not_approved' });
  });

  test('An approval is good until its ten minutes are over, and then for nothing.', async () => {
    const [used, unused] = [await bed.start(), await bed.start()];
    await bed.approve(used);
    await bed.approve(unused);
    const { consumeByMs, approvedAtMs } = await bed.row(used);
    expect(consumeByMs).toBe((approvedAtMs ?? 0) + CONSUME_MS);
    await bed.advanceTo((consumeByMs ?? 0) - SECOND);
    await bed.consume(used);
    await bed.closes(used);
    expect(await bed.row(used)).toMatchObject({ reason: 'consumed' });
    await bed.advanceTo(((await bed.row(unused)).consumeByMs ?? 0) + SECOND);
    await bed.closes(unused);
    expect(await bed.row(unused)).toMatchObject({ outcome: 'expired', reason: 'not_consumed' });
    // It was approved all the same.
    expect(await bed.receiptsAsked(unused)).toBe(1);
  });
});

describe('risk, asked again before an approval counts', () => {
  test('A high risk denies it, whatever was signed.', async () => {
    bed.risk = () => Promise.resolve('high');
    const one = await bed.start();
    await bed.approve(one);
    bed.risk = () => Promise.resolve('low');
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'denied', reason: 'risk' });
    expect(await bed.receiptsAsked(one)).toBe(0);
  });

  test.each(['low', 'medium', 'not_evaluated'] as const)(
    '%s lets it pass, and is kept.',
    async (risk) => {
      bed.risk = () => Promise.resolve(risk);
      const one = await bed.start();
      await bed.approve(one);
      bed.risk = () => Promise.resolve('low');
      expect(await bed.row(one)).toMatchObject({ state: 'approved', risk });
    },
  );

  test('No answer is no approval; the same signatures are good once it answers again.', async () => {
    const one = await bed.start();
    bed.risk = () => Promise.reject(new Error('away'));
    await expect(bed.approve(one)).rejects.toThrow(refusedAs('vendor_unavailable'));
    expect((await bed.row(one)).state).toBe('open');
    bed.risk = () => Promise.resolve('low');
    await bed.approve(one);
    expect((await bed.row(one)).state).toBe('approved');
  });

  test('An engine that hangs is given up within the time that a call has, and its late answer approves nothing.', async () => {
    const one = await bed.start();
    const { promise, resolve } = Promise.withResolvers<'low'>();
    bed.risk = () => promise;
    await expect(bed.approve(one)).rejects.toThrow(refusedAs('vendor_unavailable'));
    resolve('low');
    bed.risk = () => Promise.reject(new Error('away'));
    await expect(bed.approve(one)).rejects.toThrow(refusedAs('vendor_unavailable'));
    bed.risk = () => Promise.resolve('low');
    expect((await bed.row(one)).state).toBe('open');
  });

  test('Without its answer no guess is counted, and a high risk denies the code that was right.', async () => {
    const one = await bed.start(HIGH);
    await bed.approve(one);
    const code = await bed.codeOf(one);
    bed.risk = () => Promise.reject(new Error('away'));
    await expect(bed.guess(one, code)).rejects.toThrow(refusedAs('vendor_unavailable'));
    expect((await bed.row(one)).state).toBe('second_factor');
    bed.risk = () => Promise.resolve('high');
    await bed.guess(one, code);
    bed.risk = () => Promise.resolve('low');
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'denied', reason: 'risk' });
  });
});

describe('codes', () => {
  test('A wrong code is told with what is left, and the last one denies.', async () => {
    const one = await bed.start(HIGH);
    await bed.approve(one);
    const code = await bed.codeOf(one);
    const wrong = code === '000000' ? '000001' : '000000';
    const { maxWrong } = DEFAULT_POLICY.otp;
    for (let left = maxWrong - 1; left > 0; left -= 1)
      await expect(bed.guess(one, wrong)).rejects.toMatchObject({
        code: 'wrong_code',
        extra: { attemptsLeft: left },
      });
    await expect(bed.guess(one, wrong)).rejects.toThrow(refusedAs('attempts_exhausted'));
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'denied', reason: 'wrong_codes' });
  });

  test('Another code takes the place of the first, not too soon.', async () => {
    const one = await bed.start(HIGH);
    await bed.approve(one);
    const first = await bed.codeOf(one);
    await expect(bed.resend(one)).rejects.toThrow(refusedAs('resend_too_soon'));
    const { resendCoolDownSeconds } = DEFAULT_POLICY.otp;
    await bed.advanceTo(((await bed.row(one)).provedAtMs ?? 0) + resendCoolDownSeconds * SECOND);
    await bed.resend(one);
    const second = await bed.codeOf(one);
    expect(second).not.toBe(first);
    await bed.guess(one, second);
    expect((await bed.row(one)).state).toBe('approved');
  });
});
