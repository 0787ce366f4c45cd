/** Step-ups asked for, as rows: what each request writes, replaces and is refused for, and when a requester must leave a customer alone. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NewStepUp } from '../../../db/step-up-create.ts';
import { openRequest } from '../../../db/step-up-sealed.ts';
import { listStepUps } from '../../../db/step-up.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import {
  approved,
  ask,
  asked,
  CARDS,
  drive,
  insertStepUpCustomer,
  payment,
  read,
  STEP_UP_TOOLS,
} from '../../setup/step-ups.ts';
import { StepUpRows } from '../../setup/beds/step-up-rows.ts';

const MINUTE = 60_000;

const bed = new StepUpRows();
const { run, askAndOpen, consume, end, status, dayTotal, topics } = bed;

beforeAll(() => bed.open());
afterAll(() => bed.close());
beforeEach(() => bed.newCustomer());

const refused = (code: string, extra: object = {}) => expect.objectContaining({ code, ...extra });

describe('asking', () => {
  it('needs no approval below every threshold, and counts the amount all the same', async () => {
    const small = await run((tx) => ask(tx, bed.customer, { action: payment('40.00') }));
    expect(small).toEqual({ notRequired: { required: 'none' } });
    expect(await dayTotal()).toBe(4000);
  });

  it('needs passkey and key for 400, and a code too for 40000', async () => {
    const middle = await run((tx) => ask(tx, bed.customer));
    const high = await run((tx) =>
      ask(tx, bed.customer, { requester: CARDS, action: payment('40000.00') }),
    );
    expect(middle.stepUp).toMatchObject({ required: 'latchkey:3', state: 'starting' });
    expect(high.stepUp).toMatchObject({ required: 'latchkey:4' });
  });

  it('tells nobody before its workflow runs, and then the customer', async () => {
    const stepUpId = await run((tx) => asked(tx, bed.customer));
    expect(await topics(stepUpId)).toEqual([]);
    expect(await run((tx) => listStepUps(tx, bed.customer))).toEqual([]);
    await run((tx) => drive(tx, bed.customer, stepUpId, { event: 'opened' }));
    expect(await topics(stepUpId)).toEqual(['push.send']);
    expect(await run((tx) => listStepUps(tx, bed.customer))).toMatchObject([{ stepUpId }]);
  });

  it('keeps what was asked for where only the customer’s key opens it', async () => {
    const stepUpId = await run((tx) => asked(tx, bed.customer));
    const record = await run((tx) => read(tx, bed.tenantId, stepUpId));
    expect(
      JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? null : value)),
    ).not.toContain('Mere');
    expect(await run((tx) => openRequest(tx, STEP_UP_TOOLS, record))).toMatchObject({
      action: { payee: { name: 'Mere Kahu' } },
      requesterName: 'Payments',
    });
  });

  it('is refused for a customer that is not there or on hold, and for another’s device and session', async () => {
    const other = await run((tx) => insertStepUpCustomer(tx, bed.tenantId));
    const asking = (changes: object) => run((tx) => ask(tx, bed.customer, changes));
    await expect(asking({ customerId: 'cus_x' })).rejects.toEqual(refused('not_found'));
    await expect(asking({ deviceId: other.deviceId })).rejects.toEqual(
      refused('device_not_allowed'),
    );
    await expect(asking({ sessionId: other.sessionId })).rejects.toEqual(refused('session_ended'));
    await run((tx) => cutOffCustomer(tx, bed.customer));
    await expect(asking({})).rejects.toEqual(refused('customer_on_hold'));
    expect(await dayTotal()).toBe(0);
  });

  it('waits for one answer at a time of a requester, and names the one that is waited for', async () => {
    const stepUpId = await askAndOpen();
    await expect(run((tx) => ask(tx, bed.customer))).rejects.toEqual(
      refused('step_up_pending', { extra: { stepUpId } }),
    );
    // Nothing of the refused one is counted; another requester has a place of its own.
    expect(await dayTotal()).toBe(40_000);
    await run((tx) => asked(tx, bed.customer, { requester: CARDS }));
  });

  it.each(['starting', 'open', 'approved'] as const)(
    'supersedes one that is %s when it is for the same reference',
    async (state) => {
      const request = { reference: 'order 4711' };
      const older =
        state === 'approved'
          ? await approved(run, bed.customer, request)
          : await run((tx) => asked(tx, bed.customer, request));
      if (state === 'open') await run((tx) => drive(tx, bed.customer, older, { event: 'opened' }));
      const newer = await run((tx) => asked(tx, bed.customer, request));
      expect(await status(older)).toBe('superseded');
      expect(await status(newer)).toBe('pending');
      expect(await dayTotal()).toBe(40_000);
      expect(await topics(older)).toContain('ceremony.signal');
      await expect(consume(older)).rejects.toEqual(refused('step_up_ended'));
    },
  );

  it('leaves an approval for another reference alone', async () => {
    const older = await approved(run, bed.customer);
    await run((tx) => asked(tx, bed.customer));
    expect((await consume(older)).isRepeat).toBe(false);
  });

  it('takes the place of one whose time has passed while no workflow lived', async () => {
    const older = await askAndOpen();
    bed.nowMs += 5 * MINUTE;
    const newer = await run((tx) => asked(tx, bed.customer));
    expect(await status(older)).toBe('expired');
    expect(await status(newer)).toBe('pending');
    expect(await dayTotal()).toBe(40_000);
  });
});

describe('two refusals', () => {
  const decline = { event: 'denied', reason: 'declined' } as const;

  it('pause that requester for that customer, and it decays', async () => {
    await end(await askAndOpen(), decline);
    await end(await askAndOpen(), decline);
    await expect(run((tx) => ask(tx, bed.customer))).rejects.toEqual(
      refused('step_ups_paused', { retryAfterSeconds: DEFAULT_POLICY.stepUp.pauseSeconds }),
    );
    // What the customer need not be asked goes on, and so does everybody else.
    const small = { action: payment('4.00') };
    expect((await run((tx) => ask(tx, bed.customer, small))).notRequired).toBeDefined();
    await run((tx) => asked(tx, bed.customer, { requester: CARDS }));
    bed.nowMs += DEFAULT_POLICY.stepUp.pauseSeconds * 1000 - 1;
    await expect(run((tx) => ask(tx, bed.customer))).rejects.toEqual(refused('step_ups_paused'));
    bed.nowMs += 1;
    await run((tx) => asked(tx, bed.customer));
  });

  it('far apart pause nothing, and neither does one that somebody else caused', async () => {
    await end(await askAndOpen(), decline);
    bed.nowMs += DEFAULT_POLICY.stepUp.denialWindowSeconds * 1000 + 1;
    await end(await askAndOpen(), decline);
    await end(await askAndOpen(), { event: 'cancelled' });
    const risky = await askAndOpen();
    await run((tx) => drive(tx, bed.customer, risky, { event: 'risk_refused' }));
    expect(await status(risky)).toBe('denied');
    await run((tx) => asked(tx, bed.customer));
  });
});

describe('prompts that nobody answered', () => {
  const { unansweredToPause, unansweredWindowSeconds } = DEFAULT_POLICY.stepUp;
  const again = (request: Partial<NewStepUp> = {}) =>
    run((tx) => asked(tx, bed.customer, { reference: 'order 1', ...request }));

  it('are none that the customer had approved', async () => {
    for (let prompts = 0; prompts < unansweredToPause; prompts += 1) {
      await end(await approved(run, bed.customer), { event: 'cancelled' });
      bed.nowMs += 1000;
    }
    expect(await status(await again())).toBe('pending');
  });

  it('are so many of one requester, whether it asks anew or takes back and asks, and it decays', async () => {
    const first = bed.nowMs;
    for (let prompts = 1; prompts < unansweredToPause; prompts += 1) {
      const stepUpId = await again();
      bed.nowMs += 1000;
      if (prompts === 1) await end(stepUpId, { event: 'cancelled' });
    }
    const last = await again();
    await run((tx) => drive(tx, bed.customer, last, { event: 'opened' }));
    const waitSeconds = unansweredWindowSeconds - (bed.nowMs - first) / 1000;
    await expect(again()).rejects.toEqual(
      refused('too_many_requests', { retryAfterSeconds: waitSeconds }),
    );
    // Refused, it has taken nobody's place.
    expect(await status(last)).toBe('pending');
    await again({ requester: CARDS });
    bed.nowMs = first + unansweredWindowSeconds * 1000 - 1;
    await expect(again()).rejects.toEqual(refused('too_many_requests'));
    bed.nowMs += 1;
    await again();
  });

  it('are not those that the customer answered, and not those of other customers', async () => {
    for (let prompts = 0; prompts < unansweredToPause; prompts += 1)
      await end(await again(), { event: 'denied', reason: 'declined' }).then(() => {
        bed.nowMs += DEFAULT_POLICY.stepUp.pauseSeconds * 1000;
      });
    for (let prompts = 1; prompts < unansweredToPause; prompts += 1) await again();
    bed.customer = await run((tx) => insertStepUpCustomer(tx, bed.tenantId));
    expect(await status(await again())).toBe('pending');
  });

  it('count those too whose time ran out', async () => {
    for (let prompts = 0; prompts < unansweredToPause; prompts += 1) {
      const stepUpId = await again();
      await run((tx) => drive(tx, bed.customer, stepUpId, { event: 'opened' }));
    }
    bed.nowMs += DEFAULT_POLICY.stepUp.approveSeconds * 1000;
    await expect(again()).rejects.toEqual(refused('too_many_requests'));
  });
});
