import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endRevokedRows } from '../../db/revocation.ts';
import { judgeGuess, latestAttempt } from '../../db/step-attempts.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import { cutOffCustomer } from '../setup/customer.ts';
import { StepUpBed } from '../setup/beds/step-up-bed.ts';
import type { Asked } from '../setup/beds/step-up-bed.ts';

const MAX_UPDATES = 6;
const HIGH = '40000.00';

let bed: StepUpBed;
beforeAll(async () => {
  bed = await StepUpBed.create({
    ...DEFAULT_POLICY,
    stepUp: { ...DEFAULT_POLICY.stepUp, maxUpdates: MAX_UPDATES },
  });
});
afterAll(async () => {
  await bed?.close();
});

const refusedAs = (code: string) => expect.objectContaining({ code });

/** As fraud does: the cut-off, the rows' end and the doorbell. */
async function cutOff(one: Asked): Promise<void> {
  const { tenantId } = bed;
  const { customerId } = one.customer;
  const cut = await bed.inTenant((tx) => cutOffCustomer(tx, { tenantId, customerId }));
  const revocationId = cut?.revocationId ?? '';
  await bed.inTenant((tx) => endRevokedRows(tx, { tenantId, revocationId }));
  await bed.signal(one, 'revoke');
}

describe('ends from outside', () => {
  test.each([
    ['open', async () => undefined],
    ['approved', (one: Asked) => bed.approve(one)],
  ])('A fraud signal ends it while it is %s.', async (state, bring) => {
    const one = await bed.start();
    await bring(one);
    expect((await bed.row(one)).state).toBe(state);
    await cutOff(one);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'revoked', reason: 'cut_off' });
  });

  test('Signatures handed in before a cut-off approve nothing after it.', async () => {
    const one = await bed.start();
    const { tenantId } = bed;
    const { customerId } = one.customer;
    const handle = await bed.sign(one);
    await bed.inTenant((tx) => cutOffCustomer(tx, { tenantId, customerId }));
    await expect(bed.ring(one, 'step_up_approval', handle)).rejects.toThrow(refusedAs('revoked'));
    expect((await bed.row(one)).state).toBe('open');
  });

  test.each(['cancelled', 'denied'] as const)('It closes when it was %s.', async (event) => {
    const one = await bed.start();
    await bed.end(one, event);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: event });
    expect(await bed.receiptsAsked(one)).toBe(0);
  });

  test('An approval that the requester took back keeps its receipt.', async () => {
    const one = await bed.start();
    await bed.approve(one);
    await bed.end(one, 'cancelled');
    await bed.closes(one);
    expect(await bed.receiptsAsked(one)).toBe(1);
  });
});

describe('Temporal carries no authority', () => {
  test.each(['cancel', 'revoke', 'watch', 'answered'])(
    'A %s that nobody wrote down changes nothing.',
    async (signal) => {
      const one = await bed.start();
      const before = await bed.row(one);
      await bed.signal(one, signal);
      await bed.approve(one);
      expect((await bed.row(one)).seq).toBe(before.seq + 1);
    },
  );

  test('A submission of another step-up approves nothing here.', async () => {
    const [mine, other] = [await bed.start(), await bed.start()];
    const handle = await bed.submission(other, 'step_up_approval', {});
    await expect(bed.ring(mine, 'step_up_approval', handle)).rejects.toThrow(
      refusedAs('ceremony_not_found'),
    );
    expect((await bed.row(mine)).state).toBe('open');
  });
});

describe('limits', () => {
  test('A stranger cannot grow its history, and it still ends by itself.', async () => {
    const one = await bed.start();
    for (let count = 0; count < MAX_UPDATES; count += 1)
      await expect(bed.guess(one, '000000')).rejects.toThrow(refusedAs('wrong_step'));
    await expect(bed.guess(one, '000000')).rejects.toThrow(refusedAs('too_many_updates'));
    await bed.advanceTo((await bed.row(one)).approveByMs + 1000);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'expired' });
  });
});

// The time-skipping server skips no more time after these: they come last.
describe('a workflow that is begun anew', () => {
  test('goes on from open as its row stands', async () => {
    const one = await bed.start();
    await bed.lose(one);
    await bed.startWorkflow(one, 1);
    await bed.approve(one, 1);
    expect((await bed.row(one)).state).toBe('approved');
  });

  test('goes on from the second factor, and asks for nothing twice', async () => {
    const one = await bed.start(HIGH);
    await bed.approve(one);
    const code = await bed.codeOf(one);
    await bed.lose(one);
    await bed.startWorkflow(one, 1);
    await bed.guess(one, code, 1);
    expect((await bed.row(one)).state).toBe('approved');
  });

  test('asks for no second receipt of what was approved just before the one before it was lost', async () => {
    const one = await bed.start();
    await bed.approve(one);
    await bed.lose(one);
    await bed.startWorkflow(one, 1);
    await bed.endRow(one, 'cancelled');
    await bed.signal(one, 'cancel', 1);
    await bed.closes(one, 1);
    expect(await bed.receiptsAsked(one)).toBe(1);
  });

  test('follows a code that was right just before the one before it was lost', async () => {
    const one = await bed.start(HIGH);
    await bed.approve(one);
    await bed.lose(one);
    const { tenantId } = bed;
    await bed.inTenant(async (tx) => {
      const key = { tenantId, ceremonyId: one.stepUpId, step: 'step_up' } as const;
      const { attempt } = await latestAttempt(tx, key);
      const attemptId = attempt?.attemptId ?? '';
      await judgeGuess(tx, { tenantId, attemptId, isRight: true, maxWrong: 5 });
    });
    await bed.startWorkflow(one, 1);
    await expect.poll(async () => (await bed.row(one)).state).toBe('approved');
  });

  test('of a row that has ended closes at once and changes nothing', async () => {
    const one = await bed.insert();
    await bed.endRow(one, 'cancelled');
    const { seq } = await bed.row(one);
    await bed.startWorkflow(one);
    await bed.closes(one);
    expect((await bed.row(one)).seq).toBe(seq);
  });
});
