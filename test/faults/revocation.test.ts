/** One fraud signal from end to end, over real processes: what it stops, and what its workflow does afterwards. */
import { describe, expect, test } from 'vitest';
import { customerWithEverythingOpen, cutOff, expectAllClosed, STOPPED } from '../setup/cut-off.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { fraudEngine, watchRevocation } from '../setup/faults.ts';
import { messagesTo, reach } from '../setup/software-phone.ts';

const bed = prepareFaultBed({ hasShortSecondListing: true });

describe('a fraud signal', () => {
  test('ends the live session and the open enrollment, closes their workflows, finds nothing in its second listing and seals the receipt', async () => {
    const { phone, other, openId, workflows } = await customerWithEverythingOpen(
      bed.stack,
      bed.rows,
      bed.temporal,
    );
    const revocationId = await cutOff(bed.stack, phone.customerId);
    await expect(phone.latchkey.me()).rejects.toMatchObject({ code: 'customer_on_hold' });
    await expect(phone.latchkey.logIn()).rejects.toMatchObject({ code: 'customer_on_hold' });

    const { receipt } = await watchRevocation(fraudEngine(bed.stack), revocationId);
    expect(receipt.stopped).toEqual(STOPPED);
    expect(Date.parse(receipt.secondListingEmptyAt)).toBeGreaterThan(
      Date.parse(receipt.rowsEndedAt),
    );
    await expectAllClosed(bed.rows, bed.temporal, phone.customerId, workflows);
    expect(await reach(other, openId, 'ended')).toMatchObject({ outcome: 'revoked' });
    const told = () =>
      messagesTo(bed.stack, phone.number).filter((text) => text.includes('on hold'));
    await expect.poll(told, { timeout: 30_000 }).toHaveLength(1);

    const released = await fraudEngine(bed.stack).call({
      method: 'POST',
      path: '/fraud/releases',
      body: { customerId: phone.customerId, reason: 'customer_verified' },
    });
    expect(released.status).toBe(200);
    // A challenge from within the clocks' skew after the cut-off is refused still: the raise is made older, no clock.
    await bed.rows`update customer set epoch_raised_at = epoch_raised_at - interval '1 minute'`;
    expect((await phone.latchkey.logIn()).claims).toMatchObject({ epoch: 2 });
  });
});
