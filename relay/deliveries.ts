/**
 * What the relay does with each topic of the outbox. Every delivery may happen twice (a crash after the call), so each is harmless to
 * repeat: starts are refused as duplicates, signals carry the outbox id, messages their reference. Events: relay/events.ts.
 */
import type { ClaimedRow } from '../db/outbox.ts';
import type { ReconciliationPort } from '../db/reconciliation-port.ts';
import type { Clock } from '../domain/clock.ts';
import { workflowId } from '../domain/ids.ts';
import type { StepUpSubject } from '../domain/step-up.ts';
import type { CallbackDelivery } from './callbacks.ts';
import { KINDS, startKind } from './kinds.ts';
import type { WorkflowCalls } from './kinds.ts';
import type { MessageDelivery } from './messages.ts';
import type { PushRowDelivery } from './push.ts';
import type { RecoveryRequestDelivery } from './recovery-requests.ts';

export type Deliver = (tenantId: string, row: ClaimedRow) => Promise<void>;

export interface DeliveryDependencies {
  readonly calls: WorkflowCalls;
  readonly rows: Pick<ReconciliationPort, 'state'>;
  readonly deliverMessage: MessageDelivery;
  readonly deliverRecoveryRequest: RecoveryRequestDelivery;
  readonly deliverPush: PushRowDelivery;
  readonly deliverCallback: CallbackDelivery;
  /** Once, however often it is asked for: answers the receipt that is there. */
  readonly sealReceipt: (subject: StepUpSubject) => Promise<unknown>;
  readonly clock: Clock;
}

/** @throws LatchkeyError; its code decides between another try and the dead letters. */
export function createDeliveries(deps: DeliveryDependencies): Deliver {
  return async (tenantId, row) => {
    switch (row.topic) {
      case 'session.start':
        await startSession(deps, tenantId, row.payload);
        return;
      case 'session.wake': {
        const { sessionId: id } = row.payload;
        const state = await deps.rows.state({ tenantId, kind: 'session', id });
        if (state === undefined) return;
        const subject = { tenantId, id, healCount: state.healCount };
        await KINDS.session.wake(deps.calls, subject, row.outboxId);
        return;
      }
      case 'ceremony.signal': {
        const { ceremonyId: id, kind, signal } = row.payload;
        const state = await deps.rows.state({ tenantId, kind, id });
        if (state === undefined) return;
        // Closed or gone: the row says how it stands, and the reconciler starts its successor.
        await deps.calls.signal(workflowId(kind, tenantId, id, state.healCount), signal, [
          { signalId: row.outboxId },
        ]);
        return;
      }
      case 'ceremony.start':
        await startFromRow(deps, tenantId, row.payload.kind, row.payload.ceremonyId);
        return;
      case 'revocation.start':
        await startFromRow(deps, tenantId, 'revocation', row.payload.revocationId);
        return;
      case 'recovery.request':
        await deps.deliverRecoveryRequest(tenantId, row.payload.requestId, row.outboxId);
        return;
      case 'message.sms':
      case 'message.email':
        await deps.deliverMessage(tenantId, row);
        return;
      case 'push.send':
        await deps.deliverPush(tenantId, row);
        return;
      case 'callback.send':
        await deps.deliverCallback(tenantId, row);
        return;
      case 'receipt.seal':
        await deps.sealReceipt({ tenantId, stepUpId: row.payload.stepUpId });
    }
  };
}

/** Under the number that the row has by now: the reconciler may have been faster. */
async function startSession(
  { calls, rows, clock }: DeliveryDependencies,
  tenantId: string,
  { sessionId: id, dueAtMs }: { readonly sessionId: string; readonly dueAtMs: number },
): Promise<void> {
  const state = await rows.state({ tenantId, kind: 'session', id });
  if (state === undefined) return;
  await startKind(calls, 'session', { tenantId, id, ...state, dueAtMs }, clock.nowMs());
}

async function startFromRow(
  { calls, rows, clock }: DeliveryDependencies,
  tenantId: string,
  kind: 'revocation' | 'recovery',
  id: string,
): Promise<void> {
  const state = await rows.state({ tenantId, kind, id });
  if (state === undefined) return;
  await startKind(calls, kind, { tenantId, id, ...state, dueAtMs: null }, clock.nowMs());
}
