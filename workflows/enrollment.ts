/**
 * Enrollment of a new customer: phone, identity, e-mail, passkey. The API writes the row and starts it; it updates it for each step that may be
 * refused and writes a submission first; the relay signals `revoke`, `cancel` and `identityResult`, which are doorbells: rows say what happened.
 * Ends `completed`, `expired`, `cancelled`, `denied` or `revoked`. Begun anew in whatever state its row is.
 * Diagram: docs/flows/enrollment.mermaid. It must never hold a code, a name or an address, nor name a next state: domain/enrollment.ts does.
 */
import { ActivityFailure, defineSignal, log } from '@temporalio/workflow';
import type { EnrollmentActivities } from '../activities/enrollment.ts';
import type { IdentityActivities } from '../activities/identity.ts';
import {
  dueEvent,
  nextDueMs,
  REFUSED_GUESSES,
  transition,
  type CodeStep,
  type EnrollmentEvent,
  type EnrollmentSnapshot,
} from '../domain/enrollment.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import type {
  CeremonyInput,
  CeremonyResult,
  CeremonyRule,
  Doorbell,
  StepHandle,
} from './ceremony-rule.ts';
import { Ceremony, stepUpdate } from './ceremony.ts';
import { describeEnrollment, describeTimer } from './enrollment-details.ts';
import { explainedActivities, explainedLocalActivities } from './explained-activities.ts';
import { DEADLINE_ATTRIBUTE, OUTCOME_ATTRIBUTE, STATE_ATTRIBUTE } from './search-attributes.ts';

export const submitPhoneCodeUpdate = stepUpdate('submitPhoneCode');
export const resendPhoneCodeUpdate = stepUpdate('resendPhoneCode');
export const identityDetailsUpdate = stepUpdate('identityDetails');
export const submitEmailUpdate = stepUpdate('submitEmail');
export const submitEmailCodeUpdate = stepUpdate('submitEmailCode');
export const resendEmailCodeUpdate = stepUpdate('resendEmailCode');
export const bindPasskeyUpdate = stepUpdate('bindPasskey');
export const revokeSignal = defineSignal<[Doorbell]>('revoke');
export const cancelSignal = defineSignal<[Doorbell]>('cancel');
export const identityResultSignal = defineSignal<[Doorbell]>('identityResult');

// One short transaction each: tried again for as long as the database needs to come back.
const rows = explainedLocalActivities<EnrollmentActivities>(
  {
    startToCloseTimeout: '10 seconds',
    retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
  },
  {
    readEnrollment: 'reads what its row says now',
    judgeEnrollmentCode: 'compares the code that the customer typed',
    resendEnrollmentCode: 'sends a further code',
    advanceEnrollment: 'moves the row to its next state',
    markEnrollmentClosed: 'notes on the row that this workflow is over',
  },
);

// A vendor may be down for hours: tried for as long as somebody waits for its answer, ever more slowly. One call has 5 s of its own.
const vendors = explainedActivities<IdentityActivities>(
  {
    taskQueue: 'vendors',
    startToCloseTimeout: '15 seconds',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
  },
  { startIdentityCheck: 'asks the identity vendor to check the document' },
);

const rule: CeremonyRule<EnrollmentSnapshot, EnrollmentEvent> = {
  transition,
  nextDueMs,
  refusedGuesses: REFUSED_GUESSES,
  describe: describeEnrollment,
  describeTimer,
  attributes: (row) => [
    { key: STATE_ATTRIBUTE, value: row.state },
    { key: DEADLINE_ATTRIBUTE, value: new Date(row.stepDeadlineMs ?? row.deadlineMs) },
    ...(row.outcome === null ? [] : [{ key: OUTCOME_ATTRIBUTE, value: row.outcome }]),
  ],
  notFound: 'ceremony_not_found',
  defaultMaxUpdates: DEFAULT_POLICY.enrollment.maxUpdates,
  isTimerKept: false,
};

