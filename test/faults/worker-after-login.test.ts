/** kill -9 of the worker between a login and the start of its session's workflow: the login stands, its workflow comes exactly once. */
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import {
  armFault,
  endLeases,
  openRows,
  openTemporalEyes,
  restart,
  type TemporalEyes,
} from '../setup/faults.ts';
import { enrollPhone } from '../setup/software-phone.ts';
import { startTestStack, type TestStack } from '../setup/stack.ts';

let stack: TestStack;
let rows: postgres.Sql;
let temporal: TemporalEyes;
let phone: Awaited<ReturnType<typeof enrollPhone>>;

beforeAll(async () => {
  stack = await startTestStack();
  rows = openRows(stack);
  temporal = await openTemporalEyes(stack);
  phone = await enrollPhone(stack);
});

afterAll(async () => {
  await temporal?.close();
  await rows?.end();
  await stack?.stop();
});

async function session(sessionId: string) {
  const found = await rows<{ tenantId: string; status: string; healCount: number }[]>`
    select tenant_id, status, heal_count from session where session_id = ${sessionId}`;
  const [row] = found;
  if (row === undefined || found.length !== 1) throw new Error('there is no such session');
  return row;
}

function startRow(sessionId: string) {
  return rows<{ status: string; attempts: number }[]>`
    select status, attempts from outbox where topic = 'session.start' and payload ->> 'sessionId' = ${sessionId}`;
}

describe('the worker killed between a login and the start of its session workflow', () => {
  test.each([
    ['before Temporal was called', 'relay.before_call.session.start', 0],
    ['after Temporal was called', 'relay.after_call.session.start', 1],
  ] as const)('%s: one workflow, and the login never noticed', async (_where, name, runsThen) => {
    const fault = await armFault(stack, 'worker', name);
    const { sessionId } = await phone.latchkey.logIn();
    expect(phone.callsOf('/auth/login').at(-1)).toMatchObject({ status: 200 });
    await fault.reached();

    const { tenantId, status } = await session(sessionId);
    expect(status).toBe('live');
    const id = workflowId('session', tenantId, sessionId);
    await expect.poll(() => temporal.runsOf(id), { timeout: 10_000 }).toHaveLength(runsThen);
    expect(await startRow(sessionId)).toEqual([{ status: 'pending', attempts: 1 }]);
    expect(await phone.latchkey.me()).toMatchObject({ session: { sessionId } });
    expect((await phone.latchkey.session.refresh()).sessionId).toBe(sessionId);

    await endLeases(rows);
    await restart(stack, 'worker');
    await expect
      .poll(() => startRow(sessionId), { timeout: 30_000 })
      .toEqual([{ status: 'delivered', attempts: 2 }]);
    await expect
      .poll(() => temporal.runsOf(id), { timeout: 10_000 })
      .toEqual([{ workflowId: id, status: 'RUNNING' }]);
    expect(await session(sessionId)).toMatchObject({ status: 'live', healCount: 0 });
    expect(await phone.latchkey.sessions()).toHaveLength(1);
  });
});
