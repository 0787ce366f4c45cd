/**
 * Every deadline of a recovery with real rows and skipped time: a second before it nothing has moved, at it the case does what policy says. What
 * runs out without a new phone leaves the account as it was.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queueOfRecoveries } from '../../db/recovery-queue.ts';
import type { RecoveryRecord } from '../../db/recovery.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import { RecoveryBed } from '../setup/beds/recovery-bed.ts';
import type { Lost } from '../setup/beds/recovery-bed.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
/** Timers fire on whole rows, a moment after their time. */
const MOMENT = 200;
const PATIENCE = { timeout: 20_000 };
/** So that a stolen phone waits the whole three days. */
const POLICY = {
  ...DEFAULT_POLICY,
  recovery: { ...DEFAULT_POLICY.recovery, coolingMediumSeconds: (3 * DAY) / SECOND },
};

let bed: RecoveryBed;
beforeAll(async () => {
  bed = await RecoveryBed.create(POLICY);
});
afterAll(async () => {
  await bed?.close();
});

/** What a case that gave nothing must leave alone. */
async function account({ customer: { customerId } }: Lost) {
  return await bed.inTenant(
    (tx) => tx`
      select security_epoch,
        (select array_agg(status) from device d where d.customer_id = c.customer_id) as devices,
        (select array_agg(status) from credential p where p.customer_id = c.customer_id) as credentials
      from customer c where customer_id = ${customerId}`,
  );
}

async function started(state: 'review' | 'rebind'): Promise<Lost> {
  const one = await bed.start();
  await bed.to(one, state);
  return one;
}

/** Overdue entries of the queue that are about this customer. */
async function overdue({ customer: { tenantId, customerId } }: Lost) {
  const query = { tenantId, customerId, onlyOverdue: true, limit: 10 };
  return await bed.inTenant((tx) => queueOfRecoveries(tx, query));
}

async function audited({ recoveryId }: Lost, action: string): Promise<number> {
  const found = await bed.inTenant(
    (tx) => tx`select 1 from audit where ceremony_id = ${recoveryId} and action = ${action}`,
  );
  return found.length;
}

const stepDeadline = ({ stepDeadlineMs }: RecoveryRecord): number => stepDeadlineMs ?? NaN;

interface Step {
  readonly what: string;
  readonly state: string;
  readonly reach: () => Promise<Lost>;
  readonly lastsMs: number;
}

const STEPS: readonly Step[] = [
  {
    what: 'the second contact of a customer with a young phone',
    state: 'contact',
    reach: () => bed.startWithYoungPhone(),
    lastsMs: DAY,
  },
  { what: 'the person', state: 'identity', reach: () => bed.start(), lastsMs: 3 * DAY },
  { what: 'people’s review', state: 'review', reach: () => started('review'), lastsMs: 7 * DAY },
  { what: 'the new passkey', state: 'rebind', reach: () => started('rebind'), lastsMs: 3 * DAY },
];

describe('the deadline of a step', () => {
  test.each(STEPS)(
    'for $what: it stands a second before, has ended after, and the account is as it was.',
    async ({ state, reach, lastsMs }) => {
      const one = await reach();
      const before = await account(one);
      const row = await bed.row(one);
      const dueMs = stepDeadline(row);
      expect(row.state).toBe(state);
      expect(dueMs - bed.nowAtTick()).toBeLessThanOrEqual(lastsMs);
      expect(dueMs - bed.nowAtTick()).toBeGreaterThan(lastsMs - HOUR);
      await bed.advanceTo(dueMs - SECOND);
      expect(await bed.row(one)).toMatchObject({ state, outcome: null });
      await bed.advanceTo(dueMs + MOMENT);
      await bed.closes(one);
      expect(await bed.row(one)).toMatchObject({ outcome: 'expired', reason: 'step_timeout' });
      expect(await account(one)).toEqual(before);
      expect(before).toEqual([{ securityEpoch: 1, devices: ['trusted'], credentials: ['active'] }]);
    },
  );
});

