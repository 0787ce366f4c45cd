/** Every success of the desk with a recovery: opened with a caller, claimed, put on record, confirmed by a colleague, refused; and what is refused then. */
import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { expect, vi } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { enrollPhone } from '../setup/software-phone.ts';
import type { StaffAtDoor } from '../setup/staff/staff-at-door.ts';
import type { TestStack } from '../setup/stack.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };

export async function recoverAtDesk(
  {
    agent,
    supervisor,
    auditor,
  }: {
    readonly agent: StaffAtDoor;
    readonly supervisor: StaffAtDoor;
    readonly auditor: StaffAtDoor;
  },
  stack: TestStack,
  rows: postgres.Sql,
): Promise<void> {
  const { customerId } = await enrollPhone(stack);
  const url = `/staff/customers/${customerId}/recoveries`;
  const proof = { method: 'call_back', reference: 'switch-1' };
  const opened = await agent.post(url, { report: 'broken', proof });
  // The schema of the operation says so, here and below.
  const { recoveryId } = (await opened.json()) as { recoveryId: string };
  await vi.waitFor(async () => {
    const [row] = await rows`
      select 1 from ceremony where ceremony_id = ${recoveryId} and state in ('contact', 'identity')`;
    expect(row).toBeDefined();
  }, PATIENCE);
  await rows`update recovery set client_id = 'demo-app', jkt = ${randomBytes(32).toString('base64url')}
    where recovery_id = ${recoveryId}`;
  const at = `/staff/recoveries/${recoveryId}`;
  await agent.get('/staff/recoveries');
  await agent.get(at);
  await agent.get(`${at}/stream`);
  await agent.post(`${at}/claim`, {});
  await agent.post(`${at}/call-back`, { reference: 'switch-2' });
  await agent.post(`${at}/evidence`, { method: 'video', evidenceId: 'video-1' });
  const seen = (await (await supervisor.get(at)).json()) as {
    revision: number;
    ledger: { factorId: string; method: string }[];
  };
  const video = seen.ledger.find(({ method }) => method === 'video');
  await supervisor.post(`${at}/evidence/${video?.factorId ?? ''}/confirm`, {});
  await agent.post(`${at}/hand-over`, { to: null });
  await auditor.get(`${at}/record`);
  const decision = { kind: 'refuse', revision: seen.revision, reason: 'other' };
  await supervisor.post(`${at}/decisions`, decision);
  // It has ended: every step of the desk is told so.
  for (const [rest, body] of [
    ['/claim', {}],
    ['/hand-over', { to: null }],
    ['/call-back', { reference: 'switch-3' }],
    ['/evidence', { method: 'branch', evidenceId: 'branch-1' }],
    [`/evidence/${video?.factorId ?? ''}/confirm`, {}],
    ['/decisions', decision],
  ] as const)
    await supervisor.post(`${at}${rest}`, body);
  const callId = newId('ceremony');
  const unproved = { report: 'lost', proof: { method: 'verified_call', callId } };
  await agent.post(url, unproved);
}
