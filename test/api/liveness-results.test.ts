/** The liveness vendor's signed results: one verdict of exactly that check counts, once; everything else is refused or moves nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RecoveryStack } from '../setup/beds/recovery-stack.ts';
import type { NewPhone } from '../setup/beds/recovery-stack.ts';
import { newKey } from '../setup/recoveries.ts';

let stack: RecoveryStack;
let phone: NewPhone;
let recoveryId: string;
let check: Awaited<ReturnType<RecoveryStack['check']>>;
beforeAll(async () => {
  stack = await RecoveryStack.start();
}, 120_000);
afterAll(async () => {
  await stack.close();
});
beforeEach(async () => {
  phone = stack.newPhone();
  recoveryId = await stack.opened(phone, await stack.owner());
  check = await stack.check(phone, recoveryId);
});

const standing = async () => {
  const { state, missing, factors, liveness } = await phone.latchkey.recovery.view(recoveryId);
  return { state, missing, proofs: factors.length, check: liveness?.status };
};
const UNMOVED = { state: 'identity', missing: ['identity'], proofs: 1, check: 'ready' };

describe('a result of the liveness vendor', () => {
  it('proves the person once, and a duplicate is answered alike and changes nothing', async () => {
    expect((await stack.tell(check)).status).toBe(202);
    await stack.reaches(recoveryId, 'review');
    const before = await standing();
    expect(before).toMatchObject({ missing: [], proofs: 2, check: 'passed' });
    expect((await stack.tell(check)).status).toBe(202);
    expect((await stack.tell(check, { outcome: 'failed' })).status).toBe(202);
    expect(await standing()).toEqual(before);
  });

  it('is refused when somebody else signed it, when it was changed on the way, and with the secret of another vendor', async () => {
    for (const forged of [
      await stack.tell(check, {}, { secret: 'not-the-secret-of-any-vendor-here' }),
      await stack.tell(check, { outcome: 'failed' }, { tamper: '{"outcome":"passed"}' }),
    ])
      expect(forged).toMatchObject({ status: 401, body: { code: 'signature_invalid' } });
    expect(await standing()).toEqual(UNMOVED);
  });

  it('of another case is not found', async () => {
    const other = stack.newPhone();
    const elsewhere = await stack.opened(other, await stack.owner());
    for (const caseId of [elsewhere, 'cer_another'])
      expect((await stack.tell(check, { caseId })).body).toMatchObject({ code: 'not_found' });
    expect(await standing()).toEqual(UNMOVED);
    expect((await other.latchkey.recovery.view(elsewhere)).missing).toEqual(['identity']);
  });

  it('of another key is not found', async () => {
    expect((await stack.tell(check, { newJkt: newKey() })).status).toBe(404);
    expect(await standing()).toEqual(UNMOVED);
  });

  it('of another session of the vendor is not found', async () => {
    expect((await stack.tell(check, { vendorSession: 'session-another' })).status).toBe(404);
    expect(await standing()).toEqual(UNMOVED);
  });

  it('that comes late, for a check that another took the place of, moves nothing', async () => {
    const newer = await stack.check(phone, recoveryId);
    expect((await stack.tell(check)).status).toBe(202);
    expect(await standing()).toEqual(UNMOVED);
    await stack.tell(newer);
    await stack.reaches(recoveryId, 'review');
  });

  it('that passed without the figures that the case asks for, or without a comparison, proves nobody', async () => {
    await stack.tell(check, { matchConfidence: 90 });
    expect(await standing()).toMatchObject({ missing: ['identity'], check: 'failed' });
    const next = await stack.check(phone, recoveryId);
    await stack.tell(next, { matchConfidence: null });
    expect(await standing()).toMatchObject({ missing: ['identity'], check: 'failed' });
  });

  it('keeps no picture that came along', async () => {
    expect((await stack.tell(check, { picture: 'aGVsbG8gZmFjZQ' })).status).toBe(202);
    const rows = await stack.run((tx) => tx`select * from step_attempt`);
    expect(JSON.stringify(rows)).not.toContain('aGVsbG8gZmFjZQ');
  });

  it('that is no result is refused', async () => {
    for (const wrong of [{ outcome: 'maybe' }, { livenessConfidence: 101 }, { at: 'yesterday' }])
      expect((await stack.tell(check, wrong)).status).toBe(400);
    expect(await standing()).toEqual(UNMOVED);
  });

  it('fails five times: then the case is over, and the account as it was', async () => {
    for (let attempt = 1; attempt < 5; attempt += 1) {
      await stack.tell(check, { outcome: 'failed' });
      check = await stack.check(phone, recoveryId);
    }
    await stack.tell(check, { outcome: 'failed' });
    await stack.reaches(recoveryId, 'ended');
    expect(await phone.latchkey.recovery.view(recoveryId)).toMatchObject({
      outcome: 'denied',
      reason: 'identity_not_proved',
      livenessAttemptsLeft: 0,
    });
  });
});
