/** Every success at the operations door: people log in at the demo's directory, look customers up, release holds by two, mend dead letters. */
import { createHash, randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { expect, vi } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { fraudEngine } from '../setup/faults.ts';
import { enrollPhone } from '../setup/software-phone.ts';
import type { SoftwarePhone } from '../setup/software-phone.ts';
import { logInAtDoor } from '../setup/staff/staff-at-door.ts';
import { logInAtDirectory } from '../setup/staff/staff-login.ts';
import type { TestStack } from '../setup/stack.ts';
import { recoverAtDesk } from './walk-recoveries.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };

export async function succeedAtDesk(stack: TestStack, rows: postgres.Sql): Promise<void> {
  const [agent, supervisor, auditor, administrator] = await Promise.all(
    (['ana', 'sione', 'aida', 'amir'] as const).map((person) => logInAtDoor(stack, person)),
  );
  if (!agent || !supervisor || !auditor || !administrator) throw new Error('four people');
  await agent.get('/staff/me');
  const phone = await enrollPhone(stack);
  await phone.latchkey.logIn();
  await agent.post('/staff/customers/search', { phone: phone.number });
  // The schema of the operation says so, here and below.
  const { devices } = (await (await agent.get(`/staff/customers/${phone.customerId}`)).json()) as {
    devices: { deviceId: string }[];
  };
  const { sessions } = (await (
    await agent.get(`/staff/customers/${phone.customerId}/sessions`)
  ).json()) as { sessions: { sessionId: string }[] };
  await agent.post(`/staff/customers/${phone.customerId}/reveal-contact`, {
    contact: 'phone',
    reason: 'call_back',
  });
  await agent.get(`/staff/customers/${phone.customerId}/ceremonies`);
  const called = await agent.post(`/staff/customers/${phone.customerId}/calls`, {
    caseReference: 'case-4711',
  });
  const { stepUpId } = (await called.json()) as { stepUpId: string };
  await agent.get(`/staff/calls/${stepUpId}`);
  await agent.get(`/staff/calls/${stepUpId}/receipt`);
  await proveOnCall(phone, stepUpId, rows);
  await vi.waitFor(async () => {
    expect((await agent.get(`/staff/calls/${stepUpId}/receipt`)).status).toBe(200);
  }, PATIENCE);
  await agent.post(`/staff/sessions/${sessions[0]?.sessionId ?? ''}/end`, { reason: 'other' });
  const device = `/staff/devices/${devices[0]?.deviceId ?? ''}`;
  const reason = 'customer_request';
  await agent.post(`${device}/report`, { kind: 'lost', reason });
  await supervisor.post(`${device}/lift-report`, { reason });
  await agent.post(`/staff/customers/${phone.customerId}/freeze`, { reason });
  await supervisor.post(`/staff/customers/${phone.customerId}/lift-freeze`, { reason });
  await agent.post(`${device}/suspend`, { reason: 'lost_device' });
  await supervisor.post(`${device}/resume`, { reason: 'customer_request' });
  for (const decision of ['decline', 'approve']) {
    const { holdId } = await holdOn(stack, phone.customerId, rows);
    const asked = await agent.post(`/staff/holds/${holdId}/release-requests`, {
      reason: 'false_alarm',
    });
    const { approvalId } = (await asked.json()) as { approvalId: string };
    await supervisor.get('/staff/approvals');
    await supervisor.post(`/staff/approvals/${approvalId}/${decision}`, {});
  }
  await recoverAtDesk({ agent, supervisor, auditor }, stack, rows);
  await agent.post(`${device}/revoke`, { reason: 'lost_device' });
  await auditor.get('/staff/holds');
  await auditor.get(`/staff/audit?customerId=${phone.customerId}`);
  await auditor.get(`/staff/audit/export?customerId=${phone.customerId}`);
  await auditor.get('/staff/works-now');
  await auditor.get('/ops/dead-letters');
  const outboxId = await deadLetter(rows);
  await administrator.post(`/ops/dead-letters/${outboxId}/retry`, {});
  await auditor.post('/ops/codec/decode', { payloads: [] });
  await logInByCommandLine(stack);
  const leaving = await logInAtDoor(stack, 'ana');
  await leaving.post('/staff/logout', {});
}

/** The one there is, else a new one. */
async function proveOnCall(
  { latchkey: { stepUps } }: SoftwarePhone,
  stepUpId: string,
  rows: postgres.Sql,
): Promise<void> {
  await vi.waitFor(async () => {
    const [row] =
      await rows`select 1 from ceremony where ceremony_id = ${stepUpId} and state = 'open'`;
    expect(row).toBeDefined();
  }, PATIENCE);
  const context = { onCall: true, screenShared: false, accessibilityService: false };
  await stepUps.approve(await stepUps.open(stepUpId, { locale: 'en', context }));
}

async function holdOn(
  stack: TestStack,
  customerId: string,
  rows: postgres.Sql,
): Promise<{ readonly holdId: string }> {
  const find = () => rows<{ holdId: string }[]>`
    select hold_id from hold where customer_id = ${customerId} and status = 'active'`;
  const [there] = await find();
  if (there !== undefined) return there;
  const body = { customerId, reason: 'other' };
  await fraudEngine(stack).call({ method: 'POST', path: '/fraud/signals', body });
  const [placed] = await find();
  if (placed === undefined) throw new Error('no hold was placed');
  return placed;
}

/** A message to nobody, which no repetition can deliver. */
async function deadLetter(rows: postgres.Sql): Promise<string> {
  const outboxId = newId('outbox');
  await rows`insert into outbox (tenant_id, outbox_id, topic, subject, payload, status, attempts, error_code)
    select tenant_id, ${outboxId}, 'message.sms', 'nobody', ${rows.json({ customerId: newId('customer'), contactId: newId('contact'), template: 'hold_released', locale: 'en' })},
      'dead', 1, 'internal_error' from tenant`;
  return outboxId;
}

/** RFC 8252: the code comes back to a listener on loopback, which here is read off the address. */
async function logInByCommandLine({ operationsUrl }: TestStack): Promise<void> {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    cli: 'http://127.0.0.1:9',
    challenge: createHash('sha256').update(verifier).digest('base64url'),
  });
  const headers = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' };
  const begun = await fetch(`${operationsUrl}/t/demo/staff/login?${query.toString()}`, {
    redirect: 'manual',
    headers,
  });
  const wayBack = await logInAtDirectory(begun.headers.get('location') ?? '', 'ana');
  const [cookie = ''] = begun.headers.getSetCookie().map((line) => line.split(';')[0]);
  const done = await fetch(wayBack, { redirect: 'manual', headers: { ...headers, cookie } });
  const code = new URL(done.headers.get('location') ?? '').searchParams.get('code') ?? '';
  await fetch(`${operationsUrl}/t/demo/staff/cli-sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: operationsUrl },
    body: JSON.stringify({ code, verifier }),
  });
}
