/**
 * What the step-up workflow may do to PostgreSQL, and the question to the risk engine before an approval counts. Each activity acts on rows
 * that the API wrote for an authenticated caller and reports a fact or a refusal; none decides what follows.
 */
import type { StepUpStore } from '../db/step-up-store.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { Risk, RiskEngine } from '../domain/ports.ts';
import type { StepUpSubject } from '../domain/step-up.ts';

/**
 * Which code a run began with: what it may leave out hangs on it (docs/decisions/0036-quiet-step-ups.md, 0038-receipts-by-the-outbox.md).
 * Neither stands in histories from before it, and both must stay for as long as theirs may be replayed.
 */
type Advanced = Awaited<ReturnType<StepUpStore['advance']>> & {
  readonly isQuiet?: true;
  /** The outbox has the receipt sealed, and Temporal's lists hear of an end only when it is not the use. */
  readonly isLean?: true;
};

export function createStepUpActivities({
  store,
  risk,
}: {
  readonly store: StepUpStore;
  readonly risk: RiskEngine;
}) {
  return {
    /** The row and what it has not followed yet; null when there is no such step-up. */
    readStepUp: async (subject: StepUpSubject) => (await store.read(subject)) ?? null,

    /** @throws LatchkeyError vendor_unavailable: no answer, whatever kept the engine from one, is no approval. */
    assessStepUp: async (subject: StepUpSubject): Promise<Risk> => {
      const asked = await store.riskSubject(subject);
      if (asked === undefined) throw new LatchkeyError('step_up_not_found');
      try {
        return await risk.evaluate(asked);
      } catch (cause) {
        throw new LatchkeyError('vendor_unavailable', { cause });
      }
    },

    judgeStepUpCode: (args: Parameters<StepUpStore['judgeCode']>[0]) => store.judgeCode(args),
    resendStepUpCode: (args: Parameters<StepUpStore['resendCode']>[0]) => store.resendCode(args),
    advanceStepUp: async (request: Parameters<StepUpStore['advance']>[0]): Promise<Advanced> => {
      const advanced = await store.advance(request);
      return request.event === 'opened' ? { ...advanced, isQuiet: true, isLean: true } : advanced;
    },
    markStepUpClosed: (subject: StepUpSubject) => store.markClosed(subject),
  };
}

export type StepUpActivities = ReturnType<typeof createStepUpActivities>;
