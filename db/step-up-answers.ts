/**
 * A step-up as whoever awaits it through Temporal sees it: its status and how to ring its workflow. Nothing here grants; taking it back is
 * the one thing that can be done.
 */
import { LatchkeyError } from '../domain/errors.ts';
import { isAnswered, statusOf } from '../domain/step-up-status.ts';
import type { StepUpStatus } from '../domain/step-up-status.ts';
import type { StepUpStrength, StepUpSubject } from '../domain/step-up.ts';
import { nextDueMs } from '../domain/step-up.ts';
import type { Database } from './connection.ts';
import { actorOf } from './step-up-consume.ts';
import { endStepUp } from './step-up-ends.ts';
import { readStepUp, type StepUpRecord, type StepUpTools } from './step-up.ts';

export interface StepUpAnswer {
  readonly status: StepUpStatus;
  readonly stepUpId: string;
  /** How strongly it was approved; null when it was not. */
  readonly acr: StepUpStrength | null;
  /** null until it is made, a moment after the approval. */
  readonly receiptId: string | null;
}

export interface StepUpAnswerReading {
  readonly answer: StepUpAnswer;
  /** false: the customer still has to answer, until `waitMs` from now at the latest. */
  readonly isSettled: boolean;
  readonly waitMs: number;
  /** Which successor of its workflow stands for it. */
  readonly healCount: number;
}

export interface StepUpAnswerStore {
  read(subject: StepUpSubject): Promise<StepUpAnswerReading | undefined>;
  withdraw(subject: StepUpSubject): Promise<void>;
}

export function createStepUpAnswerStore(database: Database, tools: StepUpTools): StepUpAnswerStore {
  return {
    read: (subject) =>
      database.tenant(subject.tenantId, async (tx) => {
        const record = await readStepUp(tx, subject);
        return record === undefined ? undefined : readingOf(record);
      }),
    withdraw: async (subject) => {
      try {
        await database.tenant(subject.tenantId, async (tx) => {
          const record = await readStepUp(tx, subject);
          // Only what a machine client asked for can have been asked for through Nexus.
          if (record?.requester.kind !== 'client' || record.outcome !== null) return;
          const actor = actorOf(record);
          await endStepUp(tx, tools, { ...subject, event: 'cancelled', actor });
        });
      } catch (error) {
        // Over in some other way meanwhile: nothing is left to take back.
        if (!(error instanceof LatchkeyError) || !OVER.has(error.code)) throw error;
      }
    },
  };
}

const OVER: ReadonlySet<string> = new Set([
  'step_up_ended',
  'step_up_expired',
  'revoked',
  'step_up_not_found',
]);

export function readingOf(record: StepUpRecord): StepUpAnswerReading {
  const { stepUpId, receiptId, healCount, nowMs } = record;
  const status = statusOf(record);
  const isSettled = isAnswered(status);
  const wasApproved = record.approvedAtMs !== null;
  return {
    answer: { status, stepUpId, acr: wasApproved ? record.required : null, receiptId },
    isSettled,
    waitMs: isSettled ? 0 : Math.max(0, nextDueMs(record) - nowMs),
    healCount,
  };
}
