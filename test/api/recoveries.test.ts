/**
 * Recovery as the customer goes through it, over HTTP with the real client, on a real PostgreSQL and a real Temporal: the contact, the person, the
 * waiting, the new phone; restarts, lost answers, and everybody who should not get in.
 */
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { createStepUp } from '../../db/step-up-create.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import { RecoveryStack } from '../setup/beds/recovery-stack.ts';
import { logIn } from '../setup/login-bed.ts';
import { payment, PAYMENTS, STEP_UP_TOOLS } from '../setup/step-ups.ts';
import { randomPhone } from '../setup/somebody.ts';

let stack: RecoveryStack;
beforeAll(async () => {
  stack = await RecoveryStack.start();
}, 120_000);
afterAll(async () => {
  await stack.close();
});

const asked = { report: 'broken', locale: 'en' } as const;
const refusal = (error: unknown) => {
  if (!(error instanceof LatchkeyProblem)) throw error;
  return { code: error.code, attemptsLeft: error.extra['attemptsLeft'] };
};
const PROOF_LINK = /recover\.html#demo\.([A-Za-z0-9_-]{40,})/;

describe('a recovery by the customer alone', () => {
  it('goes from the lost phone to the new one, which logs in where the old one no longer can', async () => {
    const owner = await stack.owner();
    await logIn(owner, owner.phone);
    const phone = stack.newPhone();
    const recoveryId = await stack.opened(phone, owner);
    const opened = await phone.latchkey.recovery.view(recoveryId);
    expect(opened).toMatchObject({
      state: 'identity',
      actor: 'customer',
      missing: ['identity'],
      factors: [{ method: 'email_code' }],
      livenessAttemptsLeft: 5,
    });
    expect(JSON.stringify(opened)).not.toContain(owner.email);

    const check = await stack.check(phone, recoveryId);
    const waiting = await phone.latchkey.recovery.view(recoveryId);
    expect(waiting.liveness).toMatchObject({
      status: 'ready',
      clientParameters: { sessionId: `session-${check.reference}` },
    });
    expect((await stack.tell(check)).status).toBe(202);
    await stack.reaches(recoveryId, 'review');
    const reviewed = await phone.latchkey.recovery.view(recoveryId);
    expect(reviewed).toMatchObject({ actor: 'bank', liveness: { status: 'passed' } });
    expect(reviewed.liveness).not.toHaveProperty('clientParameters');

    await stack.approved(recoveryId);
    const cooling = await phone.latchkey.recovery.view(recoveryId);
    expect(cooling.objectUntil).toBe(cooling.nextAt);
    await stack.waitedOut(recoveryId);
    const done = await phone.latchkey.recovery.createPasskey(recoveryId, {
      name: 'New phone',
      platform: 'web',
    });
    expect(done).toMatchObject({ state: 'ended', outcome: 'completed' });
    expect(done.customerId).toBe(owner.customerId);
    expect(await phone.latchkey.logIn()).toMatchObject({ status: 'active' });
    // Its session has ended, or is about to: the device is revoked either way.
    expect([401, 403]).toContain((await owner.phone.get('/auth/me')).status);
  }, 120_000);

  it('asks nobody’s number as it asks a customer’s, and guesses at either are as wrong', async () => {
    const owner = await stack.owner();
    const told = [];
    for (const contact of [owner.number, randomPhone()]) {
      const { recovery } = stack.newPhone().latchkey;
      const { requestId, ...answer } = await recovery.start({ ...asked, phone: contact });
      const wrong = await recovery.submitCode(requestId, '000000').catch(refusal);
      const { status } = await recovery.request(requestId);
      told.push({ members: Object.keys(answer).toSorted(), status, wrong });
    }
    expect(told[0]?.wrong).toEqual({ code: 'wrong_code', attemptsLeft: 4 });
    expect(told[0]).toEqual(told[1]);
  });

  it('goes on after every answer was lost once: each request is repeated under its key', async () => {
    const owner = await stack.owner();
    const phone = stack.newPhone();
    const { recovery } = phone.latchkey;
    const lossy = async <T>(work: () => Promise<T>): Promise<T> => {
      phone.loseAnswers(1);
      return await work();
    };
    const { requestId, checkNumber } = await lossy(() =>
      recovery.start({ ...asked, email: owner.email }),
    );
    expect(await recovery.request(requestId)).toMatchObject({ checkNumber, status: 'sent' });
    const code = await stack.codeTo(owner.email);
    const proved = await lossy(() => recovery.submitCode(requestId, code));
    const recoveryId = proved.recoveryId ?? '';
    await stack.reaches(recoveryId, 'identity');
    const begun = await lossy(() => recovery.beginLiveness(recoveryId));
    expect(begun.livenessAttemptsLeft).toBe(4);
    await stack.sees(phone, recoveryId, ({ liveness }) => liveness?.status === 'ready');
    const check = stack.checks.find(({ reference }) => reference === begun.liveness?.attemptId);
    if (check === undefined) throw new Error('the vendor was not asked');
    await stack.tell(check);
    await stack.reaches(recoveryId, 'review');
    await stack.approved(recoveryId);
    await stack.waitedOut(recoveryId);
    // Options first, then the binding: both answers are lost.
    phone.loseAnswers(2);
    const device = { name: 'New phone', platform: 'web' };
    const done = await recovery.createPasskey(recoveryId, device);
    expect(done.outcome).toBe('completed');
    const rows = await stack.run(
      (tx) =>
        tx`select 1 from device where customer_id = ${owner.customerId} and status = 'trusted'`,
    );
    expect(rows).toHaveLength(1);
  });

  it('survives the closing of the app, and five new starts join the one case', async () => {
    const owner = await stack.owner();
    let phone = stack.newPhone();
    const cases = new Set<string>();
    for (let start = 0; start < 5; start += 1) {
      cases.add(await stack.opened(phone, owner));
      phone = phone.restarted();
      const place = await phone.latchkey.recovery.resume();
      expect(place?.recovery).toMatchObject({ state: 'identity' });
    }
    expect(cases.size).toBe(1);
  });

  it('is given up by the phone it is for, and by no other', async () => {
    const owner = await stack.owner();
    const phone = stack.newPhone();
    const recoveryId = await stack.opened(phone, owner);
    const stranger = stack.newPhone().latchkey.recovery;
    for (const act of [
      () => stranger.view(recoveryId),
      () => stranger.beginLiveness(recoveryId),
      () => stranger.cancel(recoveryId),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'recovery_not_found' });
    expect(await phone.latchkey.recovery.cancel(recoveryId)).toMatchObject({
      outcome: 'cancelled',
    });
    await expect(phone.latchkey.recovery.beginLiveness(recoveryId)).rejects.toMatchObject({
      code: 'ceremony_ended',
    });
    expect(await logIn(owner, owner.phone)).toMatchObject({ status: 200 });
  });

  it('binds nothing before everything is there', async () => {
    const phone = stack.newPhone();
    const recoveryId = await stack.opened(phone, await stack.owner());
    await expect(
      phone.latchkey.recovery.createPasskey(recoveryId, { name: 'New', platform: 'web' }),
    ).rejects.toMatchObject({ code: 'wrong_step' });
  });
});

