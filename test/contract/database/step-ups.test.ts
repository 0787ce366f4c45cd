/** Step-ups as rows: what each transaction writes and refuses, who may do it, and that nothing half-done is left. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { endRevokedRows } from '../../../db/revocation.ts';
import { resendStepUpCode } from '../../../db/step-up-codes.ts';
import { consumeStepUp } from '../../../db/step-up-consume.ts';
import type { StepUpUse } from '../../../db/step-up-consume.ts';
import type { NewStepUp } from '../../../db/step-up-create.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import type { StepUpEnd } from '../../../db/step-up-ends.ts';
import { readStepUpEvidence } from '../../../db/step-up-evidence.ts';
import { openPreimage, openRequest } from '../../../db/step-up-sealed.ts';
import { listStepUps } from '../../../db/step-up.ts';
import { createSweepPort } from '../../../db/sweeping.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { statusOf } from '../../../domain/step-up-status.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { ROOMY_POLICY, seedDemoTenant } from '../../setup/demo-tenant.ts';
import { faultsOf, typesOf, typesSeen } from '../../setup/emitted-events.ts';
import type { EmittedEvent } from '../../setup/emitted-events.ts';
import {
  approvalOf,
  approved,
  ask,
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
import type { StepUpCustomer } from '../../setup/step-ups.ts';

const MINUTE = 60_000;

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let nowMs = Date.parse('2027-03-01T10:00:00Z');
let customer: StepUpCustomer;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const policy = { ...ROOMY_POLICY, stepUp: { ...DEFAULT_POLICY.stepUp, holdOnNotMe: 1 } };
  tenantId = await seedDemoTenant(testDatabase, { policy });
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
});

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);
const sweeper = () => createSweepPort(database, STEP_UP_TOOLS.personalData);
const open = async (amount = '400.00') => {
  const stepUpId = await run((tx) => asked(tx, customer, { action: payment(amount) }));
  await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
  return stepUpId;
};
const consume = (stepUpId: string, changes: Partial<StepUpUse> = {}) =>
  run((tx) =>
    consumeStepUp(tx, STEP_UP_TOOLS, {
      tenantId,
      stepUpId,
      requester: PAYMENTS,
      action: payment('400.00'),
      ...changes,
    }),
  );
type End = { event: 'denied'; reason: 'not_me' | 'declined' } | { event: 'cancelled' };
const end = (stepUpId: string, how: End, changes: Partial<StepUpEnd> = {}) =>
  run((tx) =>
    endStepUp(tx, STEP_UP_TOOLS, {
      tenantId,
      stepUpId,
      actor: { kind: 'customer', id: customer.customerId },
      ...how,
      ...changes,
    } as StepUpEnd),
  );
const status = async (stepUpId: string) =>
  statusOf(await run((tx) => read(tx, tenantId, stepUpId)));
const dayTotal = async () => {
  const [row] = await run(
    async (tx) =>
      await tx<{ total: string }[]>`
        select total_minor as total from step_up_spend where customer_id = ${customer.customerId} and currency = 'NZD'`,
  );
  return Number(row?.total ?? 0);
};
const topics = async (stepUpId: string) =>
  await run(async (tx) =>
    (
      await tx<{ topic: string }[]>`
        select topic from outbox
        where payload->>'stepUpId' = ${stepUpId} or subject = ${stepUpId}
          or payload->>'attemptId' in (select attempt_id from step_attempt where ceremony_id = ${stepUpId})
        order by position`
    ).map(({ topic }) => topic),
  );
const refused = (code: string, extra: object = {}) => expect.objectContaining({ code, ...extra });

describe('asking', () => {
  it('needs no approval below every threshold, and counts the amount all the same', async () => {
    const small = await run((tx) => ask(tx, customer, { action: payment('40.00') }));
    expect(small).toEqual({ notRequired: { required: 'none' } });
    expect(await dayTotal()).toBe(4000);
  });

  it('needs passkey and key for 400, and a code too for 40000', async () => {
    const middle = await run((tx) => ask(tx, customer));
    const high = await run((tx) =>
      ask(tx, customer, { requester: CARDS, action: payment('40000.00') }),
    );
    expect(middle.stepUp).toMatchObject({ required: 'latchkey:3', state: 'starting' });
    expect(high.stepUp).toMatchObject({ required: 'latchkey:4' });
  });

  it('tells nobody before its workflow runs, and then the customer', async () => {
    const stepUpId = await run((tx) => asked(tx, customer));
    expect(await topics(stepUpId)).toEqual([]);
    expect(await run((tx) => listStepUps(tx, customer))).toEqual([]);
    await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
    expect(await topics(stepUpId)).toEqual(['push.send']);
    expect(await run((tx) => listStepUps(tx, customer))).toMatchObject([{ stepUpId }]);
  });

  it('keeps what was asked for where only the customer’s key opens it', async () => {
    const stepUpId = await run((tx) => asked(tx, customer));
    const record = await run((tx) => read(tx, tenantId, stepUpId));
    expect(
      JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? null : value)),
    ).not.toContain('Mere');
    expect(await run((tx) => openRequest(tx, STEP_UP_TOOLS, record))).toMatchObject({
      action: { payee: { name: 'Mere Kahu' } },
      requesterName: 'Payments',
    });
  });

  it('is refused for a customer that is not there or on hold, and for another’s device and session', async () => {
    const other = await run((tx) => insertStepUpCustomer(tx, tenantId));
    const asking = (changes: object) => run((tx) => ask(tx, customer, changes));
    await expect(asking({ customerId: 'cus_x' })).rejects.toEqual(refused('not_found'));
    await expect(asking({ deviceId: other.deviceId })).rejects.toEqual(
      refused('device_not_allowed'),
    );
    await expect(asking({ sessionId: other.sessionId })).rejects.toEqual(refused('session_ended'));
    await run((tx) => cutOffCustomer(tx, customer));
    await expect(asking({})).rejects.toEqual(refused('customer_on_hold'));
    expect(await dayTotal()).toBe(0);
  });

  it('waits for one answer at a time of a requester, and names the one that is waited for', async () => {
    const stepUpId = await open();
    await expect(run((tx) => ask(tx, customer))).rejects.toEqual(
      refused('step_up_pending', { extra: { stepUpId } }),
    );
    // Nothing of the refused one is counted; another requester has a place of its own.
    expect(await dayTotal()).toBe(40_000);
    await run((tx) => asked(tx, customer, { requester: CARDS }));
  });

  it.each(['starting', 'open', 'approved'] as const)(
    'supersedes one that is %s when it is for the same reference',
    async (state) => {
      const request = { reference: 'order 4711' };
      const older =
        state === 'approved'
          ? await approved(run, customer, request)
          : await run((tx) => asked(tx, customer, request));
      if (state === 'open') await run((tx) => drive(tx, customer, older, { event: 'opened' }));
      const newer = await run((tx) => asked(tx, customer, request));
      expect(await status(older)).toBe('superseded');
      expect(await status(newer)).toBe('pending');
      expect(await dayTotal()).toBe(40_000);
      expect(await topics(older)).toContain('ceremony.signal');
      await expect(consume(older)).rejects.toEqual(refused('step_up_ended'));
    },
  );

  it('leaves an approval for another reference alone', async () => {
    const older = await approved(run, customer);
    await run((tx) => asked(tx, customer));
    expect((await consume(older)).isRepeat).toBe(false);
  });

  it('takes the place of one whose time has passed while no workflow lived', async () => {
    const older = await open();
    nowMs += 5 * MINUTE;
    const newer = await run((tx) => asked(tx, customer));
    expect(await status(older)).toBe('expired');
    expect(await status(newer)).toBe('pending');
    expect(await dayTotal()).toBe(40_000);
  });
});

describe('two refusals', () => {
  const decline = { event: 'denied', reason: 'declined' } as const;

  it('pause that requester for that customer, and it decays', async () => {
    await end(await open(), decline);
    await end(await open(), decline);
    await expect(run((tx) => ask(tx, customer))).rejects.toEqual(
      refused('step_ups_paused', { retryAfterSeconds: DEFAULT_POLICY.stepUp.pauseSeconds }),
    );
    // What the customer need not be asked goes on, and so does everybody else.
    const small = { action: payment('4.00') };
    expect((await run((tx) => ask(tx, customer, small))).notRequired).toBeDefined();
    await run((tx) => asked(tx, customer, { requester: CARDS }));
    nowMs += DEFAULT_POLICY.stepUp.pauseSeconds * 1000 - 1;
    await expect(run((tx) => ask(tx, customer))).rejects.toEqual(refused('step_ups_paused'));
    nowMs += 1;
    await run((tx) => asked(tx, customer));
  });

  it('far apart pause nothing, and neither does one that somebody else caused', async () => {
    await end(await open(), decline);
    nowMs += DEFAULT_POLICY.stepUp.denialWindowSeconds * 1000 + 1;
    await end(await open(), decline);
    await end(await open(), { event: 'cancelled' });
    const risky = await open();
    await run((tx) => drive(tx, customer, risky, { event: 'risk_refused' }));
    expect(await status(risky)).toBe('denied');
    await run((tx) => asked(tx, customer));
  });
});

describe('prompts that nobody answered', () => {
  const { unansweredToPause, unansweredWindowSeconds } = DEFAULT_POLICY.stepUp;
  const again = (request: Partial<NewStepUp> = {}) =>
    run((tx) => asked(tx, customer, { reference: 'order 1', ...request }));

  it('are so many of one requester, whether it asks anew or takes back and asks, and it decays', async () => {
    const first = nowMs;
    for (let prompts = 1; prompts < unansweredToPause; prompts += 1) {
      const stepUpId = await again();
      nowMs += 1000;
      if (prompts === 1) await end(stepUpId, { event: 'cancelled' });
    }
    const last = await again();
    await run((tx) => drive(tx, customer, last, { event: 'opened' }));
    const waitSeconds = unansweredWindowSeconds - (nowMs - first) / 1000;
    await expect(again()).rejects.toEqual(
      refused('too_many_requests', { retryAfterSeconds: waitSeconds }),
    );
    // Refused, it has taken nobody's place.
    expect(await status(last)).toBe('pending');
    await again({ requester: CARDS });
    nowMs = first + unansweredWindowSeconds * 1000 - 1;
    await expect(again()).rejects.toEqual(refused('too_many_requests'));
    nowMs += 1;
    await again();
  });

  it('are not those that the customer answered, and not those of other customers', async () => {
    for (let prompts = 0; prompts < unansweredToPause; prompts += 1)
      await end(await again(), { event: 'denied', reason: 'declined' }).then(() => {
        nowMs += DEFAULT_POLICY.stepUp.pauseSeconds * 1000;
      });
    for (let prompts = 1; prompts < unansweredToPause; prompts += 1) await again();
    customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
    expect(await status(await again())).toBe('pending');
  });

  it('count those too whose time ran out', async () => {
    for (let prompts = 0; prompts < unansweredToPause; prompts += 1) {
      const stepUpId = await again();
      await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
    }
    nowMs += DEFAULT_POLICY.stepUp.approveSeconds * 1000;
    await expect(again()).rejects.toEqual(refused('too_many_requests'));
  });
});

describe('opening', () => {
  it('answers the same text for the same device, language and context, and another one else', async () => {
    const stepUpId = await open();
    const first = await run((tx) => show(tx, customer, stepUpId));
    const again = await run((tx) => show(tx, customer, stepUpId));
    expect(again.preimage).toBe(first.preimage);
    const onCall = { onCall: true, screenShared: false, accessibilityService: false };
    const other = await run((tx) => show(tx, customer, stepUpId, { context: onCall }));
    expect(other.challenge).not.toEqual(first.challenge);
    expect(JSON.parse(other.preimage)).toMatchObject({
      stepUpId,
      customer: customer.customerId,
      context: onCall,
      requester: { ...PAYMENTS, name: 'Payments' },
      epoch: 1,
    });
    expect(await run((tx) => openPreimage(tx, STEP_UP_TOOLS, other.record))).toBe(other.preimage);
  });

  it('is refused to another customer, to a device that is not trusted, and after its time', async () => {
    const stepUpId = await open();
    const other = await run((tx) => insertStepUpCustomer(tx, tenantId));
    await expect(run((tx) => show(tx, other, stepUpId))).rejects.toEqual(
      refused('step_up_not_found'),
    );
    await run(
      (tx) => tx`update device set status = 'restricted' where device_id = ${customer.deviceId}`,
    );
    await expect(run((tx) => show(tx, customer, stepUpId))).rejects.toEqual(
      refused('device_not_allowed'),
    );
    nowMs += 5 * MINUTE;
    await expect(run((tx) => show(tx, customer, stepUpId))).rejects.toEqual(
      refused('step_up_expired'),
    );
  });

  it('is refused before it has started and once the keys were good', async () => {
    const starting = await run((tx) => asked(tx, customer));
    await expect(run((tx) => show(tx, customer, starting))).rejects.toEqual(refused('wrong_step'));
    await run((tx) => drive(tx, customer, starting, { event: 'opened' }));
    const opened = await run((tx) => show(tx, customer, starting));
    await run((tx) => proveKeys(tx, customer, starting, opened));
    await expect(run((tx) => show(tx, customer, starting))).rejects.toEqual(refused('wrong_step'));
  });
});

describe('proving', () => {
  it('approves by passkey and key, with evidence, event and a call back', async () => {
    const stepUpId = await approved(run, customer);
    expect(await status(stepUpId)).toBe('approved');
    expect(await topics(stepUpId)).toEqual(['push.send', 'callback.send']);
    const evidence = await run((tx) =>
      readStepUpEvidence(tx, STEP_UP_TOOLS, { tenantId, stepUpId }),
    );
    expect(evidence).toMatchObject({
      keys: {
        assertion: { id: customer.credentialId },
        device: { deviceId: customer.deviceId, attestationLevel: 'software' },
        sessionId: customer.sessionId,
        risk: 'not_evaluated',
        auditId: expect.stringMatching(/^aud_/),
      },
      code: null,
    });
  });

  it('asks for a code after the keys when the value is high, and only then sends it', async () => {
    const stepUpId = await open('40000.00');
    const opened = await run((tx) => show(tx, customer, stepUpId));
    expect(await topics(stepUpId)).toEqual(['push.send']);
    await run((tx) => proveKeys(tx, customer, stepUpId, opened));
    expect(await status(stepUpId)).toBe('second_factor');
    expect(await topics(stepUpId)).toEqual(['push.send', 'message.sms']);
    const code = await run((tx) => sentCode(tx, customer, stepUpId));
    const wrong = code === '000000' ? '000001' : '000000';
    expect(await run((tx) => guess(tx, customer, stepUpId, wrong))).toMatchObject({
      fact: 'code_wrong',
      attemptsLeft: 4,
    });
    expect(await run((tx) => guess(tx, customer, stepUpId, code))).toMatchObject({
      fact: 'code_matched',
    });
    await run((tx) => drive(tx, customer, stepUpId, { event: 'code_matched' }));
    expect(await status(stepUpId)).toBe('approved');
    const used = await consume(stepUpId, { action: payment('40000.00') });
    expect(used.acr).toBe('latchkey:4');
    const evidence = await run((tx) =>
      readStepUpEvidence(tx, STEP_UP_TOOLS, { tenantId, stepUpId }),
    );
    expect(evidence.code).toMatchObject({ method: 'sms_otp' });
  });

  it('takes no message to a workflow for a proof', async () => {
    const stepUpId = await open('40000.00');
    await expect(
      run((tx) => drive(tx, customer, stepUpId, { event: 'keys_proved' })),
    ).rejects.toEqual(refused('approval_invalid'));
    const opened = await run((tx) => show(tx, customer, stepUpId));
    await run((tx) => proveKeys(tx, customer, stepUpId, opened));
    await expect(
      run((tx) => drive(tx, customer, stepUpId, { event: 'code_matched' })),
    ).rejects.toEqual(refused('wrong_step'));
    for (const event of ['consumed', 'not_me', 'cancelled', 'superseded', 'revoked'] as const) {
      await expect(
        // A message could carry any word.
        run((tx) => drive(tx, customer, stepUpId, { event: event as never })),
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
    const stepUpId = await open();
    const opened = await run((tx) => show(tx, customer, stepUpId));
    let approval = approvalOf(customer, opened);
    const other = await run((tx) => insertStepUpCustomer(tx, tenantId));
    await run(async (tx) => {
      if (what === 'a former opening') await show(tx, customer, stepUpId, { locale: 'de' });
      if (what === 'another step-up') {
        const id = await asked(tx, customer, { requester: CARDS });
        await drive(tx, customer, id, { event: 'opened' });
        approval = approvalOf(customer, await show(tx, customer, id));
      }
      if (what === 'another device') approval = { ...approval, deviceId: other.deviceId };
      if (what === 'a key that signed something else')
        approval = {
          ...approval,
          approvalSignature: approvalOf(other, { ...opened, challenge: new Uint8Array(32) })
            .approvalSignature,
        };
      if (what === 'a session that has ended')
        await tx`update session set status = 'ended', end_reason = 'logged_out', ended_at = latchkey_now() where session_id = ${customer.sessionId}`;
      if (what === 'a device that was restricted')
        await tx`update device set status = 'restricted' where device_id = ${customer.deviceId}`;
      if (what === 'a passkey that was revoked')
        await tx`update credential set status = 'revoked' where credential_id = ${customer.credentialId}`;
      if (what === 'a passkey of somebody else')
        approval = { ...approval, credentialId: other.credentialId };
      if (what === 'a customer who was cut off') await cutOffCustomer(tx, customer);
    });
    if (what === 'an approval that was handed in before')
      await run((tx) => proveKeys(tx, customer, stepUpId, opened));
    await expect(
      run(async (tx) => {
        const handed = { step: 'step_up_approval', payload: approval } as const;
        const submissionId = await submit(tx, customer, stepUpId, handed);
        await drive(tx, customer, stepUpId, { event: 'keys_proved', submissionId });
      }),
    ).rejects.toEqual(refused(code));
  });

  it('denies for its risk when the passkey’s counter goes back, and says so in the audit', async () => {
    const stepUpId = await open();
    await run(
      (tx) =>
        tx`update credential set sign_count = 9 where credential_id = ${customer.credentialId}`,
    );
    const opened = await run((tx) => show(tx, customer, stepUpId));
    expect(await run((tx) => proveKeys(tx, customer, stepUpId, opened))).toEqual({
      fact: 'risk_refused',
    });
    await run((tx) => drive(tx, customer, stepUpId, { event: 'risk_refused' }));
    expect(await status(stepUpId)).toBe('denied');
    const rows = await run(
      (tx) =>
        tx`select 1 from audit where action = 'credential.counter_regressed' and ceremony_id = ${stepUpId}`,
    );
    expect(rows).toHaveLength(1);
  });

  it('raises what is asked for by what the app reports, and never lowers it again', async () => {
    const stepUpId = await open();
    const context = { onCall: true, screenShared: true, accessibilityService: true };
    const before = await run((tx) => read(tx, tenantId, stepUpId));
    const reported = (await run((tx) => show(tx, customer, stepUpId, { context }))).record;
    const unsaid = (await run((tx) => show(tx, customer, stepUpId))).record;
    expect([unsaid.required, unsaid.delaySeconds]).toEqual([
      reported.required,
      reported.delaySeconds,
    ]);
    expect(reported.required === 'latchkey:4' || reported.delaySeconds > before.delaySeconds).toBe(
      true,
    );
  });

  it('ends denied when the codes are used up, and sends no more than the policy allows', async () => {
    const stepUpId = await open('40000.00');
    const opened = await run((tx) => show(tx, customer, stepUpId));
    await run((tx) => proveKeys(tx, customer, stepUpId, opened));
    const again = async () => {
      await run(async (tx) => {
        const submissionId = await submit(tx, customer, stepUpId, {
          step: 'step_up_resend',
          payload: {},
        });
        await resendStepUpCode(tx, STEP_UP_TOOLS, { tenantId, stepUpId, submissionId });
      });
    };
    await expect(again()).rejects.toEqual(refused('resend_too_soon'));
    for (let sent = 1; sent < DEFAULT_POLICY.otp.maxSends; sent += 1) {
      nowMs += DEFAULT_POLICY.otp.resendCoolDownSeconds * 1000;
      await again();
    }
    nowMs += DEFAULT_POLICY.otp.resendCoolDownSeconds * 1000;
    await expect(again()).rejects.toEqual(refused('resends_exhausted'));
    const code = await run((tx) => sentCode(tx, customer, stepUpId));
    const wrong = code === '000000' ? '000001' : '000000';
    for (let tries = 1; tries < DEFAULT_POLICY.otp.maxWrong; tries += 1)
      await run((tx) => guess(tx, customer, stepUpId, wrong));
    expect(await run((tx) => guess(tx, customer, stepUpId, wrong))).toMatchObject({
      fact: 'code_exhausted',
    });
    // The right one comes too late, and a workflow that believes otherwise is told what the rows say.
    expect(await run((tx) => guess(tx, customer, stepUpId, code))).toMatchObject({
      fact: 'code_exhausted',
    });
    expect(await run((tx) => drive(tx, customer, stepUpId, { event: 'code_matched' }))).toEqual({
      fact: 'code_exhausted',
    });
    await run((tx) => drive(tx, customer, stepUpId, { event: 'code_exhausted' }));
    expect(await run((tx) => read(tx, tenantId, stepUpId))).toMatchObject({
      outcome: 'denied',
      reason: 'wrong_codes',
    });
  });

  it('answers a repeated move as it stands, and a stale one by what stands there instead', async () => {
    const stepUpId = await run((tx) => asked(tx, customer));
    const first = await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
    const advance = { tenantId, stepUpId, event: 'opened', submissionId: null } as const;
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

describe('using', () => {
  it('happens once; the same requester with the same action is told the old fact', async () => {
    const stepUpId = await approved(run, customer);
    const first = await consume(stepUpId);
    expect(first).toMatchObject({ isRepeat: false, acr: 'latchkey:3', revokedSinceMs: null });
    nowMs += 1000;
    const again = await consume(stepUpId);
    expect(again).toMatchObject({ isRepeat: true, consumedAtMs: first.consumedAtMs });
    // What was used stays in the day's total.
    expect(await dayTotal()).toBe(40_000);
    expect(await topics(stepUpId)).toContain('ceremony.signal');
  });

  it('is told, after a cut-off, since when it would not be granted any more', async () => {
    const stepUpId = await approved(run, customer);
    const { consumedAtMs } = await consume(stepUpId);
    nowMs += 1000;
    await run((tx) => cutOffCustomer(tx, customer));
    expect(await consume(stepUpId)).toMatchObject({
      isRepeat: true,
      consumedAtMs,
      revokedSinceMs: nowMs,
    });
  });

  it('is refused to another requester, for another action, and before it was approved', async () => {
    const stepUpId = await open();
    await expect(consume(stepUpId)).rejects.toEqual(refused('step_up_not_approved'));
    const opened = await run((tx) => show(tx, customer, stepUpId));
    await run((tx) => proveKeys(tx, customer, stepUpId, opened));
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
    const stepUpId = await approved(run, customer);
    nowMs += DEFAULT_POLICY.stepUp.consumeSeconds * 1000 - 1;
    const { stepUp } = await consume(stepUpId);
    expect(stepUp.state).toBe('ended');
    const late = await approved(run, customer);
    nowMs += DEFAULT_POLICY.stepUp.consumeSeconds * 1000;
    await expect(consume(late)).rejects.toEqual(refused('step_up_expired'));
  });

  it.each([
    ['a cut-off', 'revoked'],
    ['a device that was restricted', 'device_not_allowed'],
    ['a passkey that was suspended', 'credential_unknown'],
  ] as const)('is refused after %s', async (what, code) => {
    const stepUpId = await approved(run, customer);
    await run(async (tx) => {
      if (what === 'a cut-off') await cutOffCustomer(tx, customer);
      else if (what === 'a device that was restricted')
        await tx`update device set status = 'restricted' where device_id = ${customer.deviceId}`;
      else
        await tx`update credential set status = 'suspended' where credential_id = ${customer.credentialId}`;
    });
    await expect(consume(stepUpId)).rejects.toEqual(refused(code));
    expect(await status(stepUpId)).toBe('approved');
  });
});

describe('ending', () => {
  it.each(['open', 'approved'] as const)(
    '“not me” ends one that is %s and, by policy, places a hold in the same transaction',
    async (state) => {
      const stepUpId = state === 'open' ? await open() : await approved(run, customer);
      const ended = await end(stepUpId, { event: 'denied', reason: 'not_me' });
      expect(ended.cutOff).toMatchObject({ oldEpoch: 1, newEpoch: 2, devices: 1 });
      expect(await status(stepUpId)).toBe('denied');
      expect(await dayTotal()).toBe(0);
      await expect(run((tx) => ask(tx, customer))).rejects.toEqual(refused('customer_on_hold'));
      const again = await end(stepUpId, { event: 'denied', reason: 'not_me' });
      expect(again).toMatchObject({ isRepeat: true, cutOff: undefined });
    },
  );

  it('is anybody’s only who may: another customer and another requester find nothing', async () => {
    const stepUpId = await open();
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
    const first = await approved(run, customer);
    const second = await run((tx) => asked(tx, customer, { requester: CARDS }));
    const cut = await run((tx) => cutOffCustomer(tx, customer));
    const revocationId = cut?.revocationId ?? '';
    await run((tx) => endRevokedRows(tx, { tenantId, revocationId }));
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
    const starting = await run((tx) => asked(tx, customer));
    const unused = await approved(run, customer, { requester: CARDS });
    const sweep = () => sweeper().sweepTenant(tenantId);
    nowMs += 6 * MINUTE - 1;
    await sweep();
    expect(await status(starting)).toBe('pending');
    nowMs += 1;
    await sweep();
    expect(await run((tx) => read(tx, tenantId, starting))).toMatchObject({
      reason: 'never_started',
    });
    expect(await status(unused)).toBe('approved');
    nowMs += 5 * MINUTE;
    await sweep();
    expect(await run((tx) => read(tx, tenantId, unused))).toMatchObject({ reason: 'not_consumed' });
    expect(await dayTotal()).toBe(0);
  });

  it('lets totals of days that are long past go', async () => {
    await run((tx) => ask(tx, customer, { action: payment('4.00') }));
    nowMs += 7 * 24 * 60 * MINUTE;
    await sweeper().sweepTenant(tenantId);
    expect(await dayTotal()).toBe(400);
    nowMs += 24 * 60 * MINUTE;
    await sweeper().sweepTenant(tenantId);
    expect(await dayTotal()).toBe(0);
  });
});

describe('the day’s total', () => {
  it('asks for more once it passes the threshold, however small the parts, and begins anew with the day', async () => {
    const part = { action: payment('90.00') };
    const answers: unknown[] = [];
    for (let count = 0; count < 10; count += 1) {
      const { notRequired } = await run((tx) => ask(tx, customer, part));
      answers.push(notRequired?.required ?? 'asked');
      if (notRequired === undefined) break;
    }
    expect(answers.at(0)).toBe('none');
    expect(answers.at(-1)).toBe('asked');
    nowMs += 24 * 60 * MINUTE;
    const other = { ...part, requester: CARDS };
    expect((await run((tx) => ask(tx, customer, other))).notRequired).toBeDefined();
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
    expect(typesSeen(events)).toEqual(typesOf('test/contract/database/step-ups.test.ts'));
  });
});
