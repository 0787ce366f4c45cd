/**
 * One case of account recovery: a contact, the person, people who look at it, time to object, a new phone. The API writes the row and starts it;
 * it updates it for `bindPasskey`, a submission written first; the relay signals `changed` and `revoke`, doorbells both: factors, verdicts,
 * decisions and stops are rows. Ends `completed`, `expired`, `cancelled` or `denied`; fraud holds it. Begun anew in whatever state its row
 * is. Diagram: docs/flows/recovery.mermaid. It must never hold a name, a contact or a verdict's figures, nor name a next state:
 * domain/recovery.ts does.
 */
import { ActivityFailure, defineSignal, log } from '@temporalio/workflow';
import type { LivenessActivities } from '../activities/liveness.ts';
import type { RecoveryActivities } from '../activities/recovery.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import {
  dueEvent,
  nextDueMs,
  transition,
  type RecoveryEvent,
  type RecoverySnapshot,
} from '../domain/recovery.ts';
import type {
  CeremonyInput,
  CeremonyResult,
  CeremonyRule,
  Doorbell,
  StepHandle,
} from './ceremony-rule.ts';
import { Ceremony, stepUpdate } from './ceremony.ts';
import { explainedActivities, explainedLocalActivities } from './explained-activities.ts';
import { describeRecovery, describeRecoveryTimer } from './recovery-details.ts';
import { DEADLINE_ATTRIBUTE, OUTCOME_ATTRIBUTE, STATE_ATTRIBUTE } from './search-attributes.ts';

export const bindPasskeyUpdate = stepUpdate('bindPasskey');
export const changedSignal = defineSignal<[Doorbell]>('changed');
export const revokeSignal = defineSignal<[Doorbell]>('revoke');

// One short transaction each: tried again for as long as the database needs to come back.
const rows = explainedLocalActivities<RecoveryActivities>(
  {
    startToCloseTimeout: '10 seconds',
    retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
  },
  {
    readRecovery: 'reads what its row says now',
    advanceRecovery: 'moves the row to its next state',
    markRecoveryClosed: 'notes on the row that this workflow is over',
  },
);

// A vendor may be down for hours: tried for as long as somebody waits for its answer. A try lasts as long as a vendor's session, and beats.
const vendors = explainedActivities<LivenessActivities>(
  {
    taskQueue: 'vendors',
    startToCloseTimeout: '15 minutes',
    heartbeatTimeout: '20 seconds',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
  },
  { followLiveness: 'has the liveness vendor look at the customer' },
);

const rule: CeremonyRule<RecoverySnapshot, RecoveryEvent> = {
  transition,
  nextDueMs,
  refusedGuesses: {},
  describe: describeRecovery,
  describeTimer: describeRecoveryTimer,
  attributes: (row) => [
    { key: STATE_ATTRIBUTE, value: row.state },
    { key: DEADLINE_ATTRIBUTE, value: new Date(row.stepDeadlineMs ?? row.deadlineMs) },
    ...(row.outcome === null ? [] : [{ key: OUTCOME_ATTRIBUTE, value: row.outcome }]),
  ],
  notFound: 'ceremony_not_found',
  defaultMaxUpdates: DEFAULT_POLICY.recovery.maxUpdates,
  // Staff and vendors ring often, and the deadline of a review is days away.
  isTimerKept: true,
};

export async function recovery(input: CeremonyInput): Promise<CeremonyResult<RecoverySnapshot>> {
  return await new RecoveryCase(input).run();
}

class RecoveryCase extends Ceremony<RecoverySnapshot, RecoveryEvent> {
  private readonly subject: { readonly tenantId: string; readonly recoveryId: string };
  private followedAttempt: string | null = null;

  constructor(input: CeremonyInput) {
    super(rule);
    this.subject = { tenantId: input.tenantId, recoveryId: input.id };
    this.step(bindPasskeyUpdate, (handle) => this.bind(handle));
    this.doorbells(changedSignal, revokeSignal);
  }

  protected override async look(): Promise<void> {
    for (;;) {
      const reading = await rows.readRecovery(this.subject);
      if (reading === null) return;
      this.show(reading.snapshot);
      this.followLiveness(reading.livenessAttemptId);
      const { state, seq, nowMs } = reading.snapshot;
      // What rows say comes before what the clock says: a proof in time is not lost because its bell was late.
      const fact =
        state === 'starting' ? 'opened' : (reading.fact ?? dueEvent(reading.snapshot, nowMs));
      if (fact === undefined) return;
      const refused = await this.follow(fact);
      if (refused !== undefined || this.row?.seq === seq) return;
    }
  }

  private async bind({ submissionId }: StepHandle): Promise<void> {
    await this.look();
    const refused = await this.follow('rebound', submissionId);
    if (refused !== undefined) this.refuse(refused);
  }

  /** The submission belongs to the fact that was handed in, not to what the rows say instead. */
  private async follow(
    event: RecoveryEvent,
    submissionId: string | null = null,
  ): Promise<ErrorCode | undefined> {
    return await this.move(event, (move) =>
      rows.advanceRecovery({
        ...this.subject,
        ...move,
        submissionId: move.event === event ? submissionId : null,
      }),
    );
  }

  /** Once an attempt. Never called off: once nobody waits for a verdict the activity finds no question and ends by itself. */
  private followLiveness(attemptId: string | null): void {
    if (attemptId === null || attemptId === this.followedAttempt) return;
    this.followedAttempt = attemptId;
    vendors
      .followLiveness({ ...this.subject, attemptId })
      .then(() => {
        this.ring();
      })
      .catch((error: unknown) => {
        // Refused for good: the customer is told by the step's deadline, or begins another attempt; people see it here.
        const cause = error instanceof ActivityFailure ? error.cause?.message : undefined;
        log.error('the liveness vendor refused the check', { cause });
      });
  }

  protected override async markClosed(): Promise<void> {
    await rows.markRecoveryClosed(this.subject);
  }
}
