/** One fraud signal from end to end, over real processes: what it stops, what its workflow does afterwards, also when its worker is killed. */
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import {
  armFault,
  fraudEngine,
  openRows,
  openTemporalEyes,
  restart,
  shortenSecondListing,
  watchRevocation,
  type TemporalEyes,
} from '../setup/faults.ts';
import {
  beginEnrollment,
  createSoftwarePhone,
  enrollPhone,
  messagesTo,
  reach,
} from '../setup/software-phone.ts';
import { startTestStack, type TestStack } from '../setup/stack.ts';

let stack: TestStack;
let rows: postgres.Sql;
let temporal: TemporalEyes;

beforeAll(async () => {
  stack = await startTestStack();
  rows = openRows(stack);
  temporal = await openTemporalEyes(stack);
  await shortenSecondListing(rows);
});

afterAll(async () => {
  await temporal?.close();
  await rows?.end();
  await stack?.stop();
});

/**
 * A customer with a live session and an open enrollment. No ceremony of this version has an active customer (a further device's has), so the
 * open one is handed to him in its row.
 */
async function customerWithEverythingOpen() {
  const phone = await enrollPhone(stack);
  const { sessionId } = await phone.latchkey.logIn();
  const other = createSoftwarePhone(stack);
  const openId = await beginEnrollment(other);
  await rows`update ceremony set customer_id = ${phone.customerId} where ceremony_id = ${openId}`;
  const [{ tenantId } = { tenantId: '' }] = await rows<{ tenantId: string }[]>`
    select tenant_id from session where session_id = ${sessionId}`;
  const sessionWorkflow = workflowId('session', tenantId, sessionId);
  await expect
    .poll(() => temporal.runsOf(sessionWorkflow), { timeout: 30_000 })
    .toEqual([{ workflowId: sessionWorkflow, status: 'RUNNING' }]);
  const enrollmentWorkflow = workflowId('enrollment', tenantId, openId);
  return { phone, other, openId, sessionId, workflows: [sessionWorkflow, enrollmentWorkflow] };
}

async function cutOff(customerId: string): Promise<string> {
  const answer = await fraudEngine(stack).call({
    method: 'POST',
    path: '/fraud/signals',
    body: { customerId, reason: 'account_takeover' },
  });
  expect(answer.status).toBe(202);
  // The schema of the operation says so.
  return ((await answer.json()) as { revocationId: string }).revocationId;
}

async function expectAllClosed(customerId: string, workflows: readonly string[]): Promise<void> {
  const [open] = await rows`
    select (select count(*)::int from session where customer_id = ${customerId} and status = 'live') as sessions,
      (select count(*)::int from ceremony where customer_id = ${customerId} and outcome is null) as ceremonies`;
  expect(open).toEqual({ sessions: 0, ceremonies: 0 });
  for (const id of workflows)
    await expect
      .poll(() => temporal.runsOf(id), { timeout: 30_000 })
      .toEqual([{ workflowId: id, status: 'COMPLETED' }]);
}

const STOPPED = { devices: 1, credentials: 1, sessions: 1, ceremonies: 1 };

describe('a fraud signal', () => {
  test('ends the live session and the open enrollment, closes their workflows, finds nothing in its second listing and seals the receipt', async () => {
    const { phone, other, openId, workflows } = await customerWithEverythingOpen();
    const revocationId = await cutOff(phone.customerId);
    await expect(phone.latchkey.me()).rejects.toMatchObject({ code: 'customer_on_hold' });
    await expect(phone.latchkey.logIn()).rejects.toMatchObject({ code: 'customer_on_hold' });

    const { receipt } = await watchRevocation(fraudEngine(stack), revocationId);
    expect(receipt.stopped).toEqual(STOPPED);
    expect(Date.parse(receipt.secondListingEmptyAt)).toBeGreaterThan(
      Date.parse(receipt.rowsEndedAt),
    );
    await expectAllClosed(phone.customerId, workflows);
    expect(await reach(other, openId, 'ended')).toMatchObject({ outcome: 'revoked' });
    const told = () => messagesTo(stack, phone.number).filter((text) => text.includes('on hold'));
    await expect.poll(told, { timeout: 30_000 }).toHaveLength(1);

    const released = await fraudEngine(stack).call({
      method: 'POST',
      path: '/fraud/releases',
      body: { customerId: phone.customerId, reason: 'customer_verified' },
    });
    expect(released.status).toBe(200);
    // A challenge from within the clocks' skew after the cut-off is refused still.
    const again = await vi.waitFor(() => phone.latchkey.logIn(), { timeout: 60_000 });
    expect(again.claims).toMatchObject({ epoch: 2 });
  });

  test('whose worker is killed after it ended the rows is sealed by the next one, and counts what it stopped once', async () => {
    const { phone, workflows } = await customerWithEverythingOpen();
    const fault = await armFault(stack, 'worker', 'activity.after.endRows');
    const revocationId = await cutOff(phone.customerId);
    await fault.reached();
    await expect(phone.latchkey.me()).rejects.toMatchObject({ code: 'customer_on_hold' });
    await restart(stack, 'worker');

    const { receipt } = await watchRevocation(fraudEngine(stack), revocationId);
    expect(receipt.stopped).toEqual(STOPPED);
    await expectAllClosed(phone.customerId, workflows);
  });
});
