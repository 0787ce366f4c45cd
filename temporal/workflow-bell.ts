/**
 * Rings the workflows whose rows a revocation ended. A session may be asleep, so only signalWithStart without a delay reaches it; an
 * enrollment is awake and takes a plain signal. A workflow that is gone needs no ringing: the reconciler looks after its row.
 */
import { workflowId } from '../domain/ids.ts';
import type { WakeTarget } from '../domain/revocation.ts';
import type { TemporalGateway } from './client.ts';

export function createWorkflowBell(gateway: TemporalGateway) {
  return {
    async ring(tenantId: string, target: WakeTarget, signalId: string): Promise<void> {
      const { kind, id, healCount } = target;
      if (kind === 'session') {
        const args = [{ signalId }];
        await gateway.signalWithStart(kind, { tenantId, id, healCount, signal: 'revoked', args });
        return;
      }
      const name = workflowId(kind, tenantId, id, healCount);
      await gateway.signal(name, 'revoke', [{ signalId }]);
    },
  };
}
