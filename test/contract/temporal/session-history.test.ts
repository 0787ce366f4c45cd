import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SessionStore } from '../../../activities/session.ts';
import type { SessionAnswer } from '../../../domain/session.ts';
import { workflowId } from '../../../domain/ids.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import { promote } from '../../../temporal/deployment.ts';
import { historyText } from '../../setup/temporal/history-text.ts';
import { recordHistory } from '../../setup/temporal/recorded-history.ts';
import { createSessionTemporal, loggedErrors } from '../../setup/beds/session-workers.ts';
import type { SessionTemporal } from '../../setup/beds/session-workers.ts';

const TENANT = 'ten_0198c0de000070008000000000000001';
const DAY_MS = 24 * 3_600_000;

let temporal: SessionTemporal;
let answers = new Map<string, () => Promise<SessionAnswer>>();
let sequence = 0;

const ended = () => Promise.resolve<SessionAnswer>({ state: 'ended' });
const liveFor = (milliseconds: number) => () =>
  Promise.resolve<SessionAnswer>({ state: 'live', dueAtMs: Date.now() + milliseconds });
const store: SessionStore = {
  due: ({ sessionId }) => (answers.get(sessionId) ?? ended)(),
};

beforeAll(async () => {
  temporal = await createSessionTemporal();
  // As in production: the version of the build stands in each completed task, and counts.
  const { connection, namespace, workflows } = temporal;
  const { buildId } = workflows;
  await temporal.work({ store, buildId });
  const signal = AbortSignal.timeout(60_000);
  await promote(connection, { namespace, buildId, identity: 'test-client', signal });
});

afterAll(() => temporal?.close());

const newSession = () => {
  sequence += 1;
  return `ses_0198c0de00007000800000000000${String(sequence).padStart(4, '0')}`;
};
const subject = (id: string) => ({
  tenantId: TENANT,
  id,
  searchAttributes: { customerId: 'cus_0198c0de000070008000000000000001' },
});
const wake = (id: string) =>
  temporal.gateway.signalWithStart('session', {
    ...subject(id),
    signal: 'revoked',
    args: [{ signalId: 'out_0198c0de000070008000000000000001' }],
  });
const closed = (id: string) =>
  expect
    .poll(() => temporal.gateway.describe(workflowId('session', TENANT, id)), { timeout: 30_000 })
    .toBe('closed');

const record = (id: string, name: string) =>
  recordHistory(temporal.connection, {
    name: `session.${name}`,
    namespace: temporal.namespace,
    workflowId: workflowId('session', TENANT, id),
  });

async function history(id: string): Promise<{ events: number; bytes: number; text: string }> {
  const execution = { workflowId: workflowId('session', TENANT, id) };
  const { namespace } = temporal;
  const [{ history: events }, { workflowExecutionInfo }] = await Promise.all([
    temporal.connection.workflowService.getWorkflowExecutionHistory({ namespace, execution }),
    temporal.connection.workflowService.describeWorkflowExecution({ namespace, execution }),
  ]);
  return {
    events: events?.events?.length ?? 0,
    bytes: Number(workflowExecutionInfo?.historySizeBytes ?? 0),
    text: await historyText(temporal.connection, { namespace, ...execution }),
  };
}

describe('the history of a session on the real server', () => {
  test('is one event while asleep', async () => {
    const id = newSession();
    expect(
      await temporal.gateway.start('session', { ...subject(id), startDelayMs: 30 * DAY_MS }),
    ).toBe('started');
    const { events, bytes } = await history(id);
    expect(events).toBe(1);
    expect(bytes).toBeLessThan(1_100);
    answers.set(id, ended);
    await wake(id);
    await closed(id);
  });

  test('is at most seven events when it is revoked while asleep', async () => {
    const id = newSession();
    await temporal.gateway.start('session', { ...subject(id), startDelayMs: 30 * DAY_MS });
    await wake(id);
    await closed(id);
    await record(id, 'revoked-asleep');
    const { events, bytes } = await history(id);
    expect(events).toBeLessThanOrEqual(7);
    expect(bytes).toBeLessThan(3_072);
  });

  test('is at most seven events when it expires without a re-arm', async () => {
    const id = newSession();
    await temporal.gateway.start('session', { ...subject(id), startDelayMs: 1_000 });
    await closed(id);
    await record(id, 'expired');
    expect((await history(id)).events).toBeLessThanOrEqual(7);
  });

  test('stays within 26 events and 6 KiB over ninety days of use', async () => {
    const id = newSession();
    let asked = 0;
    // 30 days idle in 90 days: the row has moved on at most three wakings, and at the fourth it is over.
    answers.set(id, () => {
      asked += 1;
      return asked <= 3 ? liveFor(200)() : ended();
    });
    await temporal.gateway.start('session', { ...subject(id), startDelayMs: 1_000 });
    await closed(id);
    await record(id, 'used-for-ninety-days');
    const { events, bytes } = await history(id);
    expect(asked).toBe(4);
    expect(events).toBeLessThanOrEqual(26);
    expect(bytes).toBeLessThanOrEqual(6 * 1_024);
  });

  test('takes a signal while it waits, and asks again', async () => {
    const id = newSession();
    let asked = 0;
    answers.set(id, () => {
      asked += 1;
      return asked === 1 ? liveFor(30 * DAY_MS)() : ended();
    });
    await temporal.gateway.start('session', subject(id));
    await expect.poll(() => asked).toBe(1);
    await wake(id);
    await closed(id);
    await record(id, 'revoked-waiting');
    expect((await history(id)).events).toBeLessThanOrEqual(13);
  });

  test('shows neither values nor the messages of failures in clear', async () => {
    const id = newSession();
    let asked = 0;
    answers.set(id, () => {
      asked += 1;
      if (asked === 1) return Promise.reject(new Error('a secret stood in this message'));
      if (asked === 2) return Promise.reject(new LatchkeyError('database_unavailable'));
      return ended();
    });
    await temporal.gateway.start('session', subject(id));
    await closed(id);
    const { text } = await history(id);
    expect(text).not.toContain('secret stood');
    expect(text).not.toContain('tenantId');
    expect(text).not.toContain('ended');
    expect(loggedErrors).toContainEqual(
      expect.objectContaining({ message: 'a secret stood in this message' }),
    );
    // Stands in a byte field: the search sees those too.
    expect(text).toContain('binary/encrypted');
  });
});
