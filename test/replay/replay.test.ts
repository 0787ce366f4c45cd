import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDataConverter } from '../../temporal/data-converter.ts';
import { PLAIN_CONVERTER } from '../../temporal/nexus-worker.ts';
import { buildWorkflows } from '../../temporal/workflow-bundle.ts';
import * as workflows from '../../workflows/index.ts';
import { TEST_PAYLOAD_KEYS } from '../setup/payload-keys.ts';
import { readHistories } from '../setup/temporal/recorded-history.ts';
import type { RecordedHistory } from '../setup/temporal/recorded-history.ts';
import { quietTemporal } from '../setup/temporal/quiet-temporal.ts';

const histories = readHistories();
let bundle: WorkflowBundle;

beforeAll(async () => {
  quietTemporal();
  ({ bundle } = await buildWorkflows());
});

const replay = (
  workflowBundle: WorkflowBundle,
  { history, workflow, workflowId, namespace }: RecordedHistory,
): Promise<void> =>
  Worker.runReplayHistory(
    {
      workflowBundle,
      // Whoever awaits a step-up through Nexus has none of our keys.
      dataConverter:
        workflow === 'stepUpAnswer'
          ? PLAIN_CONVERTER
          : createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS }),
    },
    history,
    workflowId,
  );

describe('the replay gate', () => {
  test('has a recorded history of every exported workflow, and none of others', () => {
    const recorded = new Set(histories.map(({ workflow }) => workflow));
    expect([...recorded].toSorted()).toEqual(Object.keys(workflows).toSorted());
  });

  test.each(histories)('replays $file on the code as it is', async (recorded) => {
    await expect(replay(bundle, recorded)).resolves.toBeUndefined();
  });

  test('goes red when a workflow changes under its running executions', async () => {
    const fixture = fileURLToPath(new URL('fixtures/changed-session.ts', import.meta.url));
    const changed = await buildWorkflows(fixture);
    const sessions = histories.filter(({ workflow }) => workflow === 'session');
    expect(sessions.length).toBeGreaterThan(0);
    for (const recorded of sessions) {
      await expect(replay(changed.bundle, recorded)).rejects.toMatchObject({
        name: 'DeterminismViolationError',
      });
    }
  });

  test('goes red when the payloads cannot be read', async () => {
    const [recorded] = histories;
    if (recorded === undefined) throw new Error('no histories');
    await expect(replay(bundle, { ...recorded, namespace: 'elsewhere' })).rejects.toThrow(/.+/);
  });
});
