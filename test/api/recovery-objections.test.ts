/**
 * A recovery as the owner's old phones meet it: seen, objected to, shortened; what a thief with the reported phone can do, what a mailbox alone can, and
 * that an objection after the end cuts everything off.
 */
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecoveryStack } from '../setup/beds/recovery-stack.ts';
import type { Owner } from '../setup/beds/recovery-stack.ts';
import { logIn } from '../setup/login-bed.ts';

let stack: RecoveryStack;
beforeAll(async () => {
  stack = await RecoveryStack.start();
}, 120_000);
afterAll(async () => {
  await stack.close();
});

const STOP_LINK = /recover\.html#demo\.stop\.([A-Za-z0-9_-]+)/;
const OLD_LOGIN = 16 * 60_000;

const object = (owner: Owner, recoveryId: string, idempotencyKey?: string) =>
  owner.phone.post(
    `/auth/recoveries/${recoveryId}/object`,
    {},
    idempotencyKey === undefined ? {} : { idempotencyKey },
  );

/** As if the passkey had been used that long ago. */
const ageLogin = (owner: Owner, milliseconds: number) =>
  stack.run(
    (
      tx,
    ) => tx`update session set auth_time = auth_time - make_interval(secs => ${milliseconds / 1000})
      where customer_id = ${owner.customerId}`,
  );

async function shortening(owner: Owner, recoveryId: string, spoil: { challenge?: string } = {}) {
  const proof = await new SignJWT({
    challenge: spoil.challenge ?? recoveryId,
    sessionJkt: owner.phone.jkt,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'latchkey-approval-key+jwt' })
    .sign(owner.phone.approvalKey.privateKey);
  return await owner.phone.post(`/auth/recoveries/${recoveryId}/shorten`, { proof });
}

describe('an objection from an old phone', () => {
  it('ends the case from a trusted phone whose passkey was just used, and says so again', async () => {
    const owner = await stack.owner();
    await logIn(owner, owner.phone);
    const phone = stack.newPhone();
    const recoveryId = await stack.proved(phone, owner);
    const { body } = await owner.phone.get('/auth/recoveries');
    expect(body.recoveries).toMatchObject([
      { recoveryId, state: 'review', report: 'broken', openedBy: 'customer', endedAt: null },
    ]);
    expect((await object(owner, recoveryId, 'one-objection')).body).toEqual({ result: 'ended' });
    expect((await object(owner, recoveryId, 'one-objection')).body).toEqual({ result: 'ended' });
    expect(await phone.latchkey.recovery.view(recoveryId)).toMatchObject({
      outcome: 'denied',
      reason: 'vetoed',
    });
    expect((await object(owner, recoveryId)).body).toMatchObject({ code: 'ceremony_ended' });
    expect((await owner.phone.get('/auth/recoveries')).body.recoveries).toEqual([]);
  });

  it('holds the case when the passkey was used too long ago', async () => {
    const owner = await stack.owner();
    await logIn(owner, owner.phone);
    const phone = stack.newPhone();
    const recoveryId = await stack.opened(phone, owner);
    await ageLogin(owner, OLD_LOGIN);
    expect((await object(owner, recoveryId)).body).toEqual({ result: 'held' });
    expect(await phone.latchkey.recovery.view(recoveryId)).toMatchObject({
      state: 'held',
      actor: 'bank',
    });
    await expect(phone.latchkey.recovery.beginLiveness(recoveryId)).rejects.toMatchObject({
      code: 'recovery_held',
    });
  });

  it('of a thief on the stolen phone holds it for the bank, and ends nothing', async () => {
    const owner = await stack.owner();
    await logIn(owner, owner.phone);
    const phone = stack.newPhone();
    const recoveryId = await stack.opened(phone, owner, { report: 'stolen' });
    expect((await object(owner, recoveryId)).body).toEqual({ result: 'held' });
    expect((await phone.latchkey.recovery.view(recoveryId)).outcome).toBeUndefined();
    expect((await shortening(owner, recoveryId)).status).toBe(401);
  });

  it('of another customer finds nothing', async () => {
    const recoveryId = await stack.opened(stack.newPhone(), await stack.owner());
    const other = await stack.owner();
    await logIn(other, other.phone);
    expect((await object(other, recoveryId)).body).toMatchObject({ code: 'recovery_not_found' });
    expect((await shortening(other, recoveryId)).body).toMatchObject({
      code: 'recovery_not_found',
    });
  });
});

describe('the link of a notice', () => {
  it('holds a case and never ends one, however often it is followed', async () => {
    const owner = await stack.owner();
    const recoveryId = await stack.opened(stack.newPhone(), owner);
    const token = await stack.linkTo(owner.email, STOP_LINK);
    for (const answer of [
      await stack.post('/recovery-objections', { token }),
      await stack.post('/recovery-objections', { token }),
    ])
      expect(answer).toMatchObject({ status: 200, body: { result: 'held' } });
    expect(await stack.stateOf(recoveryId)).toBe('held');
    expect(
      (await stack.post('/recovery-objections', { token: token.replace(/..$/, '') })).body,
    ).toMatchObject({ code: 'recovery_link_invalid' });
  });

  it('after the end cuts the account off: it is a signal of fraud, not an error', async () => {
    const owner = await stack.owner();
    const phone = stack.newPhone();
    const recoveryId = await stack.proved(phone, owner);
    await stack.approved(recoveryId);
    await stack.waitedOut(recoveryId);
    await phone.latchkey.recovery.createPasskey(recoveryId, { name: 'New', platform: 'web' });
    await phone.latchkey.logIn();
    expect(await phone.latchkey.ownRecoveries.list()).toMatchObject([
      { recoveryId, outcome: 'completed', objectUntil: expect.any(String) },
    ]);
    const token = await stack.linkTo(owner.email, STOP_LINK);
    expect((await stack.post('/recovery-objections', { token })).body).toEqual({
      result: 'stopped',
    });
    await expect(phone.latchkey.me()).rejects.toMatchObject({ code: 'customer_on_hold' });
  });
});

describe('the time to object', () => {
  it('is shortened by passkey and approval key on an old phone, never below its floor', async () => {
    const owner = await stack.owner();
    const recoveryId = await stack.proved(stack.newPhone(), owner);
    await stack.approved(recoveryId);
    await logIn(owner, owner.phone);
    const early = await shortening(owner, recoveryId);
    expect(early.body).toMatchObject({ code: 'cooling_off' });
    await stack.run(
      (
        tx,
      ) => tx`update recovery set cooling_from = cooling_from - make_interval(secs => cooling_floor_seconds)
        where recovery_id = ${recoveryId}`,
    );
    const other = await shortening(owner, recoveryId, { challenge: 'cer_another' });
    expect(other.body).toMatchObject({ code: 'approval_key_invalid' });
    expect((await shortening(owner, recoveryId)).status).toBe(200);
    expect(await stack.stateOf(recoveryId)).toBe('rebind');
  });
});
