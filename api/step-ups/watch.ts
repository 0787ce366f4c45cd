/**
 * Waiting for a customer's answer: many requests wait, one question goes to PostgreSQL for all of a tenant, a few times a second. It judges nothing:
 * who waited reads the row again. It must never hold more than it was bounded to, nor outlive the request that waits.
 */
import type { StepUpStanding } from '../../db/step-up-statuses.ts';
import { isAnswered } from '../../domain/step-up-status.ts';
import { createPolling } from '../streams/polling.ts';

const POLL_MS = 200;
/** When PostgreSQL did not answer. */
const REST_MS = 2_000;
const MOST_WAITING = 2_000;
/** Of one requester: nobody takes the others' places. */
const MOST_OF_ONE = 500;

type Standings = (
  tenantId: string,
  stepUpIds: readonly string[],
) => Promise<readonly Pick<StepUpStanding, 'stepUpId' | 'status'>[]>;

interface Waiting {
  readonly tenantId: string;
  readonly clientId: string;
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
    subject: {
      readonly tenantId: string;
      readonly clientId: string;
      readonly stepUpId: string;
    },
    signal: AbortSignal,
  ): Promise<void> | undefined;
}

export function createStepUpWatch(
  standings: Standings,
  onError: (error: unknown) => void,
  { pollMs = POLL_MS, restMs = REST_MS, mostWaiting = MOST_WAITING, mostOfOne = MOST_OF_ONE } = {},
): StepUpWatch {
  const all = new Set<Waiting>();
  const begin = createPolling({
    isWanted: () => all.size > 0,
    look: () =>
      lookOnce(all, standings).then(
        () => pollMs,
        (error: unknown) => {
          onError(error);
          return restMs;
        },
      ),
  });

  return {
    untilAnswered: ({ tenantId, clientId, stepUpId }, signal) => {
      const ofOne = [...all].filter(
        (other) => other.tenantId === tenantId && other.clientId === clientId,
      );
      if (all.size >= mostWaiting || ofOne.length >= mostOfOne) return undefined;
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          all.delete(waiting);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const waiting: Waiting = { tenantId, clientId, stepUpId, answered: done };
        all.add(waiting);
        signal.addEventListener('abort', done);
        begin();
      });
    },
  };
}

async function lookOnce(all: ReadonlySet<Waiting>, standings: Standings): Promise<void> {
  for (const [tenantId, group] of Map.groupBy(all, (waiting) => waiting.tenantId)) {
    const ids = [...new Set(group.map(({ stepUpId }) => stepUpId))];
    const answered = new Set(
      (await standings(tenantId, ids)).flatMap(({ stepUpId, status }) =>
        isAnswered(status) ? [stepUpId] : [],
      ),
    );
    for (const { stepUpId, answered: tell } of group) if (answered.has(stepUpId)) tell();
  }
}