describe('the link of a request', () => {
  const open = async () => {
    const owner = await stack.owner();
    const phone = stack.newPhone();
    const { recovery } = phone.latchkey;
    const request = await recovery.start({ ...asked, email: owner.email });
    const token = await stack.linkTo(owner.email, PROOF_LINK);
    return { owner, phone, recovery, request, token };
  };
  const follow = (token: string, checkNumber: string) =>
    stack.post('/recovery-links', { token, checkNumber });

  it('proves the contact in any browser with the number of the phone that asked; a second person finds it used', async () => {
    const { recovery, request, token } = await open();
    expect((await follow(token, request.checkNumber)).body).toEqual({ status: 'proved' });
    const seen = await recovery.request(request.requestId);
    expect(seen.status).toBe('proved');
    const { recoveryId = '' } = seen;
    await stack.reaches(recoveryId, 'identity');
    expect((await recovery.view(recoveryId)).factors).toMatchObject([{ method: 'email_link' }]);
    expect((await follow(token, request.checkNumber)).body).toMatchObject({
      code: 'recovery_link_used',
    });
  });

  it('opens one case for two people at once', async () => {
    const { request, token } = await open();
    const answers = await Promise.all([
      follow(token, request.checkNumber),
      follow(token, request.checkNumber),
    ]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  it('opens nothing without that number, and is dead after five wrong ones', async () => {
    const { recovery, request, token } = await open();
    const wrong = request.checkNumber === '0000' ? '1111' : '0000';
    for (const left of [4, 3, 2, 1])
      expect((await follow(token, wrong)).body).toMatchObject({
        code: 'wrong_code',
        attemptsLeft: left,
      });
    expect((await follow(token, wrong)).body).toMatchObject({ code: 'attempts_exhausted' });
    expect((await follow(token, request.checkNumber)).status).not.toBe(200);
    expect((await recovery.request(request.requestId)).status).toBe('exhausted');
  });

  it('is dead once the phone has asked again, and once its time is over', async () => {
    const { owner, recovery, request, token } = await open();
    await recovery.start({ ...asked, email: owner.email });
    expect((await follow(token, request.checkNumber)).body).toMatchObject({
      code: 'recovery_link_expired',
    });
    const late = await open();
    await stack.expire(late.request.requestId);
    expect((await follow(late.token, late.request.checkNumber)).body).toMatchObject({
      code: 'recovery_link_expired',
    });
    const code = await stack.codeTo(late.owner.email);
    await expect(late.recovery.submitCode(late.request.requestId, code)).rejects.toMatchObject({
      code: 'code_expired',
    });
    expect((await late.recovery.request(late.request.requestId)).status).toBe('expired');
  });

  it('is refused when it is cut off or made up', async () => {
    const { request, token } = await open();
    for (const bad of [token.slice(0, -2), `${token.slice(0, -4)}AAAA`])
      expect((await follow(bad, request.checkNumber)).body).toMatchObject({
        code: 'recovery_link_invalid',
      });
  });

  it('is nobody else’s request', async () => {
    const { request } = await open();
    const stranger = stack.newPhone().latchkey.recovery;
    for (const act of [
      () => stranger.request(request.requestId),
      () => stranger.submitCode(request.requestId, '123456'),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'recovery_request_not_found' });
  });
});

describe('after a recovery', () => {
  it('the token says until when limits are lowered, a small payment is asked for all there is, and then no more', async () => {
    const owner = await stack.owner();
    await logIn(owner, owner.phone);
    const pay = (stepUpId: string) =>
      stack.run((tx) =>
        createStepUp(
          tx,
          { ...STEP_UP_TOOLS, personalData: stack.api.deps.personalData },
          {
            tenantId: stack.api.tenantId,
            stepUpId,
            requester: PAYMENTS,
            requesterName: 'Payments',
            customerId: owner.customerId,
            action: payment('40.00'),
            reference: stepUpId,
          },
        ),
      );
    const until = async () => {
      await logIn(owner, owner.phone);
      return decodeJwt(owner.phone.accessToken ?? '')['limited_until'];
    };
    expect((await pay(newId('ceremony'))).notRequired).toEqual({ required: 'none' });
    expect(await until()).toBeUndefined();

    const recoveryId = await stack.opened(stack.newPhone(), owner);
    const limit = (seconds: number) =>
      stack.run(
        (
          tx,
        ) => tx`update recovery set limited_until = latchkey_now() + make_interval(secs => ${seconds})
          where recovery_id = ${recoveryId}`,
      );
    await limit(60);
    expect(await until()).toBeGreaterThan(stack.api.clock.nowMs() / 1000);
    expect((await pay(newId('ceremony'))).stepUp?.required).toBe('latchkey:4');
    await limit(0);
    expect(await until()).toBeUndefined();
  });
});
