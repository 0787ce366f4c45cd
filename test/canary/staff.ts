/** What staff do with customers while the canaries are in them: searches, looks, sessions, a hold and its release by two people, payloads in clear. */
import { Connection } from '@temporalio/client';
import { expect } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import { fraudEngine, watchRevocation } from '../setup/faults.ts';
import { logInAtDoor } from '../setup/staff/staff-at-door.ts';
import type { StaffAtDoor } from '../setup/staff/staff-at-door.ts';
import type { Actor, Scene } from './ceremonies.ts';

export async function workAtTheDesk(scene: Scene, actor: Actor, customerId: string): Promise<void> {
  const { stack } = scene;
  const agent = await logInAtDoor(stack, 'ana');
  const supervisor = await logInAtDoor(stack, 'sione');
  const auditor = await logInAtDoor(stack, 'aida');
  await done(agent.post('/staff/customers/search', { phone: actor.number }));
  await refusedAt(agent, '/staff/customers/search', { phone: actor.number.repeat(2) });
  await refusedAt(agent, '/staff/customers/search', { phone: actor.number, [actor.email]: 1 });
  await done(agent.get(`/staff/customers/${customerId}`));
  const listed = await done(agent.get(`/staff/customers/${customerId}/sessions`));
  // The schema of the operation says so.
  const { sessions } = (await listed.json()) as { sessions: { sessionId: string }[] };
  const [session] = sessions;
  await done(
    agent.post(`/staff/sessions/${session?.sessionId ?? ''}/end`, { reason: 'lost_device' }),
  );
  await releaseByTwo(scene, customerId, { agent, supervisor });
  await decode(scene, auditor);
  await done(auditor.get('/ops/dead-letters'));
  await auditor.post('/staff/logout', {});
}

async function releaseByTwo(
  { stack }: Scene,
  customerId: string,
  { agent, supervisor }: { readonly agent: StaffAtDoor; readonly supervisor: StaffAtDoor },
): Promise<void> {
  const engine = fraudEngine(stack);
  const signal = await engine.call({
    method: 'POST',
    path: '/fraud/signals',
    body: { customerId, reason: 'suspicious_payment' },
  });
  // The schemas of the operations say so, here and below.
  const { revocationId } = (await signal.json()) as { revocationId: string };
  await watchRevocation(engine, revocationId);
  const listed = await done(agent.get('/staff/holds'));
  const { holds } = (await listed.json()) as { holds: { holdId: string; customerId: string }[] };
  const hold = holds.find((one) => one.customerId === customerId);
  const asked = await done(
    agent.post(`/staff/holds/${hold?.holdId ?? ''}/release-requests`, { reason: 'false_alarm' }),
  );
  const { approvalId } = (await asked.json()) as { approvalId: string };
  await done(supervisor.post(`/staff/approvals/${approvalId}/approve`, {}));
}

/** What an auditor reads in Temporal's UI of an enrollment: the payload that began it, opened. */
async function decode({ rows, stack }: Scene, auditor: StaffAtDoor): Promise<void> {
  const [row] = await rows<{ tenantId: string; ceremonyId: string }[]>`
    select tenant_id, ceremony_id from ceremony where outcome = 'completed' limit 1`;
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const { history } = await connection.workflowService.getWorkflowExecutionHistory({
    namespace: stack.namespace,
    execution: {
      workflowId: workflowId('enrollment', row?.tenantId ?? '', row?.ceremonyId ?? ''),
    },
  });
  await connection.close();
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const base64 = (bytes: Uint8Array | null | undefined) =>
    Buffer.from(bytes ?? []).toString('base64');
  const payloads = (started?.input?.payloads ?? []).map(({ metadata, data }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)]),
    ),
    data: base64(data),
  }));
  expect(payloads.length).toBeGreaterThan(0);
  const answer = await done(auditor.post('/ops/codec/decode', { payloads }));
  expect(await answer.text()).not.toContain(base64(Buffer.from('binary/encrypted')));
}

async function done(call: Promise<Response>): Promise<Response> {
  const answer = await call;
  expect([200, 201]).toContain(answer.status);
  return answer;
}

async function refusedAt(staff: StaffAtDoor, path: string, body: unknown): Promise<void> {
  expect((await staff.post(path, body)).status).toBeGreaterThanOrEqual(400);
}
