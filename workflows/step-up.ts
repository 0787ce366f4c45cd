/**
 * One action to approve: the customer proves it with passkey and approval key (and a code, when the value is high), the requester uses it once.
 * The API writes the row and starts it, and updates it for `approveStepUp`, `submitStepUpCode` and `resendStepUpCode`, a submission written
 * first; the relay signals `cancel` and `revoke`, step-up-answer.ts `watch`: doorbells all, rows say what happened. Ends `completed`, `expired`,
 * `cancelled`, `denied` or `revoked`. Begun anew in whatever state its row is. Diagram: docs/flows/step-up.mermaid. It must never hold
 * an action, a code or a name, nor name a next state: domain/step-up.ts does.
 */
import { ActivityFailure, defineSignal, setHandler } from '@temporalio/workflow';
import type { StepUpActivities } from '../activities/step-up.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import type { Risk } from '../domain/ports.ts';
import {
  dueEvent,
  nextDueMs,
  REFUSED_STEP_UP_GUESSES,
  transition,
  type StepUpEvent,
  type StepUpSnapshot,
  type StepUpSubject,
} from '../domain/step-up.ts';
import type {
  CeremonyInput,
  CeremonyResult,
  CeremonyRule,
  Doorbell,
  StepHandle,
} from './ceremony-rule.ts';
import { Ceremony, stepUpdate } from './ceremony.ts';
import { explainedLocalActivities } from './explained-activities.ts';
import type { RefusalExtra } from './failure.ts';
import { DEADLINE_ATTRIBUTE, OUTCOME_ATTRIBUTE, STATE_ATTRIBUTE } from './search-attributes.ts';
import { ringAnswer, watchSignal } from './step-up-bell.ts';
import { describeStepUp, describeStepUpTimer } from './step-up-details.ts';
import { sealReceipt } from './step-up-receipt.ts';

export const approveStepUpUpdate = stepUpdate('approveStepUp');
export const submitStepUpCodeUpdate = stepUpdate('submitStepUpCode');
export const resendStepUpCodeUpdate = stepUpdate('resendStepUpCode');
export const revokeSignal = defineSignal<[Doorbell]>('revoke');
export const cancelSignal = defineSignal<[Doorbell]>('cancel');

// One short transaction each: tried again for as long as the database needs to come back.
const rows = explainedLocalActivities<Omit<StepUpActivities, 'assessStepUp'>>(
  {
    startToCloseTimeout: '10 seconds',
    retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
  },
  {
    readStepUp: 'reads what its row says now',
    judgeStepUpCode: 'compares the code that the customer typed',
    resendStepUpCode: 'sends a further code',
    advanceStepUp: 'moves the row to its next state',
    markStepUpClosed: 'notes on the row that this workflow is over',
  },
);

// Somebody waits with the phone in his hand: asked once, for less than the 3 s that his call has. No answer is no approval.
const engine = explainedLocalActivities<Pick<StepUpActivities, 'assessStepUp'>>(
  { startToCloseTimeout: '2 seconds', retry: { maximumAttempts: 1 } },
  { assessStepUp: 'asks the risk engine once more' },
);

const rule: CeremonyRule<StepUpSnapshot, StepUpEvent> = {
  transition,
  nextDueMs,
  refusedGuesses: REFUSED_STEP_UP_GUESSES,
  describe: describeStepUp,
  describeTimer: describeStepUpTimer,
  attributes: (row) => [
    { key: STATE_ATTRIBUTE, value: row.state },
    row.outcome === null
      ? { key: DEADLINE_ATTRIBUTE, value: new Date(nextDueMs(row)) }
      : { key: OUTCOME_ATTRIBUTE, value: row.outcome },
  ],
  notFound: 'step_up_not_found',
  defaultMaxUpdates: DEFAULT_POLICY.stepUp.maxUpdates,
  isTimerKept: true,
};

export async function stepUp(input: CeremonyInput): Promise<CeremonyResult<StepUpSnapshot>> {
  return await new StepUp(input).run();
}

class StepUp extends Ceremony<StepUpSnapshot, StepUpEvent> {
  private readonly subject: StepUpSubject;
  /** Of a run from before the outbox had it sealed. */
  private receipt: Promise<void> | undefined;
  /** Whether the row says already that this workflow is over. */
  private isNoted = false;
  private isWatched = false;
  private bell: Promise<void> | undefined;

  constructor(input: CeremonyInput) {
    super(rule);
    this.subject = { tenantId: input.tenantId, stepUpId: input.id };
    this.step(approveStepUpUpdate, (handle) => this.approve(handle));
    this.step(submitStepUpCodeUpdate, (handle) => this.submitCode(handle));
    this.step(resendStepUpCodeUpdate, (handle) => this.resendCode(handle));
    this.doorbells(revokeSignal, cancelSignal);
    setHandler(watchSignal, () => {
      this.isWatched = true;
      this.ringWatcher();
    });
  }

  /** Nearly always its row has just been written: opened without being read first. */
  protected override async begin(): Promise<void> {
    const opened = await rows.advanceStepUp({ ...this.subject, ...OPENING });
    this.isQuiet = opened.isQuiet === true;
    this.isLean = opened.isLean === true;
    if ('snapshot' in opened) this.show(opened.snapshot);
    if (!('isMoved' in opened) || !opened.isMoved) await this.look();
  }