describe('the whole case', () => {
  test('sent back again and again ends after its 21 days, not a second before, and the account is as it was.', async () => {
    const one = await bed.start();
    const before = await account(one);
    const { deadlineMs } = await bed.row(one);
    expect(deadlineMs - bed.nowAtTick()).toBeGreaterThan(21 * DAY - HOUR);
    await bed.to(one, 'review');
    for (let returns = 1; returns <= 3; returns += 1) {
      await bed.advanceTo(bed.nowAtTick() + 6.9 * DAY);
      await bed.decide(one, 'send_back');
      await bed.reaches(one, 'identity');
      await bed.to(one, 'review');
    }
    expect(stepDeadline(await bed.row(one))).toBeGreaterThan(deadlineMs);
    await bed.advanceTo(deadlineMs - SECOND);
    expect(await bed.row(one)).toMatchObject({ state: 'review', outcome: null, deadlineMs });
    await bed.advanceTo(deadlineMs + MOMENT);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'expired', reason: 'abandoned' });
    expect(await account(one)).toEqual(before);
  });

  test('that is held stands still for a month, before a supervisor all the time, and has that much longer once released.', async () => {
    const one = await bed.start();
    await bed.to(one, 'cooling');
    const { deadlineMs } = await bed.row(one);
    await bed.object(one, 'mailbox');
    await bed.reaches(one, 'held');
    const { heldAtMs } = await bed.row(one);
    await bed.advanceTo(bed.nowAtTick() + 30 * DAY);
    expect(await bed.row(one)).toMatchObject({ state: 'held', outcome: null });
    expect(await overdue(one)).toMatchObject([{ recoveryId: one.recoveryId, isOverdue: true }]);
    await bed.decide(one, 'release');
    await bed.reaches(one, 'identity');
    const released = await bed.row(one);
    const stoodMs = released.deadlineMs - deadlineMs;
    expect(stoodMs).toBeGreaterThanOrEqual(30 * DAY);
    expect(stoodMs).toBeLessThanOrEqual(bed.nowAtTick() - (heldAtMs ?? 0));
    await bed.advanceTo(stepDeadline(released) - SECOND);
    expect(await bed.row(one)).toMatchObject({ state: 'identity', outcome: null });
    await bed.advanceTo(stepDeadline(released) + MOMENT);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'expired', reason: 'step_timeout' });
  });
});

describe('the clock of a review', () => {
  test('that no supervisor is there for: silent a second before its four hours, then first in the queue, said once, still open to approvals.', async () => {
    const one = await started('review');
    const { reviewDueMs } = await bed.row(one);
    const dueMs = reviewDueMs ?? NaN;
    expect(dueMs - bed.nowAtTick()).toBeGreaterThan(4 * HOUR - 60 * SECOND);
    await bed.advanceTo(dueMs - SECOND);
    expect(await overdue(one)).toEqual([]);
    expect(await audited(one, 'recovery.escalated')).toBe(0);
    await bed.advanceTo(dueMs + MOMENT);
    await expect.poll(() => audited(one, 'recovery.escalated'), PATIENCE).toBe(1);
    await bed.advanceTo(dueMs + 3 * DAY);
    expect(await audited(one, 'recovery.escalated')).toBe(1);
    expect(await audited(one, 'recovery.overdue')).toBe(1);
    const told = await bed.inTenant(
      (tx) => tx`
        select payload -> 'data' ->> 'because' as because from outbox
        where payload ->> 'type' = 'bank.app.recovery_escalated' and payload -> 'data' ->> 'recoveryId' = ${one.recoveryId}`,
    );
    expect(told).toMatchObject([{ because: 'overdue' }]);
    expect(await bed.row(one)).toMatchObject({ state: 'review', reviewDueMs: null });
    const query = { tenantId: bed.tenantId, limit: 1 };
    expect(await bed.inTenant((tx) => queueOfRecoveries(tx, query))).toMatchObject([
      { recoveryId: one.recoveryId, isOverdue: true, escalatedAtMs: expect.any(Number) },
    ]);
    await bed.approve(one);
    await bed.reaches(one, 'cooling');
  });
});

describe('the 72 hours to object', () => {
  test('of a stolen phone are waited to their end: nothing binds a second before, and the phone is bound after.', async () => {
    const one = await bed.start('stolen');
    await bed.to(one, 'cooling');
    const { coolingFromMs } = await bed.row(one);
    const overMs = await bed.coolingOverMs(one);
    expect(overMs - (coolingFromMs ?? 0)).toBe(72 * HOUR);
    await bed.advanceTo(overMs - SECOND);
    expect(await bed.row(one)).toMatchObject({ state: 'cooling' });
    await expect(bed.bind(one)).rejects.toThrow(expect.objectContaining({ code: 'wrong_step' }));
    await bed.advanceTo(overMs + MOMENT);
    await bed.reaches(one, 'rebind');
    await bed.bind(one);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'completed' });
    expect(await account(one)).toMatchObject([{ securityEpoch: 2 }]);
  });
});
