/**
 * A recovery that staff and customer work on together, over HTTP on a real PostgreSQL and a real Temporal: opened with the caller on the line, joined by
 * the new phone, proved, approved by two people, bound; and one for a customer who cannot look into a camera.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecoveryStack } from '../setup/beds/recovery-stack.ts';
import type { Owner } from '../setup/beds/recovery-stack.ts';
import type { Answer } from '../setup/callers.ts';
import { createStaff } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';

let stack: RecoveryStack;
let ana: Staff;
let mere: Staff;
let sione: Staff;
beforeAll(async () => {
  stack = await RecoveryStack.start();
  ana = await createStaff(stack.api, ['agent'], { name: 'Ana Agent' });
  mere = await createStaff(stack.api, ['agent'], { name: 'Mere Agent' });
  sione = await createStaff(stack.api, ['supervisor'], { name: 'Sione Supervisor' });
}, 120_000);
afterAll(async () => {
  await stack.close();
});

async function openedBy(who: Staff, { customerId }: Owner): Promise<string> {
  const proof = { method: 'call_back', reference: 'switch-1' };
  const url = `/staff/customers/${customerId}/recoveries`;
  const { status, body } = await who.post(url, { report: 'broken', proof });
  expect(status).toBe(201);
  const recoveryId = String(body.recoveryId);
  await stack.reaches(recoveryId, 'identity');
  return recoveryId;
}

async function decides(who: Staff, recoveryId: string, kind: string): Promise<Answer> {
  const { body } = await who.get(`/staff/recoveries/${recoveryId}`);
  return await who.post(`/staff/recoveries/${recoveryId}/decisions`, {
    kind,
    revision: body.revision,
    reason: 'person_recognised',
  });
}

describe('a recovery by staff and customer', () => {
  it('is one case from the call to the new phone, approved by two who prepared nothing of it', async () => {
    const owner = await stack.owner();
    const recoveryId = await openedBy(ana, owner);
    const phone = stack.newPhone();
    expect(await stack.opened(phone, owner)).toBe(recoveryId);
    await stack.tell(await stack.check(phone, recoveryId));
    await stack.reaches(recoveryId, 'review');
    expect((await decides(ana, recoveryId, 'approve')).body).toMatchObject({
      code: 'four_eyes_required',
    });
    expect(await decides(mere, recoveryId, 'approve')).toMatchObject({ status: 200 });
    expect(await decides(sione, recoveryId, 'approve')).toMatchObject({ status: 200 });
    await stack.reaches(recoveryId, 'cooling');
    await stack.waitedOut(recoveryId);
    const bound = await phone.latchkey.recovery.createPasskey(recoveryId, {
      name: 'New phone',
      platform: 'web',
    });
    expect(bound).toMatchObject({ state: 'ended', outcome: 'completed' });
    const { body } = await sione.get(`/staff/recoveries/${recoveryId}`);
    expect(body).toMatchObject({
      outcome: 'completed',
      limitedUntil: expect.any(String),
      ledger: [{ method: 'call_back' }, { method: 'email_code' }, { method: 'liveness' }],
    });
    expect(body.devices.some(({ isNew }: { isNew: boolean }) => isNew)).toBe(true);
    const queue = await ana.get(`/staff/recoveries?customerId=${owner.customerId}`);
    expect(queue.body.recoveries).toEqual([]);
  });

  it('goes without a camera by what was seen in a branch, and is stopped at the desk at once', async () => {
    const owner = await stack.owner();
    const recoveryId = await openedBy(ana, owner);
    const phone = stack.newPhone();
    await stack.opened(phone, owner);
    const evidence = { method: 'branch', evidenceId: 'branch-12' };
    await ana.post(`/staff/recoveries/${recoveryId}/evidence`, evidence);
    await stack.reaches(recoveryId, 'review');
    expect(await decides(sione, recoveryId, 'send_back')).toMatchObject({ status: 200 });
    await stack.reaches(recoveryId, 'identity');
    expect(await decides(mere, recoveryId, 'refuse')).toMatchObject({
      status: 200,
      body: { state: 'ended' },
    });
    await expect(phone.latchkey.recovery.beginLiveness(recoveryId)).rejects.toThrow(
      'ceremony_ended',
    );
    expect(await phone.latchkey.recovery.view(recoveryId)).toMatchObject({
      state: 'ended',
      outcome: 'denied',
    });
  });
});
