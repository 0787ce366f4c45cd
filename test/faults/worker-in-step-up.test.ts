/** kill -9 of the worker between an approval and its receipt: whatever happened, the receipt exists once, and the approval is used once. */
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../adapters/clock.ts';
import type { FailPointName } from '../../domain/fail-point.ts';
import { DEMO_PAYMENTS_KEY } from '../../runtime/demo-secrets.ts';
import { MachineClient } from '../../runtime/machine-client.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { armFault, endLeases, restart } from '../setup/faults.ts';
import { enrollPhone, untilDecided } from '../setup/software-phone.ts';

const bed = prepareFaultBed();
const PATIENCE = { timeout: 60_000 };
const CONTEXT = { onCall: false, screenShared: false, accessibilityService: false };
const action = {
  type: 'payment',
  amount: '400.00',
  currency: 'NZD',
  payee: { name: 'Mere Kahu', account: '12-3456-7890123-00' },
};

const payments = () =>
  new MachineClient({
    issuer: bed.stack.issuer,
    clientId: 'demo-payments',
    key: DEMO_PAYMENTS_KEY,
    scope: 'step-ups:payment',
    clock: systemClock,
  });

/** Members of an answer, which the operation's schema names. */
async function post(client: MachineClient, path: string, body: object) {
  const answer = await client.call({ method: 'POST', path, body: { ...body } });
  return (await answer.json()) as Readonly<Record<string, unknown>>;
}

async function count(table: 'approvals' | 'receipts' | 'uses', stepUpId: string): Promise<number> {
  const rows =
    table === 'receipts'
      ? await bed.rows`select 1 from receipt where step_up_id = ${stepUpId}`
      : await bed.rows`
          select 1 from audit where ceremony_id = ${stepUpId}
            and action = ${table === 'approvals' ? 'step_up.approved' : 'step_up.consumed'}`;
  return rows.length;
}

describe('the worker killed between an approval and its receipt', () => {
  test.each([
    'activity.after.advanceStepUp',
    'relay.before_call.receipt.seal',
    'relay.after_call.receipt.seal',
  ] as const satisfies readonly FailPointName[])(
    'at %s: approved once, used once, and exactly one receipt',
    async (place) => {
      const { latchkey, customerId } = await enrollPhone(bed.stack);
      await latchkey.logIn();
      const client = payments();
      const asked = await post(client, '/step-ups', {
        customerId,
        action,
        reference: crypto.randomUUID(),
      });
      const stepUpId = String(asked['stepUpId']);
      // Once it is open, so that the next move of a row is the approval.
      const opened = await expect
        .poll(
          () =>
            latchkey.stepUps
              .open(stepUpId, { locale: 'en', context: CONTEXT })
              .catch(() => undefined),
          PATIENCE,
        )
        .toBeDefined()
        .then(() => latchkey.stepUps.open(stepUpId, { locale: 'en', context: CONTEXT }));
      const fault = await armFault(bed.stack, 'worker', place);

      const approving = untilDecided(() => latchkey.stepUps.approve(opened));
      await fault.reached();
      await endLeases(bed.rows);
      await restart(bed.stack, 'worker');

      expect(await approving).toMatchObject({ status: 'approved' });
      expect(await post(client, `/step-ups/${stepUpId}/consume`, { action })).toMatchObject({
        status: 'consumed',
      });
      await expect.poll(() => count('receipts', stepUpId), PATIENCE).toBe(1);
      await expect
        .poll(
          () =>
            bed.rows`
            select 1 from ceremony where ceremony_id = ${stepUpId} and workflow_closed_at is not null`.then(
              ({ length }) => length,
            ),
          PATIENCE,
        )
        .toBe(1);
      expect(await count('receipts', stepUpId)).toBe(1);
      expect(await count('approvals', stepUpId)).toBe(1);
      expect(await count('uses', stepUpId)).toBe(1);
    },
  );
});
