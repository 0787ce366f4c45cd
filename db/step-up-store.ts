/**
 * The step-up workflow's view of PostgreSQL: one method an activity, each one transaction bound to the tenant. Expected refusals are
 * answers, not exceptions, so that no activity is tried again because a customer was too early or wrong. Wired in worker/activities.ts.
 */
import type { OtpCodes } from '../domain/ports.ts';
import type { StepUpEvent, StepUpSnapshot, StepUpSubject } from '../domain/step-up.ts';
import { answering, type Refused } from './answers.ts';
import type { Database } from './connection.ts';
import {
  judgeStepUpCode,
  pendingStepUpFact,
  resendStepUpCode,
  type StepUpCodeJudgement,
  type StepUpCodeSubmission,
} from './step-up-codes.ts';
import { advanceStepUp, type StepUpAdvance, type StepUpAdvanced } from './step-up-moves.ts';
import { glanceAtStepUp, markStepUpClosed, toStepUpSnapshot, type StepUpTools } from './step-up.ts';

export interface StepUpReading {
  readonly snapshot: StepUpSnapshot;
  /** What rows say and the ceremony has not followed yet. */
  readonly fact: StepUpEvent | null;
  /** It has ended and nothing is left to do for it: noted on the row, so that nobody looks for its workflow. */
  readonly isClosed: boolean;
}

/** What the risk engine is asked before an approval counts. */
export interface StepUpRiskSubject {
  readonly customerId: string;
  readonly action: string;
  readonly deviceId: string | undefined;
}

export type StepUpStore = ReturnType<typeof createStepUpStore>;

export function createStepUpStore(
  database: Database,
  tools: StepUpTools & { readonly otpCodes: OtpCodes },
) {
  return {
    read: async (subject: StepUpSubject): Promise<StepUpReading | undefined> => {
      const record = await glanceAtStepUp(database, subject);
      if (record === undefined) return undefined;
      const isClosed = record.outcome !== null;
      if (isClosed) await markStepUpClosed(database, subject);
      // Nothing else is to be asked in any other state.
      const fact =
        record.state === 'second_factor'
          ? await database.tenant(subject.tenantId, (tx) => pendingStepUpFact(tx, record))
          : null;
      return { snapshot: toStepUpSnapshot(record), fact, isClosed };
    },

    riskSubject: async (subject: StepUpSubject): Promise<StepUpRiskSubject | undefined> => {
      const record = await glanceAtStepUp(database, subject);
      if (record === undefined) return undefined;
      const { customerId, actionType: action, approvedDeviceId, openedDeviceId } = record;
      return { customerId, action, deviceId: approvedDeviceId ?? openedDeviceId ?? undefined };
    },

    judgeCode: (args: StepUpCodeSubmission): Promise<StepUpCodeJudgement | Refused> =>
      answering(() => database.tenant(args.tenantId, (tx) => judgeStepUpCode(tx, tools, args))),

    resendCode: (
      args: StepUpCodeSubmission,
    ): Promise<{ readonly snapshot: StepUpSnapshot } | Refused> =>
      answering(() =>
        database.tenant(args.tenantId, async (tx) => ({
          snapshot: await resendStepUpCode(tx, tools, args),
        })),
      ),

    /** A `fact` is what the rows say instead: the workflow follows that. */
    advance: (
      request: StepUpAdvance,
    ): Promise<StepUpAdvanced | Refused | { readonly fact: StepUpEvent }> =>
      answering(() => database.tenant(request.tenantId, (tx) => advanceStepUp(tx, tools, request))),

    markClosed: (subject: StepUpSubject): Promise<void> => markStepUpClosed(database, subject),
  };
}
