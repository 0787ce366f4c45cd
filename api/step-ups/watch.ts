/**
 * Waiting for a customer's answer: many requests wait, one question goes to PostgreSQL for all of a tenant, a few times a second. It judges nothing:
 * who waited reads the row again. It must never hold more than it was bounded to, nor outlive the request that waits.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { StepUpStanding } from '../../db/step-up-statuses.ts';

const POLL_MS = 200;
const MOST_WAITING = 2_000;

type Standings = (
  tenantId: string,
  stepUpIds: readonly string[],
) => Promise<readonly Pick<StepUpStanding, 'stepUpId' | 'status'>[]>;

interface Waiting {
  readonly tenantId: string;
  readonly stepUpId: string;
  /** Called once. */
  readonly answered: () => void;
}

export interface StepUpWatch {
  /**
   * Resolves when the customer has answered or it has ended, and at the latest when `signal` says so, never with a reason. undefined: too many
   * wait already.
   */
  untilAnswered(
    subject: { readonly tenantId: string; readonly stepUpId: string },
    signal: AbortSignal,
  ): Promise<void> | undefined;
}

export function createStepUpWatch(
  standings: Standings,
  onError: (error: unknown) => void,
  { pollMs = POLL_MS, mostWaiting = MOST_WAITING } = {},
): StepUpWatch {
  const all = new Set<Waiting>();
  let isPolling = false;

  async function poll(): Promise<void> {
    if (isPolling) return;
    isPolling = true;
    try {
      while (all.size > 0) {
        await lookOnce(all, standings).catch(onError);
        await pause(pollMs);
      }
    } finally {
      isPolling = false;
    }
  }

  return {
    untilAnswered: ({ tenantId, stepUpId }, signal) => {
      if (all.size >= mostWaiting) return undefined;
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          all.delete(waiting);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const waiting: Waiting = { tenantId, stepUpId, answered: done };
        all.add(waiting);
        signal.addEventListener('abort', done);
        void poll();
      });
    },
  };
}

async function lookOnce(all: ReadonlySet<Waiting>, standings: Standings): Promise<void> {
  for (const [tenantId, group] of Map.groupBy(all, (waiting) => waiting.tenantId)) {
    const ids = [...new Set(group.map(({ stepUpId }) => stepUpId))];
    const answered = new Set(
      (await standings(tenantId, ids)).flatMap(({ stepUpId, status }) =>
        status === 'pending' || status === 'second_factor' ? [] : [stepUpId],
      ),
    );
    for (const { stepUpId, answered: tell } of group) if (answered.has(stepUpId)) tell();
  }
}
