/** What comes to a case in the very moment in which its last step closes the workflow: the customer is told how it ended, never of a fault. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import { RecoveryStack } from '../setup/beds/recovery-stack.ts';

let stack: RecoveryStack;
beforeAll(async () => {
  stack = await RecoveryStack.start();
}, 120_000);
afterAll(async () => {
  await stack.close();
});

it('A doorbell that rings while the passkey is bound makes the server refuse the closing task, and the phone is bound all the same.', async () => {
  const phone = stack.newPhone();
  const recoveryId = await stack.proved(phone, await stack.owner());
  await stack.approved(recoveryId);
  await stack.waitedOut(recoveryId);
  const id = workflowId('recovery', stack.api.tenantId, recoveryId, 0);
  let rung = 0;
  stack.beforeMove = async ({ event }) => {
    if (event !== 'rebound') return;
    rung += 1;
    expect(await stack.temporal.gateway.signal(id, 'changed', [{ signalId: recoveryId }])).toBe(
      'signalled',
    );
  };
  const device = { name: 'New phone', platform: 'web' };
  expect(await phone.latchkey.recovery.createPasskey(recoveryId, device)).toMatchObject({
    state: 'ended',
    outcome: 'completed',
  });
  expect(rung).toBeGreaterThan(0);
  const { history } = await stack.connection.workflowService.getWorkflowExecutionHistory({
    namespace: stack.namespace,
    execution: { workflowId: id },
  });
  const refused = (history?.events ?? []).flatMap(
    ({ workflowTaskFailedEventAttributes: failed }) => failed?.failure?.message ?? [],
  );
  expect(refused).toContain('UnhandledCommand');
});
