/** Step-ups used and ended, as rows: once, by whom, until when, what is given back, and what the world is told of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endRevokedRows } from '../../../db/revocation.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import { faultsOf, typesOf, typesSeen } from '../../setup/emitted-events.ts';
import type { EmittedEvent } from '../../setup/emitted-events.ts';
import {
  approved,
  ask,
  asked,
  CARDS,
  payment,
  PAYMENTS,
  proveKeys,
  read,
  show,
} from '../../setup/step-ups.ts';
import { StepUpRows } from '../../setup/beds/step-up-rows.ts';

const MINUTE = 60_000;

const bed = new StepUpRows();
const { run, sweeper, askAndOpen, consume, end, status, dayTotal, topics } = bed;

beforeAll(() => bed.open());
afterAll(() => bed.close());
beforeEach(() => bed.newCustomer());

const refused = (code: string, extra: object = {}) => expect.objectContaining({ code, ...extra });

describe('using', () => {
  it('happens once; the same requester with the same action is told the old fact', async () => {
    const stepUpId = await approved(run, bed.customer);
    const first = await consume(stepUpId);
    expect(first).toMatchObject({ isRepeat: false, acr: 'latchkey:3', revokedSinceMs: null });
    bed.nowMs += 1000;
    const again = await consume(stepUpId);
    expect(again).toMatchObject({ isRepeat: true, consumedAtMs: first.consumedAtMs });
    // What was used stays in the day's total.
    expect(await dayTotal()).toBe(40_000);
    expect(await topics(stepUpId)).toContain('ceremony.signal');
  });

  it('is told, after a cut-off, since when it would not be granted any more', async () => {
    const stepUpId = await approved(run, bed.customer);
    const { consumedAtMs } = await consume(stepUpId);
    bed.nowMs += 1000;
    await run((tx) => cutOffCustomer(tx, bed.customer));
    expect(await consume(stepUpId)).toMatchObject({
      isRepeat: true,
      consumedAtMs,
      revokedSinceMs: bed.nowMs,
    });
  });

  it('is refused to another requester, for another action, and before it was approved', async () => {
    const stepUpId = await askAndOpen();
    await expect(consume(stepUpId)).rejects.toEqual(refused('step_up_not_approved'));
    const opened = await run((tx) => show(tx, bed.customer, stepUpId));
    await run((tx) => proveKeys(tx, bed.customer, stepUpId, opened));
    await expect(consume(stepUpId, { requester: CARDS })).rejects.toEqual(
      refused('step_up_not_found'),
    );
    await expect(
      consume(stepUpId, { requester: { kind: 'staff', id: PAYMENTS.id } }),
    ).rejects.toEqual(refused('step_up_not_found'));
    for (const action of [payment('400.01'), payment('400.00', 'EUR')]) {
      await expect(consume(stepUpId, { action })).rejects.toEqual(refused('action_mismatch'));
    }
    await consume(stepUpId);
    // A repeat for another action is none.
    await expect(consume(stepUpId, { action: payment('400.01') })).rejects.toEqual(
      refused('action_mismatch'),
    );
  });

  it('is refused from the moment its time is over, whether or not a workflow has ended it', async () => {
    const stepUpId = await approved(run, bed.customer);
    bed.nowMs += DEFAULT_POLICY.stepUp.consumeSeconds * 1000 - 1;
    const { stepUp } = await consume(stepUpId);
    expect(stepUp.state).toBe('ended');
    const late = await approved(run, bed.customer);
    bed.nowMs += DEFAULT_POLICY.stepUp.consumeSeconds * 1000;
    await expect(consume(late)).rejects.toEqual(refused('step_up_expired'));
  });

  it.each([
    ['a cut-off', 'revoked'],
    ['a device that was restricted', 'device_not_allowed'],
    ['a passkey that was suspended', 'credential_unknown'],
  ] as const)('is refused after %s', async (what, code) => {
    const stepUpId = await approved(run, bed.customer);
    await run(async (tx) => {
      if (what === 'a cut-off') await cutOffCustomer(tx, bed.customer);
      else if (what === 'a device that was restricted')
        await tx`update device set status = 'restricted' where device_id = ${bed.customer.deviceId}`;
      else
        await tx`update credential set status = 'suspended' where credential_id = ${bed.customer.credentialId}`;
    });
    await expect(consume(stepUpId)).rejects.toEqual(refused(code));
    expect(await status(stepUpId)).toBe('approved');
  });
});

describe('ending', () => {
  it.each(['open', 'approved'] as const)(
    '“not me” ends one that is %s and, by policy, places a hold in the same transaction',
    async (state) => {
      const stepUpId = state === 'open' ? await askAndOpen() : await approved(run, bed.customer);
      const ended = await end(stepUpId, { event: 'denied', reason: 'not_me' });
      expect(ended.cutOff).toMatchObject({ oldEpoch: 1, newEpoch: 2, devices: 1 });
      expect(await status(stepUpId)).toBe('denied');
      expect(await dayTotal()).toBe(0);
      await expect(run((tx) => ask(tx, bed.customer))).rejects.toEqual(refused('customer_on_hold'));
      const again = await end(stepUpId, { event: 'denied', reason: 'not_me' });
      expect(again).toMatchObject({ isRepeat: true, cutOff: undefined });
    },
  );

  it('is anybody’s only who may: another customer and another requester find nothing', async () => {
    const stepUpId = await askAndOpen();
    const cancel = { event: 'cancelled' } as const;
    await expect(end(stepUpId, cancel, { requester: CARDS })).rejects.toEqual(
      refused('step_up_not_found'),
    );
    await expect(
      end(stepUpId, { event: 'denied', reason: 'declined' }, { customerId: 'cus_x' }),
    ).rejects.toEqual(refused('step_up_not_found'));
    await end(stepUpId, cancel, { requester: PAYMENTS });
    expect(await status(stepUpId)).toBe('cancelled');
    await expect(end(stepUpId, { event: 'denied', reason: 'declined' })).rejects.toEqual(
      refused('step_up_ended'),
    );
  });

  it('by a cut-off reaches every open one, gives back what it counted, and is told', async () => {
    const first = await approved(run, bed.customer);
    const second = await run((tx) => asked(tx, bed.customer, { requester: CARDS }));
    const cut = await run((tx) => cutOffCustomer(tx, bed.customer));
    const revocationId = cut?.revocationId ?? '';
    await run((tx) => endRevokedRows(tx, { tenantId: bed.tenantId, revocationId }));
    expect([await status(first), await status(second)]).toEqual(['revoked', 'revoked']);
    expect(await dayTotal()).toBe(0);
    const [row] = await run(
      (tx) =>
        tx`select ceremonies_ended, sessions_ended from revocation where revocation_id = ${revocationId}`,
    );
    expect(row).toEqual({ ceremoniesEnded: 2, sessionsEnded: 1 });
    await expect(consume(first)).rejects.toEqual(refused('revoked'));
  });

  it('by the sweeper comes a grace after the time has passed, for want of a workflow', async () => {
    const starting = await run((tx) => asked(tx, bed.customer));
    const unused = await approved(run, bed.customer, { requester: CARDS });
    const sweep = () => sweeper().sweepTenant(bed.tenantId);
    bed.nowMs += 6 * MINUTE - 1;
    await sweep();
    expect(await status(starting)).toBe('pending');
    bed.nowMs += 1;
    await sweep();
    expect(await run((tx) => read(tx, bed.tenantId, starting))).toMatchObject({
      reason: 'never_started',
    });
    expect(await status(unused)).toBe('approved');
    bed.nowMs += 5 * MINUTE;
    await sweep();
    expect(await run((tx) => read(tx, bed.tenantId, unused))).toMatchObject({
      reason: 'not_consumed',
    });
    expect(await dayTotal()).toBe(0);
  });

  it('lets totals of days that are long past go', async () => {
    await run((tx) => ask(tx, bed.customer, { action: payment('4.00') }));
    bed.nowMs += 7 * 24 * 60 * MINUTE;
    await sweeper().sweepTenant(bed.tenantId);
    expect(await dayTotal()).toBe(400);
    bed.nowMs += 24 * 60 * MINUTE;
    await sweeper().sweepTenant(bed.tenantId);
    expect(await dayTotal()).toBe(0);
  });
});

describe('the day’s total', () => {
  it('asks for more once it passes the threshold, however small the parts, and begins anew with the day', async () => {
    const part = { action: payment('90.00') };
    const answers: unknown[] = [];
    for (let count = 0; count < 10; count += 1) {
      const { notRequired } = await run((tx) => ask(tx, bed.customer, part));
      answers.push(notRequired?.required ?? 'asked');
      if (notRequired === undefined) break;
    }
    expect(answers.at(0)).toBe('none');
    expect(answers.at(-1)).toBe('asked');
    bed.nowMs += 24 * 60 * MINUTE;
    const other = { ...part, requester: CARDS };
    expect((await run((tx) => ask(tx, bed.customer, other))).notRequired).toBeDefined();
  });
});

describe('what is told', () => {
  it('stands in the catalogue, and every type of a step-up was seen here', async () => {
    const rows = await run(
      async (tx) =>
        await tx<{ payload: EmittedEvent }[]>`
          select payload from outbox where topic = 'event' and payload->>'type' like 'bank.app.step_up%'`,
    );
    const events = rows.map(({ payload }) => payload);
    expect(events.flatMap(faultsOf)).toEqual([]);
    expect(typesSeen(events)).toEqual(typesOf('test/contract/database/step-up-ends.test.ts'));
  });
});