export async function enrollment(
  input: CeremonyInput,
): Promise<CeremonyResult<EnrollmentSnapshot>> {
  return await new Enrollment(input).run();
}

class Enrollment extends Ceremony<EnrollmentSnapshot, EnrollmentEvent> {
  private readonly subject: { readonly tenantId: string; readonly enrollmentId: string };
  private isCheckAsked = false;

  constructor(input: CeremonyInput) {
    super(rule);
    this.subject = { tenantId: input.tenantId, enrollmentId: input.id };
    const step = (update: typeof bindPasskeyUpdate, act: (handle: StepHandle) => Promise<void>) =>
      this.step(update, async (handle) => {
        if (this.row === undefined) await this.look();
        await act(handle);
      });
    step(submitPhoneCodeUpdate, (handle) => this.submitCode('phone', handle));
    step(resendPhoneCodeUpdate, (handle) => this.resendCode('phone', handle));
    step(identityDetailsUpdate, (handle) => this.handIn('identity_submitted', handle));
    step(submitEmailUpdate, (handle) => this.handIn('email_submitted', handle));
    step(submitEmailCodeUpdate, (handle) => this.submitCode('email_code', handle));
    step(resendEmailCodeUpdate, (handle) => this.resendCode('email_code', handle));
    step(bindPasskeyUpdate, (handle) => this.handIn('passkey_bound', handle));
    this.doorbells(revokeSignal, cancelSignal, identityResultSignal);
  }

  protected override async look(): Promise<void> {
    const reading = await rows.readEnrollment(this.subject);
    if (reading === null) return;
    this.show(reading.snapshot);
    if (reading.snapshot.state === 'starting') await this.follow('opened');
    if (reading.fact !== null) await this.follow(reading.fact);
    for (;;) {
      const due = this.row === undefined ? undefined : dueEvent(this.row, this.row.nowMs);
      if (due === undefined) break;
      if ((await this.follow(due)) !== undefined) break;
    }
  }

  private async submitCode(step: CodeStep, { submissionId }: StepHandle): Promise<void> {
    const judged = await rows.judgeEnrollmentCode({ ...this.subject, submissionId, step });
    await this.followGuess(judged, step, (fact) => this.follow(fact));
  }

  private async resendCode(step: CodeStep, { submissionId }: StepHandle): Promise<void> {
    this.take(await rows.resendEnrollmentCode({ ...this.subject, submissionId, step }));
  }

  private async handIn(event: EnrollmentEvent, { submissionId }: StepHandle): Promise<void> {
    await this.look();
    const refused = await this.follow(event, submissionId);
    if (refused !== undefined) this.refuse(refused);
  }

  /** The submission belongs to the fact that was handed in, not to what the rows say instead. */
  private async follow(
    event: EnrollmentEvent,
    submissionId: string | null = null,
  ): Promise<ErrorCode | undefined> {
    return await this.move(event, (move) =>
      rows.advanceEnrollment({
        ...this.subject,
        ...move,
        submissionId: move.event === event ? submissionId : null,
      }),
    );
  }

  protected override show(row: EnrollmentSnapshot): void {
    super.show(row);
    if (row.state === 'identity_check' && row.outcome === null) this.startCheck();
  }

  /**
   * Once a run: the vendor knows a repeated reference. Never called off: once nobody waits for an answer the activity finds no question
   * and ends by itself.
   */
  private startCheck(): void {
    if (this.isCheckAsked) return;
    this.isCheckAsked = true;
    vendors.startIdentityCheck(this.subject).catch((error: unknown) => {
      // Refused for good: the customer is told by the step's deadline; people see it here.
      const cause = error instanceof ActivityFailure ? error.cause?.message : undefined;
      log.error('the identity vendor refused the check', { cause });
    });
  }

  protected override async markClosed(): Promise<void> {
    await rows.markEnrollmentClosed(this.subject);
  }
}
