/** What is shown of a case and to whom, and that the reconciler finds it whatever state it is in. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countHeal, listTracked, markWorkflowClosed } from '../../../db/reconciliation.ts';
import { claimRecovery } from '../../../db/recovery-claims.ts';
import {
  limitedUntilMs,
  recoveryForStaff,
  recoveryOfCustomer,
  recoveryOfPhone,
} from '../../../db/recovery-view.ts';
import { queueOfRecoveries } from '../../../db/recovery-queue.ts';
import { readTimeline } from '../../../db/timeline.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import {
  approved,
  colleague,
  drive,
  follow,
  insertRecoverable,
  newKey,
  opened,
  proved,
  readyToBind,
  said,
  submitPasskey,
} from '../../setup/recoveries.ts';
import type { RecoverableCustomer, Run } from '../../setup/recoveries.ts';

let rows: RecoveryRows;
let tenantId: string;
let customer: RecoverableCustomer;

beforeAll(async () => {
  rows = await RecoveryRows.open();
  ({ tenantId } = rows);
});
afterAll(async () => {
  await rows.close();
});
beforeEach(async () => {
  customer = await rows.customer();
});

const run: Run = (work) => rows.run(work);
const { recovery: policy } = DEFAULT_POLICY;

describe('the phone that a case is for', () => {
  it('is told where it stands and when the next step is due; another key is told nothing', async () => {
    const subject = await proved(run, customer);
    const jkt = customer.newJkt;
    expect(await run((tx) => recoveryOfPhone(tx, { ...subject, jkt }))).toMatchObject({
      state: 'review',
      dueAtMs: rows.nowMs + policy.reviewSlaSeconds * 1000,
      attemptsLeft: policy.maxLivenessAttempts - 1,
    });
    expect(await run((tx) => recoveryOfPhone(tx, { ...subject, jkt: newKey() }))).toBeUndefined();
    await approved(run, subject);
    const cooling = await run((tx) => recoveryOfPhone(tx, { ...subject, jkt }));
    expect(cooling).toMatchObject({
      state: 'cooling',
      coolingOverMs: rows.nowMs + policy.coolingLowSeconds * 1000,
    });
    expect(await run((tx) => recoveryOfCustomer(tx, customer))).toEqual(cooling);
  });

  it('of a case that is held has no time', async () => {
    const subject = await proved(run, customer);
    await run((tx) => cutOffCustomer(tx, customer));
    await follow(run, subject);
    expect(
      await run((tx) => recoveryOfPhone(tx, { ...subject, jkt: customer.newJkt })),
    ).toMatchObject({ state: 'held', dueAtMs: null });
  });
});

describe('staff', () => {
  it('see the ledger with what each entry is worth, who approved, and the timeline; no contact and no figure', async () => {
    const subject = await proved(run, customer);
    await said(run, subject, await colleague(run, tenantId), { kind: 'approve' });
    const view = await run((tx) => recoveryForStaff(tx, subject));
    expect(view).toMatchObject({
      approvers: 1,
      ledger: [
        { method: 'email_code', channel: 'email', strength: 1 },
        { method: 'liveness', channel: 'camera', strength: 3 },
      ],
    });
    expect(JSON.stringify(view)).not.toContain(customer.email);
    const timeline = await run((tx) =>
      readTimeline(tx, { tenantId, after: 0, limit: 100, ceremonyId: subject.recoveryId }),
    );
    expect(timeline.map(({ action }) => action)).toEqual([
      'recovery.opened',
      'recovery.factor_recorded',
      'recovery.step_done',
      'recovery.liveness_begun',
      'recovery.liveness_judged',
      'recovery.factor_recorded',
      'recovery.step_done',
      'recovery.decided_approve',
    ]);
    expect(JSON.stringify(timeline)).not.toMatch(/@|onfidence/);
  });

  it('see open cases in the order of what is due, by state, claim, customer and delay', async () => {
    const first = await proved(run, customer);
    const { customerId } = customer;
    const other = await run((tx) => insertRecoverable(tx, tenantId));
    const second = await opened(run, other);
    await follow(run, second);
    const { staffId } = await colleague(run, tenantId);
    await run((tx) => claimRecovery(tx, { subject: first, staffId }));
    const ids = async (query: object) =>
      (await run((tx) => queueOfRecoveries(tx, { tenantId, limit: 100, ...query }))).map(
        ({ recoveryId }) => recoveryId,
      );
    expect(await ids({ claimedBy: staffId })).toEqual([first.recoveryId]);
    expect(await ids({ customerId })).toEqual([first.recoveryId]);
    const all = await ids({});
    expect(all.indexOf(first.recoveryId)).toBeLessThan(all.indexOf(second.recoveryId));
    expect(await ids({ state: 'review' })).not.toContain(second.recoveryId);
    expect(await ids({ onlyOverdue: true })).not.toContain(first.recoveryId);
    await run(
      (tx) =>
        tx`update recovery set escalated_at = latchkey_now() where recovery_id = ${first.recoveryId}`,
    );
    expect(await ids({ onlyOverdue: true })).toContain(first.recoveryId);
  });
});

describe('after a recovery', () => {
  it('limits are lowered until the time that the policy says', async () => {
    const { customerId } = customer;
    expect(await run((tx) => limitedUntilMs(tx, tenantId, customerId))).toBeUndefined();
    const subject = await readyToBind(run, customer);
    const submissionId = await run((tx) => submitPasskey(tx, customer, subject));
    await run((tx) => drive(tx, subject, 'rebound', submissionId));
    expect(await run((tx) => limitedUntilMs(tx, tenantId, customerId))).toBe(
      rows.nowMs + policy.limitedSeconds * 1000,
    );
  });
});

describe('a case without a workflow', () => {
  it('is found while it is open, also before it opened, counted once, and closed when it has ended', async () => {
    const { recoveryId } = await opened(run, customer);
    const found = async (isEnded: boolean) =>
      (
        await run((tx) =>
          listTracked(tx, {
            tenantId,
            kind: 'recovery',
            settledMs: 0,
            isEnded,
            afterId: '',
            limit: 1000,
          }),
        )
      ).some(({ id }) => id === recoveryId);
    const key = { tenantId, kind: 'recovery', id: recoveryId } as const;
    expect(await found(false)).toBe(true);
    expect(await run((tx) => countHeal(tx, { ...key, healCount: 0 }))).toBe(true);
    expect(await run((tx) => countHeal(tx, { ...key, healCount: 0 }))).toBe(false);
    expect(await run((tx) => markWorkflowClosed(tx, key))).toBe(false);
    const subject = { tenantId, recoveryId };
    await follow(run, subject);
    await said(run, subject, await colleague(run, tenantId), { kind: 'refuse' });
    expect(await found(false)).toBe(false);
    expect(await found(true)).toBe(true);
    expect(await run((tx) => markWorkflowClosed(tx, key))).toBe(true);
    expect(await found(true)).toBe(false);
  });
});
