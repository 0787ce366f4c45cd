/** A customer with everything open that a cut-off has to end, the cut-off itself, and what must be left of it all. */
import type postgres from 'postgres';
import { expect } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import { fraudEngine } from './faults.ts';
import type { TemporalEyes } from './faults.ts';
import { beginEnrollment, createSoftwarePhone, enrollPhone } from './software-phone.ts';
import type { SoftwarePhone } from './software-phone.ts';
import type { TestStack } from './stack.ts';

/** What one cut-off of such a customer stops. */
export const STOPPED = { devices: 1, credentials: 1, sessions: 1, ceremonies: 1 };

export interface OpenCustomer {
  readonly phone: SoftwarePhone & { readonly customerId: string };
  /** The phone that holds the open enrollment. */
  readonly other: SoftwarePhone;
  readonly openId: string;
  readonly sessionId: string;
  readonly tenantId: string;
  /** Of the session and of the enrollment. */
  readonly workflows: readonly string[];
}

/**
 * A customer with a live session and an open enrollment. No ceremony of this version has an active customer (a further device's has), so the
 * open one is handed to him in its row.
 */
export async function customerWithEverythingOpen(
  stack: TestStack,
  rows: postgres.Sql,
  temporal: TemporalEyes,
): Promise<OpenCustomer> {
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
  const workflows = [sessionWorkflow, enrollmentWorkflow];
  return { phone, other, openId, sessionId, tenantId, workflows };
}

/** Answers the revocation's id. The same key repeats it without doing it twice. */
export async function cutOff(
  stack: TestStack,
  customerId: string,
  idempotencyKey?: string,
): Promise<string> {
  const answer = await fraudEngine(stack).call({
    method: 'POST',
    path: '/fraud/signals',
    body: { customerId, reason: 'account_takeover' },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
  expect(answer.status).toBe(202);
  // The schema of the operation says so.
  return ((await answer.json()) as { revocationId: string }).revocationId;
}

export async function expectAllClosed(
  rows: postgres.Sql,
  temporal: TemporalEyes,
  customerId: string,
  workflows: readonly string[],
): Promise<void> {
  const [open] = await rows`
    select (select count(*)::int from session where customer_id = ${customerId} and status = 'live') as sessions,
      (select count(*)::int from ceremony where customer_id = ${customerId} and outcome is null) as ceremonies`;
  expect(open).toEqual({ sessions: 0, ceremonies: 0 });
  for (const id of workflows)
    await expect
      .poll(() => temporal.runsOf(id), { timeout: 30_000 })
      .toEqual([{ workflowId: id, status: 'COMPLETED' }]);
}
