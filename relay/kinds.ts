/**
 * How each kind of workflow is started and woken by the relay: one row a kind. The reconciler and the revocation activities use it, so that
 * nobody else needs to know that a sleeping session is reached differently from an open ceremony.
 */
import { workflowId } from '../domain/ids.ts';
import type { WorkflowKind } from '../domain/ids.ts';

export interface Subject {
  readonly tenantId: string;
  readonly id: string;
  readonly healCount: number;
}

export interface StartSubject extends Subject {
  readonly customerId: string;
  /** Sessions sleep until then. */
  readonly dueAtMs: number | null;
}

/** The part of temporal/client.ts that the relay calls. */
export interface WorkflowCalls {
  start(
    kind: WorkflowKind,
    start: {
      readonly tenantId: string;
      readonly id: string;
      readonly healCount: number;
      readonly startDelayMs?: number;
      readonly searchAttributes: { readonly customerId: string };
    },
  ): Promise<'started' | 'already_started'>;
  signal(
    workflowId: string,
    name: string,
    args: readonly unknown[],
  ): Promise<'signalled' | 'not_found'>;
  signalWithStart(
    kind: WorkflowKind,
    start: Subject & { readonly signal: string; readonly args: readonly unknown[] },
  ): Promise<'signalled' | 'already_closed'>;
  describe(workflowId: string): Promise<'running' | 'closed' | 'missing'>;
}

interface KindRow {
  /** The row has ended: the workflow must look. A workflow that is closed or gone counts as woken. */
  wake(calls: WorkflowCalls, subject: Subject, signalId: string): Promise<void>;
}

export const KINDS = {
  session: {
    async wake(calls, subject, signalId) {
      await calls.signalWithStart('session', {
        ...subject,
        signal: 'revoked',
        args: [{ signalId }],
      });
    },
  },
  enrollment: {
    wake: (calls, subject, signalId) => signalOpen(calls, 'enrollment', subject, signalId),
  },
  step_up: {
    wake: (calls, subject, signalId) => signalOpen(calls, 'step_up', subject, signalId),
  },
  recovery: {
    wake: (calls, subject, signalId) => signalOpen(calls, 'recovery', subject, signalId),
  },
  revocation: {
    // Nobody ends its row but itself: there is nothing to wake.
    wake: () => Promise.resolve(),
  },
} as const satisfies Record<WorkflowKind, KindRow>;

/** `kind in KINDS` as a list: the order in which the reconciler walks them, revocations first. */
export const RECONCILED_KINDS: readonly WorkflowKind[] = [
  'revocation',
  'step_up',
  'recovery',
  'session',
  'enrollment',
];

/** A session wakes a little after its deadline, so that clocks which differ slightly do not cost it another round. */
const WAKE_MARGIN_MS = 1_000;

export async function startKind(
  calls: WorkflowCalls,
  kind: WorkflowKind,
  { tenantId, id, healCount, customerId, dueAtMs }: StartSubject,
  nowMs: number,
): Promise<'started' | 'already_started'> {
  return await calls.start(kind, {
    tenantId,
    id,
    healCount,
    searchAttributes: { customerId },
    ...(dueAtMs === null ? {} : { startDelayMs: Math.max(0, dueAtMs + WAKE_MARGIN_MS - nowMs) }),
  });
}

async function signalOpen(
  calls: WorkflowCalls,
  kind: WorkflowKind,
  { tenantId, id, healCount }: Subject,
  signalId: string,
): Promise<void> {
  await calls.signal(workflowId(kind, tenantId, id, healCount), 'revoke', [{ signalId }]);
}
