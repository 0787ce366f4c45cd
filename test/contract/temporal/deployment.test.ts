import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowId } from '../../../domain/ids.ts';
import { currentBuildId, promote } from '../../../temporal/deployment.ts';
import { createSessionTemporal } from '../../setup/beds/session-workers.ts';
import type { SessionTemporal } from '../../setup/beds/session-workers.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';

const store = { due: () => Promise.resolve({ state: 'ended' as const }) };

let temporal: SessionTemporal;
beforeAll(async () => {
  temporal = await createSessionTemporal();
});
afterAll(() => temporal?.close());

const status = (id: string) => temporal.gateway.describe(workflowId('session', 'ten_1', id));
const start = (id: string, startDelayMs = 0) =>
  temporal.gateway.start('session', { tenantId: 'ten_1', id, startDelayMs });
const promoteTo = (buildId: string) =>
  promote(temporal.connection, {
    namespace: temporal.namespace,
    buildId,
    identity: 'test-client',
    signal: AbortSignal.timeout(60_000),
  });

describe('a build of the workers', () => {
  test('has an id that is the hash of its workflows', async () => {
    const again = await buildWorkflows();
    expect(again.buildId).toBe(temporal.workflows.buildId);
    expect(again.buildId).toMatch(/^[0-9a-f]{16}$/);
    const fixture = new URL('fixtures/workflows.ts', import.meta.url);
    expect((await buildWorkflows(fixture.pathname)).buildId).not.toBe(again.buildId);
  });

  test('gets no work before it is promoted, all of it then, and a session that slept moves to the next build', async () => {
    const { connection, namespace } = temporal;
    expect(await currentBuildId(connection, namespace)).toBeUndefined();
    await start('ses_first');
    await start('ses_sleeps', 3_600_000);
    // Asked before the first poll: Temporal does not know the build yet, and promotion waits for it.
    const promoted = promoteTo('build-1');
    const first = await temporal.work({ store, buildId: 'build-1' });
    await promoted;
    expect(await currentBuildId(connection, namespace)).toBe('build-1');
    await expect.poll(() => status('ses_first'), { timeout: 30_000 }).toBe('closed');

    await temporal.work({ store, buildId: 'build-2' });
    await promoteTo('build-2');
    expect(await currentBuildId(connection, namespace)).toBe('build-2');
    first.shutdown();
    await first.stopped;
    await temporal.gateway.signalWithStart('session', {
      tenantId: 'ten_1',
      id: 'ses_sleeps',
      signal: 'revoked',
      args: [{ signalId: 'out_1' }],
    });
    await expect.poll(() => status('ses_sleeps'), { timeout: 30_000 }).toBe('closed');
  });
});
