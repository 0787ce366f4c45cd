/** Step-ups opened and proved, as rows: what is signed, which proof counts for how long, and that nothing half-done is left. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resendStepUpCode } from '../../../db/step-up-codes.ts';
import { readStepUpEvidence } from '../../../db/step-up-evidence.ts';
import { openPreimage } from '../../../db/step-up-sealed.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import {
  approvalOf,
  approved,
  asked,
  CARDS,
  drive,
  guess,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  proveKeys,
  read,
  sentCode,
  show,
  STEP_UP_TOOLS,
  submit,
} from '../../setup/step-ups.ts';
import { StepUpRows } from '../../setup/beds/step-up-rows.ts';

const MINUTE = 60_000;

const bed = new StepUpRows();
const { run, askAndOpen, consume, status, topics } = bed;

beforeAll(() => bed.open());
afterAll(() => bed.close());
beforeEach(() => bed.newCustomer());

const refused = (code: string, extra: object = {}) => expect.objectContaining({ code, ...extra });

describe('opening', () => {
  it('answers the same text for the same device, language and context, and another one else', async () => {
    const stepUpId = await askAndOpen();
    const first = await run((tx) => show(tx, bed.customer, stepUpId));
    const again = await run((tx) => show(tx, bed.customer, stepUpId));
    expect(again.preimage).toBe(first.preimage);
    const onCall = { onCall: true, screenShared: false, accessibilityService: false };
    const other = await run((tx) => show(tx, bed.customer, stepUpId, { context: onCall }));
    expect(other.challenge).not.toEqual(first.challenge);
    expect(JSON.parse(other.preimage)).toMatchObject({
      stepUpId,
      customer: bed.customer.customerId,
      context: onCall,
      requester: { ...PAYMENTS, name: 'Payments' },
      epoch: 1,
    });
    expect(await run((tx) => openPreimage(tx, STEP_UP_TOOLS, other.record))).toBe(other.preimage);
  });

  it('is refused to another customer, to a device that is not trusted, and after its time', async () => {
    const stepUpId = await askAndOpen();
    const other = await run((tx) => insertStepUpCustomer(tx, bed.tenantId));
    await expect(run((tx) => show(tx, other, stepUpId))).rejects.toEqual(
      refused('step_up_not_found'),
    );
    await run(
      (tx) =>
        tx`update device set status = 'restricted' where device_id = ${bed.customer.deviceId}`,
    );
    await expect(run((tx) => show(tx, bed.customer, stepUpId))).rejects.toEqual(
      refused('device_not_allowed'),
    );
    bed.nowMs += 5 * MINUTE;
    await expect(run((tx) => show(tx, bed.customer, stepUpId))).rejects.toEqual(
      refused('step_up_expired'),
    );
  });

  it('is refused before it has started and once the keys were good', async () => {
    const starting = await run((tx) => asked(tx, bed.customer));
    await expect(run((tx) => show(tx, bed.customer, starting))).rejects.toEqual(
      refused('wrong_step'),
    );
    await run((tx) => drive(tx, bed.customer, starting, { event: 'opened' }));
    const opened = await run((tx) => show(tx, bed.customer, starting));
    await run((tx) => proveKeys(tx, bed.customer, starting, opened));
    await expect(run((tx) => show(tx, bed.customer, starting))).rejects.toEqual(
      refused('wrong_step'),
    );
  });
});

describe('proving', () => {
  it('approves by passkey and key, with evidence, event and a call back', async () => {
    const stepUpId = await approved(run, bed.customer);
    expect(await status(stepUpId)).toBe('approved');
    expect(await topics(stepUpId)).toEqual(['push.send', 'callback.send', 'receipt.seal']);
    const evidence = await run((tx) =>
      readStepUpEvidence(tx, STEP_UP_TOOLS, { tenantId: bed.tenantId, stepUpId }),
    );
    expect(evidence).toMatchObject({
      keys: {
        assertion: { id: bed.customer.credentialId },
        device: { deviceId: bed.customer.deviceId, attestationLevel: 'software' },
        sessionId: bed.customer.sessionId,
        risk: 'not_evaluated',
        auditId: expect.stringMatching(/^aud_/),
      },
      code: null,
    });
  });

  it('asks for a code after the keys when the value is high, and only then sends it', async () => {
    const stepUpId = await askAndOpen('40000.00');
    const opened = await run((tx) => show(tx, bed.customer, stepUpId));
    expect(await topics(stepUpId)).toEqual(['push.send']);
    await run((tx) => proveKeys(tx, bed.customer, stepUpId, opened));
    expect(await status(stepUpId)).toBe('second_factor');
    expect(await topics(stepUpId)).toEqual(['push.send', 'message.sms']);
    const code = await run((tx) => sentCode(tx, bed.customer, stepUpId));
    const wrong = code === '000000' ? '000001' : '000000';
    expect(await run((tx) => guess(tx, bed.customer, stepUpId, wrong))).toMatchObject({
      fact: 'code_wrong',
      attemptsLeft: 4,
    });
    expect(await run((tx) => guess(tx, bed.customer, stepUpId, code))).toMatchObject({
      fact: 'code_matched',
    });
    await run((tx) => drive(tx, bed.customer, stepUpId, { event: 'code_matched' }));
    expect(await status(stepUpId)).toBe('approved');
    const used = await consume(stepUpId, { action: payment('40000.00') });
    expect(used.acr).toBe('latchkey:4');
    const evidence = await run((tx) =>
      readStepUpEvidence(tx, STEP_UP_TOOLS, { tenantId: bed.tenantId, stepUpId }),
    );
    expect(evidence.code).toMatchObject({ method: 'sms_otp' });
  });

  it('takes no message to a workflow for a proof', async () => {
    const stepUpId = await askAndOpen('40000.00');
    await expect(
      run((tx) => drive(tx, bed.customer, stepUpId, { event: 'keys_proved' })),
    ).rejects.toEqual(refused('approval_invalid'));
    const opened = await run((tx) => show(tx, bed.customer, stepUpId));
    await run((tx) => proveKeys(tx, bed.customer, stepUpId, opened));
    await expect(
      run((tx) => drive(tx, bed.customer, stepUpId, { event: 'code_matched' })),
    ).rejects.toEqual(refused('wrong_step'));
    for (const event of ['consumed', 'not_me', 'cancelled', 'superseded', 'revoked'] as const) {
      await expect(
        // A message could carry any word.
        run((tx) => drive(tx, bed.customer, stepUpId, { event: event as never })),
      ).rejects.toEqual(refused('wrong_step'));
    }
  });

  it.each([
    ['a former opening', 'approval_invalid'],
    ['another step-up', 'approval_invalid'],
    ['another device', 'approval_invalid'],
    ['a key that signed something else', 'approval_invalid'],
    ['a session that has ended', 'session_ended'],
    ['a device that was restricted', 'device_not_allowed'],
    ['a passkey that was revoked', 'credential_unknown'],
    ['a passkey of somebody else', 'credential_unknown'],
    ['a customer who was cut off', 'revoked'],
    ['an approval that was handed in before', 'wrong_step'],
  ] as const)('refuses %s', async (what, code) => {
    const stepUpId = await askAndOpen();
    const opened = await run((tx) => show(tx, bed.customer, stepUpId));
    let approval = approvalOf(bed.customer, opened);
    const other = await run((tx) => insertStepUpCustomer(tx, bed.tenantId));
    await run(async (tx) => {
      if (what === 'a former opening') await show(tx, bed.customer, stepUpId, { locale: 'de' });
      if (what === 'another step-up') {
        const id = await asked(tx, bed.customer, { requester: CARDS });
        await drive(tx, bed.customer, id, { event: 'opened' });
        approval = approvalOf(bed.customer, await show(tx, bed.customer, id));
      }
      if (what === 'another device') approval = { ...approval, deviceId: other.deviceId };
      if (what === 'a key that signed something else')
        approval = {
          ...approval,
          approvalSignature: approvalOf(other, { ...opened, challenge: new Uint8Array(32) })
            .approvalSignature,
        };
      if (what === 'a session that has ended')
        await tx`update session set status = 'ended', end_reason = 'logged_out', ended_at = latchkey_now() where session_id = ${bed.customer.sessionId}`;
      if (what === 'a device that was restricted')
        await tx`update device set status = 'restricted' where device_id = ${bed.customer.deviceId}`;
      if (what === 'a passkey that was revoked')
        await tx`update credential set status = 'revoked' where credential_id = ${bed.customer.credentialId}`;
      if (what === 'a passkey of somebody else')
        approval = { ...approval, credentialId: other.credentialId };
      if (what === 'a customer who was cut off') await cutOffCustomer(tx, bed.customer);
    });
    if (what === 'an approval that was handed in before')
      await run((tx) => proveKeys(tx, bed.customer, stepUpId, opened));
    await expect(
      run(async (tx) => {
        const handed = { step: 'step_up_approval', payload: approval } as const;
        const submissionId = await submit(tx, bed.customer, stepUpId, handed);
        await drive(tx, bed.customer, stepUpId, { event: 'keys_proved', submissionId });
      }),
    ).rejects.toEqual(refused(code));
  });

  it('denies for its risk when the passkey’s counter goes back, and says so in the audit', async () => {
    const stepUpId = await askAndOpen();
    await run(
      (tx) =>
        tx`update credential set sign_count = 9 where credential_id = ${bed.customer.credentialId}`,
    );
    const opened = await run((tx) => show(tx, bed.customer, stepUpId));
    expect(await run((tx) => proveKeys(tx, bed.customer, stepUpId, opened))).toEqual({
      fact: 'risk_refused',
    });
    await run((tx) => drive(tx, bed.customer, stepUpId, { event: 'risk_refused' }));
    expect(await status(stepUpId)).toBe('denied');
    const rows = await run(
      (tx) =>
        tx`select 1 from audit where action = 'credential.counter_regressed' and ceremony_id = ${stepUpId}`,
    );
    expect(rows).toHaveLength(1);
  });

  it('raises what is asked for by what the app reports, and never lowers it again', async () => {
    const stepUpId = await askAndOpen();
    const context = { onCall: true, screenShared: true, accessibilityService: true };
    const before = await run((tx) => read(tx, bed.tenantId, stepUpId));
    const reported = (await run((tx) => show(tx, bed.customer, stepUpId, { context }))).record;
    const unsaid = (await run((tx) => show(tx, bed.customer, stepUpId))).record;
    expect([unsaid.required, unsaid.delaySeconds]).toEqual([
      reported.required,
      reported.delaySeconds,
    ]);
    expect(reported.required === 'latchkey:4' || reported.delaySeconds > before.delaySeconds).toBe(
      true,
    );
  });

  it('ends denied when the codes are used up, and sends no more than the policy allows', async () => {
    const stepUpId = await askAndOpen('40000.00');
    const opened = await run((tx) => show(tx, bed.customer, stepUpId));
    await run((tx) => proveKeys(tx, bed.customer, stepUpId, opened));
    const again = async () => {
      await run(async (tx) => {
        const submissionId = await submit(tx, bed.customer, stepUpId, {
          step: 'step_up_resend',
          payload: {},
        });
        await resendStepUpCode(tx, STEP_UP_TOOLS, {
          tenantId: bed.tenantId,
          stepUpId,
          submissionId,
        });
      });
    };
    await expect(again()).rejects.toEqual(refused('resend_too_soon'));
    for (let sent = 1; sent < DEFAULT_POLICY.otp.maxSends; sent += 1) {
      bed.nowMs += DEFAULT_POLICY.otp.resendCoolDownSeconds * 1000;
      await again();
    }
    bed.nowMs += DEFAULT_POLICY.otp.resendCoolDownSeconds * 1000;
    await expect(again()).rejects.toEqual(refused('resends_exhausted'));
    const code = await run((tx) => sentCode(tx, bed.customer, stepUpId));
    const wrong = code === '000000' ? '000001' : '000000';
    for (let tries = 1; tries < DEFAULT_POLICY.otp.maxWrong; tries += 1)
      await run((tx) => guess(tx, bed.customer, stepUpId, wrong));
    expect(await run((tx) => guess(tx, bed.customer, stepUpId, wrong))).toMatchObject({
      fact: 'code_exhausted',
    });
    // The right one comes too late, and a workflow that believes otherwise is told what the rows say.
    expect(await run((tx) => guess(tx, bed.customer, stepUpId, code))).toMatchObject({
      fact: 'code_exhausted',
    });
    expect(await run((tx) => drive(tx, bed.customer, stepUpId, { event: 'code_matched' }))).toEqual(
      {
        fact: 'code_exhausted',
      },
    );
    await run((tx) => drive(tx, bed.customer, stepUpId, { event: 'code_exhausted' }));
    expect(await run((tx) => read(tx, bed.tenantId, stepUpId))).toMatchObject({
      outcome: 'denied',
      reason: 'wrong_codes',
    });
  });

  it('answers a repeated move as it stands, and a stale one by what stands there instead', async () => {
    const stepUpId = await run((tx) => asked(tx, bed.customer));
    const first = await run((tx) => drive(tx, bed.customer, stepUpId, { event: 'opened' }));
    const advance = {
      tenantId: bed.tenantId,
      stepUpId,
      event: 'opened',
      submissionId: null,
    } as const;
    const { advanceStepUp } = await import('../../../db/step-up-moves.ts');
    const repeat = await run((tx) =>
      advanceStepUp(tx, STEP_UP_TOOLS, {
        ...advance,
        from: { state: 'starting', seq: 0 },
        to: 'open',
      }),
    );
    expect(repeat).toMatchObject({ isMoved: true, snapshot: { state: 'open', seq: 1 } });
    expect(first).toMatchObject({ isMoved: true });
    const stale = await run((tx) =>
      advanceStepUp(tx, STEP_UP_TOOLS, {
        ...advance,
        from: { state: 'starting', seq: 7 },
        to: 'open',
      }),
    );
    expect(stale).toMatchObject({ isMoved: false, snapshot: { state: 'open', seq: 1 } });
  });
});