  protected override async look(): Promise<void> {
    const reading = await rows.readStepUp(this.subject);
    if (reading === null) return;
    this.isNoted = reading.isClosed;
    this.show(reading.snapshot);
    if (reading.fact !== null) await this.prove(reading.fact);
    const due = this.row === undefined ? undefined : dueEvent(this.row, this.row.nowMs);
    if (due !== undefined) await this.follow(due);
  }

  private async approve({ submissionId, notAfterMs }: StepHandle): Promise<void> {
    // Opening it on a device may have asked for more than when it was asked for.
    await this.look();
    const refused = await this.prove('keys_proved', submissionId);
    if (refused !== undefined) this.refuse(refused, this.untilTakenAnew(refused, notAfterMs));
  }

  private async submitCode({ submissionId, notAfterMs }: StepHandle): Promise<void> {
    if (this.row?.state !== 'second_factor') await this.look();
    // Before the guess is counted: an engine that does not answer must not cost the customer a try.
    const risk = this.row?.state === 'second_factor' ? await this.assess() : undefined;
    if (risk === 'unknown')
      this.refuse('vendor_unavailable', this.untilTakenAnew('vendor_unavailable', notAfterMs));
    const judged = await rows.judgeStepUpCode({ ...this.subject, submissionId });
    const follow = (fact: StepUpEvent) => this.prove(fact, null, risk);
    await this.followGuess(judged, 'second_factor', follow);
  }

  private async resendCode({ submissionId }: StepHandle): Promise<void> {
    this.take(await rows.resendStepUpCode({ ...this.subject, submissionId }));
  }

  /** Follows a fact; one that proves something only after the risk engine was asked, which turns it into a refusal when the risk is high. */
  private async prove(
    fact: StepUpEvent,
    submissionId: string | null = null,
    assessed?: Risk,
  ): Promise<ErrorCode | undefined> {
    if (!PROOFS.some((proof) => proof === fact)) return await this.follow(fact, submissionId);
    if (this.row === undefined) return 'step_up_not_found';
    // Not due, or too late: nothing that an engine need be asked for.
    const next = transition(this.row, fact, this.row.nowMs);
    if ('refused' in next) return next.refused;
    const risk = assessed ?? (await this.assess());
    if (risk === 'unknown') return 'vendor_unavailable';
    return await this.follow(risk === 'high' ? 'risk_refused' : fact, submissionId, risk);
  }

  private async assess(): Promise<Risk | 'unknown'> {
    // A login is asked for its code because of its risk: the same verdict again would refuse what it asked for itself.
    if (this.row?.isLogin === true) return 'not_evaluated';
    try {
      return await engine.assessStepUp(this.subject);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      return 'unknown';
    }
  }

  private async follow(
    fact: StepUpEvent,
    submissionId: string | null = null,
    risk?: Risk,
  ): Promise<ErrorCode | undefined> {
    const said = risk === undefined ? {} : { risk };
    return await this.move(fact, async ({ from, event, to }) =>
      isDriven(event)
        ? await rows.advanceStepUp({ ...this.subject, from, event, to, submissionId, ...said })
        : { refused: 'wrong_step' },
    );
  }

  /** The refusal of an update is remembered under its id: the same request is heard anew once its submission has a new term. */
  private untilTakenAnew(code: ErrorCode, notAfterMs: number): RefusalExtra {
    if (code !== 'vendor_unavailable') return {};
    const waitMs = notAfterMs - (this.row?.nowMs ?? notAfterMs);
    return { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
  }

  protected override show(row: StepUpSnapshot): void {
    super.show(row);
    // Also of one that was used or cut off before this workflow came to it: it was approved.
    const hasReceipt = row.consumeByMs !== null && !row.isLogin;
    if (hasReceipt && !this.isLean) this.receipt ??= sealReceipt(this.subject);
    this.ringWatcher();
  }

  /** Once, and only the one whose name follows from this step-up's: whoever can write to the namespace makes it ring nobody else. */
  private ringWatcher(): void {
    const isAnswered = this.row?.state === 'approved' || this.row?.state === 'ended';
    if (!this.isWatched || !isAnswered) return;
    this.bell ??= ringAnswer(this.subject);
  }

  protected override async settle(): Promise<void> {
    await this.receipt;
    await this.bell;
  }

  protected override async markClosed(): Promise<void> {
    if (!this.isNoted) await rows.markStepUpClosed(this.subject);
  }
}

/** As createStepUp writes it. */
const OPENING = {
  from: { state: 'starting', seq: 0 },
  event: 'opened',
  to: 'open',
  submissionId: null,
} as const;

type DrivenEvent = Parameters<StepUpActivities['advanceStepUp']>[0]['event'];

const PROOFS = ['keys_proved', 'code_matched'] as const satisfies readonly StepUpEvent[];
const DRIVEN: readonly StepUpEvent[] = [
  ...PROOFS,
  'opened',
  'code_exhausted',
  'risk_refused',
  'deadline_passed',
] satisfies readonly DrivenEvent[];

/** What only a call of its own may report never comes from here. */
function isDriven(event: StepUpEvent): event is DrivenEvent {
  return DRIVEN.includes(event);
}
