/** What a verified call is worth at the desk: something while it stands, and nothing once the customer or a cut-off has taken it back. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reportByStaff } from '../../../db/device-reports.ts';
import { openRecoveryWithCaller } from '../../../db/recovery-work.ts';
import { endRevokedRows } from '../../../db/revocation.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import { cutOffCustomer, insertLiveSession, releaseCustomer } from '../../setup/customer.ts';
import { colleague, RECOVERY_TOOLS } from '../../setup/recoveries.ts';
import type { RecoverableCustomer, Run } from '../../setup/recoveries.ts';
import type { SeededStaff } from '../../setup/rows/staff-rows.ts';
import { asked, drive, proveKeys, show } from '../../setup/step-ups.ts';

let rows: RecoveryRows;
let customer: RecoverableCustomer;
let staff: SeededStaff;
let callId: string;
const run: Run = (work) => rows.run(work);

beforeAll(async () => {
  rows = await RecoveryRows.open();
});
afterAll(async () => {
  await rows.close();
});
beforeEach(async () => {
  customer = await rows.customer();
  staff = await colleague(run, rows.tenantId);
  callId = await approvedCall();
});

async function approvedCall(): Promise<string> {
  const sessionId = await run((tx) => insertLiveSession(tx, customer));
  const who = { ...customer, sessionId };
  return await run(async (tx) => {
    const stepUpId = await asked(tx, who, {
      requester: { kind: 'staff', id: staff.staffId },
      action: { type: 'verified_call', agent: 'Mere', case: 'A-17' },
      atLeast: 'latchkey:3',
    });
    await drive(tx, who, stepUpId, { event: 'opened' });
    await proveKeys(tx, who, stepUpId, await show(tx, who, stepUpId));
    return stepUpId;
  });
}

const opened = () =>
  run((tx) =>
    openRecoveryWithCaller(tx, RECOVERY_TOOLS, {
      tenantId: rows.tenantId,
      customerId: customer.customerId,
      staffId: staff.staffId,
      report: 'broken',
      proof: { method: 'verified_call', callId },
    }),
  );
const reported = () =>
  run((tx) =>
    reportByStaff(tx, {
      tenantId: rows.tenantId,
      deviceId: customer.deviceId,
      as: 'stolen',
      staffId: staff.staffId,
      because: 'caller',
      callId,
    }),
  );

/** What the desk is told when it opens a case with the call, and when it reports a phone. */
const worth = async () =>
  (await Promise.allSettled([opened(), reported()])).map((told) =>
    told.status === 'fulfilled' ? 'counts' : (told.reason as { code?: string }).code,
  );
const NOTHING = ['caller_not_proved', 'caller_not_proved'];

describe('a verified call', () => {
  it('opens a case and reports a phone while it stands', async () => {
    expect(await opened()).toMatchObject({ joined: false });
    expect(await reported()).toMatchObject({ deviceId: customer.deviceId });
  });

  it('counts when it ended by its time, which nobody uses', async () => {
    await run(
      (tx) => tx`
        update ceremony set state = 'ended', outcome = 'expired', reason = 'not_consumed', ended_at = latchkey_now()
        where ceremony_id = ${callId}`,
    );
    expect(await opened()).toMatchObject({ joined: false });
  });

  it.each(['not_me', 'declined'] as const)(
    'is worth nothing after the customer said %s',
    async (reason) => {
      await run((tx) =>
        endStepUp(tx, RECOVERY_TOOLS, {
          tenantId: rows.tenantId,
          stepUpId: callId,
          customerId: customer.customerId,
          event: 'denied',
          reason,
          actor: { kind: 'customer', id: customer.customerId },
        }),
      );
      expect(await worth()).toEqual(NOTHING);
    },
  );

  it.each([false, true])(
    'is worth nothing after a cut-off, also once that is released (its row ended: %s)',
    async (isEnded) => {
      const cut = await run((tx) => cutOffCustomer(tx, customer));
      const revocationId = cut?.revocationId ?? '';
      if (isEnded) await run((tx) => endRevokedRows(tx, { tenantId: rows.tenantId, revocationId }));
      await run((tx) => releaseCustomer(tx, customer));
      expect(await worth()).toEqual(NOTHING);
    },
  );

  it('is worth nothing an hour later', async () => {
    rows.nowMs += 61 * 60_000;
    expect(await worth()).toEqual(NOTHING);
  });
});
