/** What stops a recovery, and what the owner may do about it: a signal of fraud, an objection, less time to object. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { objectToRecovery, shortenCooling } from '../../../db/recovery-ends.ts';
import { endRevokedRows } from '../../../db/revocation.ts';
import { reportByStaff } from '../../../db/device-reports.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import { cutOffCustomer, insertDevice, releaseCustomer } from '../../setup/customer.ts';
import {
  approved,
  checked,
  colleague,
  drive,
  follow,
  insertRecoverable,
  opened,
  proved,
  read,
  readyToBind,
  RECOVERY_TOOLS,
  said,
  waitOut,
} from '../../setup/recoveries.ts';
import type { RecoverableCustomer, Run } from '../../setup/recoveries.ts';

const DAY = 86_400_000;

let rows: RecoveryRows;
let customer: RecoverableCustomer;
let tenantId: string;

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
const refused = (code: string) => expect.objectContaining({ code });
const state = (subject: RecoverySubject) => rows.state(subject);
const templates = () => rows.templates(customer);
const epochs = (subject: RecoverySubject) => rows.epochs(subject);
const bound = (subject: RecoverySubject, changes = {}) => rows.bind(customer, subject, changes);

describe('a signal of fraud', () => {
  it('holds a case instead of ending it, whatever state it is in', async () => {
    for (const until of [opened, proved, readyToBind]) {
      customer = await run((tx) => insertRecoverable(tx, tenantId));
      const subject = await until(run, customer);
      const cut = await run((tx) => cutOffCustomer(tx, customer));
      await run((tx) => endRevokedRows(tx, { tenantId, revocationId: cut?.revocationId ?? '' }));
      expect(await state(subject)).toBe('held');
    }
  });

  it('is found by the rows alone, before anything else goes on', async () => {
    const subject = await opened(run, customer);
    await follow(run, subject);
    await checked(run, customer, subject);
    await run((tx) => cutOffCustomer(tx, customer));
    expect(await follow(run, subject)).toMatchObject({ state: 'held' });
  });

  it('before it has a case open begin held, and the owner is told', async () => {
    await run((tx) => cutOffCustomer(tx, customer));
    const subject = await opened(run, customer);
    expect(await state(subject)).toBe('held');
    expect(await templates()).toContain('recovery_opened');
  });

  it('is released by a supervisor’s decision alone, onto the epoch of now, and the person is proved anew', async () => {
    const subject = await readyToBind(run, customer);
    await run((tx) => cutOffCustomer(tx, customer));
    await follow(run, subject);
    const supervisor = await colleague(run, tenantId);
    await expect(said(run, subject, supervisor, { kind: 'release' })).rejects.toEqual(
      refused('customer_on_hold'),
    );
    await run((tx) => releaseCustomer(tx, customer));
    expect(await follow(run, subject)).toMatchObject({ state: 'held' });
    await said(run, subject, supervisor, { kind: 'release' });
    expect(await run((tx) => read(tx, subject))).toMatchObject({
      state: 'identity',
      missing: ['identity'],
      epoch: 2,
    });
    await checked(run, customer, subject);
    expect(await follow(run, subject)).toMatchObject({ state: 'review' });
    await approved(run, subject);
    await waitOut(run, subject);
    expect(await bound(subject)).toMatchObject({ snapshot: { outcome: 'completed' } });
    expect(await epochs(subject)).toEqual({ case: 2, customer: 3 });
  });
});

describe('an objection', () => {
  it('from a trusted phone that nobody reported ends the case, and the account is as it was', async () => {
    const subject = await readyToBind(run, customer);
    const { customerId, deviceId } = customer;
    expect(
      await run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, { subject, customerId, deviceId })),
    ).toEqual({ result: 'vetoed' });
    expect(await run((tx) => read(tx, subject))).toMatchObject({
      outcome: 'denied',
      reason: 'vetoed',
    });
    await expect(bound(subject)).rejects.toEqual(refused('ceremony_ended'));
    const [device] = await run((tx) => tx`select status from device where device_id = ${deviceId}`);
    expect(device).toMatchObject({ status: 'trusted' });
  });

  it('by a mailbox, or from a phone that was reported, holds it for somebody to look', async () => {
    for (const by of ['mailbox', 'phone'] as const) {
      customer = await run((tx) => insertRecoverable(tx, tenantId));
      const { customerId, deviceId } = customer;
      const subject = await proved(run, customer);
      if (by === 'phone') {
        const { staffId } = await colleague(run, tenantId);
        await run((tx) =>
          reportByStaff(tx, { tenantId, deviceId, as: 'stolen', staffId, because: 'caller' }),
        );
      }
      const objection = { subject, customerId, ...(by === 'phone' ? { deviceId } : {}) };
      expect(await run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, objection))).toEqual({
        result: 'held',
      });
      expect(await state(subject)).toBe('held');
    }
  });

  it('by a mailbox holds a case once: after a supervisor has let it go on it is written down, and a phone is heard besides', async () => {
    const subject = await proved(run, customer);
    const { customerId, deviceId } = customer;
    const object = (by: { deviceId?: string; isDoubted?: boolean } = {}) =>
      run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, { subject, customerId, ...by }));
    const release = async () =>
      await said(run, subject, await colleague(run, tenantId), { kind: 'release' });
    expect(await object()).toEqual({ result: 'held' });
    await release();
    expect(await object()).toEqual({ result: 'noted' });
    expect(await state(subject)).not.toBe('held');
    expect(await object({ deviceId, isDoubted: true })).toEqual({ result: 'held' });
    await release();
    expect(await object({ deviceId, isDoubted: true })).toEqual({ result: 'noted' });
    const noted = await run(
      (tx) => tx`
        select detail from audit where ceremony_id = ${subject.recoveryId} and action = 'recovery.objection_noted' order by position`,
    );
    expect(noted).toMatchObject([
      { detail: { because: 'contact' } },
      { detail: { because: 'phone' } },
    ]);
    // The owner's own word is heard as ever.
    expect(await object({ deviceId })).toEqual({ result: 'vetoed' });
  });

  it('by the link of a notice cuts a recovered account off once, however often it is released', async () => {
    const subject = await readyToBind(run, customer);
    await bound(subject);
    const { customerId } = customer;
    const object = () => run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, { subject, customerId }));
    expect(await object()).toMatchObject({ result: 'cut_off' });
    const before = await epochs(subject);
    expect(await object()).toEqual({ result: 'noted' });
    await run((tx) => releaseCustomer(tx, customer));
    expect(await object()).toEqual({ result: 'noted' });
    expect(await epochs(subject)).toEqual(before);
  });

  it('from one of several phones ends no case of a stolen one while nobody knows which it was, and shortens none', async () => {
    const { customerId, deviceId } = customer;
    await run((tx) => insertDevice(tx, tenantId, { customerId }));
    await run(
      (tx) =>
        tx`update device set created_at = created_at - interval '90 days', trusted_at = trusted_at - interval '90 days' where customer_id = ${customerId}`,
    );
    const subject = await proved(run, customer, { report: 'stolen' });
    await approved(run, subject);
    await expect(
      run((tx) => shortenCooling(tx, { subject, customerId, deviceId })),
    ).rejects.toEqual(refused('device_not_allowed'));
    expect(
      await run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, { subject, customerId, deviceId })),
    ).toEqual({ result: 'held' });
    // Nor from the very one, whatever its own row says.
    await run(
      (tx) =>
        tx`update recovery set reported_device_id = ${deviceId} where recovery_id = ${subject.recoveryId}`,
    );
    expect(
      await run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, { subject, customerId, deviceId })),
    ).toEqual({ result: 'held' });
  });

  it('of another customer is of no case', async () => {
    const subject = await proved(run, customer);
    const { customerId, deviceId } = await run((tx) => insertRecoverable(tx, tenantId));
    await expect(
      run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, { subject, customerId, deviceId })),
    ).rejects.toEqual(refused('recovery_not_found'));
  });

  it('after the end is a signal of fraud for thirty days, and heard no more after them', async () => {
    const subject = await readyToBind(run, customer);
    await bound(subject);
    const { customerId } = customer;
    const object = () => run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, { subject, customerId }));
    const overMs = rows.nowMs + 30 * DAY;
    await rows.at(overMs, async () => {
      await expect(object()).rejects.toEqual(refused('ceremony_ended'));
    });
    expect(await rows.at(overMs - 1, object)).toMatchObject({
      result: 'cut_off',
      cutOff: { newEpoch: 3 },
    });
  });
});

describe('what staff sent back', () => {
  const cooling = async (): Promise<RecoverySubject> => {
    const subject = await proved(run, customer);
    await approved(run, subject);
    await said(run, subject, await colleague(run, tenantId), { kind: 'send_back' });
    return subject;
  };

  it('is not overtaken by the end of the time to object', async () => {
    const subject = await cooling();
    await run(
      (
        tx,
      ) => tx`update recovery set cooling_from = cooling_from - make_interval(secs => cooling_seconds + 1)
        where recovery_id = ${subject.recoveryId}`,
    );
    expect(await run((tx) => drive(tx, subject, 'cooling_over'))).toEqual({ fact: 'sent_back' });
    expect(await follow(run, subject)).toMatchObject({ state: 'identity', missing: ['identity'] });
  });

  it('is not shortened either', async () => {
    const subject = await cooling();
    const { customerId, deviceId } = customer;
    await run(
      (
        tx,
      ) => tx`update recovery set cooling_from = cooling_from - make_interval(secs => cooling_floor_seconds)
        where recovery_id = ${subject.recoveryId}`,
    );
    await expect(
      run((tx) => shortenCooling(tx, { subject, customerId, deviceId })),
    ).rejects.toEqual(refused('wrong_step'));
  });
});

describe('a step that is over', () => {
  it('ends the case although a proof in time was not followed yet', async () => {
    const subject = await opened(run, customer);
    await follow(run, subject);
    await checked(run, customer, subject);
    const { stepDeadlineMs } = await run((tx) => read(tx, subject));
    const over = await rows.at(stepDeadlineMs ?? 0, () => follow(run, subject));
    expect(over).toMatchObject({ outcome: 'expired', reason: 'step_timeout' });
  });

  it('ends it although enough people approved it in time', async () => {
    const subject = await proved(run, customer);
    await said(run, subject, await colleague(run, tenantId), { kind: 'approve' });
    const { stepDeadlineMs } = await run((tx) => read(tx, subject));
    const over = await rows.at(stepDeadlineMs ?? 0, () => follow(run, subject));
    expect(over).toMatchObject({ outcome: 'expired', reason: 'step_timeout' });
  });
});

describe('the time to object', () => {
  it('is shortened by the owner’s unreported phone, never below its floor', async () => {
    const subject = await proved(run, customer);
    await approved(run, subject);
    const { customerId, deviceId } = customer;
    const shorten = (device: string) =>
      run((tx) => shortenCooling(tx, { subject, customerId, deviceId: device }));
    await expect(shorten(newId('device'))).rejects.toEqual(refused('device_not_allowed'));
    await expect(shorten(deviceId)).rejects.toEqual(refused('cooling_off'));
    await run(
      (
        tx,
      ) => tx`update recovery set cooling_from = cooling_from - make_interval(secs => cooling_floor_seconds)
        where recovery_id = ${subject.recoveryId}`,
    );
    await shorten(deviceId);
    expect(await state(subject)).toBe('rebind');
    expect(await bound(subject)).toMatchObject({ snapshot: { outcome: 'completed' } });
  });
});
