import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { createRevocationActivities } from '../../activities/revocation.ts';
import { revocation } from '../../workflows/revocation.ts';
import { createTimeSkippingEnvironment } from '../setup/temporal/time-skipping.ts';

type Activities = ReturnType<typeof createRevocationActivities>;

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await createTimeSkippingEnvironment();
});
afterAll(async () => {
  await environment.teardown();
});

/** Runs the workflow against activities that write down what they were asked; answers the calls in order. */
async function runRevocation(overrides: Partial<Activities> = {}): Promise<readonly string[]> {
  const calls: string[] = [];
  const note = (name: string) => {
    calls.push(name);
  };
  const activities: Activities = {
    endRows: async () => (
      note('endRows'),
      await Promise.resolve({ secondListingMs: 30_000, alarmMs: 600_000 })
    ),
    endStragglers: async () => (note('endStragglers'), await Promise.resolve({ stragglers: 0 })),
    wakeWorkflows: async () => {
      note('wakeWorkflows');
      await Promise.resolve();
    },
    sealReceipt: async () => {
      note('sealReceipt');
      await Promise.resolve();
    },
    confirmClosed: async ({ waitMs }) => (
      note(waitMs === undefined ? 'confirmClosed for ever' : 'confirmClosed'),
      await Promise.resolve({ closed: true })
    ),
    raiseAlarm: async () => {
      note('raiseAlarm');
      await Promise.resolve();
    },
    markRevocationClosed: async () => {
      note('markRevocationClosed');
      await Promise.resolve();
    },
    ...overrides,
  };
  const taskQueue = `revocation-${String(Math.random())}`;
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    workflowsPath: new URL('../../workflows/revocation.ts', import.meta.url).pathname,
    taskQueue,
    activities,
  });
  await worker.runUntil(async () => {
    const outcome = await environment.client.workflow.execute(revocation, {
      args: [{ tenantId: 'ten_1', id: 'rev_1' }],
      taskQueue,
      workflowId: taskQueue,
    });
    expect(outcome).toBe('sealed');
  });
  return calls;
}

describe('the revocation workflow', () => {
  it('ends rows, wakes workflows, looks a second time, seals, confirms, in this order', async () => {
    expect(await runRevocation()).toEqual([
      'endRows',
      'wakeWorkflows',
      'endStragglers',
      'sealReceipt',
      'confirmClosed',
      'markRevocationClosed',
    ]);
  });

  it('wakes and looks again for as long as a listing finds stragglers', async () => {
    const found = [2, 1, 0];
    const calls = await runRevocation({
      endStragglers: async () => await Promise.resolve({ stragglers: found.shift() ?? 0 }),
    });
    expect(calls.filter((name) => name === 'wakeWorkflows')).toHaveLength(3);
    expect(calls.filter((name) => name === 'sealReceipt')).toHaveLength(1);
  });

  it('raises the alarm once when workflows stay open, and still ends when they close', async () => {
    const answers = [{ closed: false }, { closed: true }];
    const calls = await runRevocation({
      confirmClosed: async () => await Promise.resolve(answers.shift() ?? { closed: true }),
    });
    expect(calls.filter((name) => name === 'raiseAlarm')).toHaveLength(1);
    expect(calls.at(-1)).toBe('markRevocationClosed');
  });
});
