/** What the relay tells whoever counts its work: one method a thing that can happen. Called in its loops; it must never throw. */
import type { LeaderTask } from '../db/leadership.ts';
import type { OutboxTopic } from '../db/outbox.ts';
import type { WorkflowKind } from '../domain/ids.ts';

/** `released`: given back because its receiver was not there. `lease_lost`: another process has settled it. */
export type DeliveryOutcome = 'delivered' | 'retried' | 'dead' | 'released' | 'lease_lost';

/** `missing`: an open row without a workflow, started anew. `open`: a workflow whose row had ended, woken. */
export type HealedDifference = 'missing' | 'open';

export interface RelayMetrics {
  settled(topic: OutboxTopic, outcome: DeliveryOutcome): void;
  healed(kind: WorkflowKind, difference: HealedDifference): void;
  /** An ended row whose workflow was found closed. */
  markedClosed(kind: WorkflowKind): void;
  swept(rows: number): void;
  /** A round under the task's lock was done by this process, or left to the one that holds it. */
  led(task: LeaderTask, isLeader: boolean): void;
  loopFailed(loop: string): void;
}
