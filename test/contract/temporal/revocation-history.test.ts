import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { createRevocationActivities } from '../../../activities/revocation.ts';
import { openTestTemporal } from '../../setup/temporal/test-temporal.ts';
import type { TestTemporal } from '../../setup/temporal/test-temporal.ts';
import { recordHistory } from '../../setup/temporal/recorded-history.ts';

type Activities = ReturnType<typeof createRevocationActivities>;

let temporal: TestTemporal;
let stragglers: number[] = [];
let confirmations: boolean[] = [];

beforeAll(async () => {
  temporal = await openTestTemporal();
  const nothing = () => Promise.resolve();
  const activities: Activities = {
    endRows: () => Promise.resolve({ secondListingMs: 50, alarmMs: 50 }),
    endStragglers: () => Promise.resolve({ stragglers: stragglers.shift() ?? 0 }),
    wakeWorkflows: nothing,
    sealReceipt: nothing,
    confirmClosed: () => Promise.resolve({ closed: confirmations.shift() ?? true }),
    raiseAlarm: nothing,
    markRevocationClosed: nothing,
  };
  await temporal.work({ activities: { revocations: activities } });
});

afterAll(() => temporal?.close());

describe('the history of a revocation on the real server', () => {
  test.each([
    { name: 'sealed', found: [], closed: [] },
    { name: 'stragglers-and-alarm', found: [2], closed: [false] },
  ])('closes by itself and is recorded: $name', async ({ name, found, closed }) => {
    const { connection, gateway, namespace } = temporal;
    stragglers = found;
    confirmations = closed;
    const workflowId = `revocation/ten_1/${name}`;
    expect(await gateway.start('revocation', { tenantId: 'ten_1', id: name })).toBe('started');
    await expect.poll(() => gateway.describe(workflowId), { timeout: 30_000 }).toBe('closed');
    // Without the ending: recorded before its state could be searched for.
    const recorded = `revocation.${name}-state-in-search`;
    await recordHistory(connection, { name: recorded, namespace, workflowId });
    const { workflowExecutionInfo } = await connection.workflowService.describeWorkflowExecution({
      namespace,
      execution: { workflowId },
    });
    // COMPLETED
    expect(workflowExecutionInfo?.status).toBe(2);
    const state = workflowExecutionInfo?.searchAttributes?.indexedFields?.['LatchkeyState'];
    expect(Buffer.from(state?.data ?? []).toString()).toBe('"closed"');
  });
});
