/**
 * One action to approve: the customer proves it with passkey and approval key (and a code, when the value is high), the requester uses it once.
 * The API writes the row and starts it, and updates it for `approveStepUp`, `submitStepUpCode` and `resendStepUpCode`, a submission written
 * first; the relay signals `cancel` and `revoke`, step-up-answer.ts `watch`: doorbells all, rows say what happened. Ends `completed`, `expired`,
 * `cancelled`, `denied` or `revoked`. Begun anew in whatever state its row is. Diagram: docs/flows/step-up.mermaid. It must never hold
 * an action, a code or a name, nor name a next state: domain/step-up.ts does.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { UpdateDefinition } from '@temporalio/common';
import type { createReceiptActivities } from '../activities/receipt.ts';
import type { StepUpActivities } from '../activities/step-up.ts';
import type { CeremonyOutcome } from '../domain/enrollment.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { stepUpAnswerId } from '../domain/ids.ts';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import type { Risk } from '../domain/ports.ts';
import {
  dueEvent,
  nextDueMs,
  REFUSED_STEP_UP_GUESSES,
  transition,
  type StepUpEvent,
  type StepUpReason,
  type StepUpSnapshot,
  type StepUpSubject,
} from '../domain/step-up.ts';
import type { StepHandle } from './enrollment.ts';
import { explainedActivities, explainedLocalActivities } from './explained-activities.ts';
import { fail, type RefusalExtra } from './failure.ts';
import { DEADLINE_ATTRIBUTE, OUTCOME_ATTRIBUTE, STATE_ATTRIBUTE } from './search-attributes.ts';
import { describeStepUp, describeStepUpTimer } from './step-up-details.ts';

export interface StepUpInput {
  readonly tenantId: string;
  /** The step-up's id. */
  readonly id: string;
}

export interface StepUpResult {
  readonly outcome: CeremonyOutcome | 'unknown';
  readonly reason: StepUpReason | null;
}

type StepUpdate = UpdateDefinition<void, [StepHandle]>;

interface Doorbell {
  readonly signalId: string;
}

export const approveStepUpUpdate = defineUpdate<void, [StepHandle]>('approveStepUp');
export const submitStepUpCodeUpdate = defineUpdate<void, [StepHandle]>('submitStepUpCode');
export const resendStepUpCodeUpdate = defineUpdate<void, [StepHandle]>('resendStepUpCode');
export const revokeSignal = defineSignal<[Doorbell]>('revoke');
export const cancelSignal = defineSignal<[Doorbell]>('cancel');
/** From the workflow that answers a requester who awaits it: it wants to be rung when it is approved or over. */
export const watchSignal = defineSignal('watch');
/** What that one is sent. */
export const answeredSignal = defineSignal('answered');

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

// The KMS may be down for hours: the receipt is made when it is back, and holds up nobody meanwhile.
const receipts = explainedActivities<ReturnType<typeof createReceiptActivities>>(
  {
    taskQueue: 'vendors',
    startToCloseTimeout: '15 seconds',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
  },
  { sealReceipt: 'has the receipt of the approval signed' },
);

/** Timers look again at least this much later: the database's clock may be a little behind Temporal's. */
const RECHECK_MS = 100;

export async function stepUp(input: StepUpInput): Promise<StepUpResult> {
  // What must happen once it has begun happens, whoever asks Temporal to cancel: only rows end a step-up.
  return await CancellationScope.nonCancellable(() => new StepUpRun(input).story());
}

class StepUpRun {
  private readonly subject: StepUpSubject;
  private row: StepUpSnapshot | undefined;
  private updates = 0;
  private rings = 0;
  /** Steps and timers take turns: each sees the row as the one before left it. */
  private turn: Promise<unknown> = Promise.resolve();
  private receipt: Promise<void> | undefined;
  private timer: { readonly dueMs: number; readonly scope: CancellationScope } | undefined;
  /** Whether the row says already that this workflow is over. */
  private isNoted = false;
  private isWatched = false;
  private bell: Promise<void> | undefined;

  constructor(input: StepUpInput) {
    this.subject = { tenantId: input.tenantId, stepUpId: input.id };
    this.listen();
  }

  private listen(): void {
    const validator = (): void => this.refuseTooMany();
    const step = (update: StepUpdate, act: (handle: StepHandle) => Promise<void>) => {
      const handler = (handle: StepHandle): Promise<void> => {
        this.updates += 1;
        return this.inTurn(() => act(handle));
      };
      setHandler<void, [StepHandle], StepUpdate>(update, handler, { validator });
    };
    step(approveStepUpUpdate, (handle) => this.approve(handle));
    step(submitStepUpCodeUpdate, (handle) => this.submitCode(handle));
    step(resendStepUpCodeUpdate, (handle) => this.resendCode(handle));
    for (const signal of [revokeSignal, cancelSignal]) {
      setHandler(signal, () => {
        this.rings += 1;
      });
    }
    setHandler(watchSignal, () => {
      this.isWatched = true;
      this.ringWatcher();
    });
  }

  async story(): Promise<StepUpResult> {
    let ringsHeard = this.rings;
    await this.inTurn(() => this.begin());
    while (this.row !== undefined && this.row.outcome === null) {
      this.arm(this.row);
      const dueMs = nextDueMs(this.row);
      await condition(
        () => this.rings !== ringsHeard || this.row === undefined || nextDueMs(this.row) !== dueMs,
      );
      // After a step the row in hand is fresh; a timer or a doorbell asks it.
      if (this.rings === ringsHeard) continue;
      ringsHeard = this.rings;
      await this.inTurn(() => this.look());
    }
    await this.receipt;
    await this.bell;
    await condition(allHandlersFinished);
    if (!this.isNoted) await rows.markStepUpClosed(this.subject);
    return { outcome: this.row?.outcome ?? 'unknown', reason: this.row?.reason ?? null };
  }

  /** Nearly always its row has just been written: opened without being read first. */
  private async begin(): Promise<void> {
    const opened = await rows.advanceStepUp({ ...this.subject, ...OPENING });
    if ('snapshot' in opened) this.show(opened.snapshot);
    if (!('isMoved' in opened) || !opened.isMoved) await this.look();
  }

  /** Reads the row and follows what it holds: a fact nobody acted on, then the timer that has run out. */
  private async look(): Promise<void> {
    const reading = await rows.readStepUp(this.subject);
    if (reading === null) return;
    this.isNoted = reading.isClosed;
    this.show(reading.snapshot);
    if (reading.fact !== null) await this.prove(reading.fact);
    const due = this.row === undefined ? undefined : dueEvent(this.row, this.row.nowMs);
    if (due !== undefined) await this.follow(due);
  }

  /** A timer that runs out is one more ring; one whose deadline still holds stays as it is. */
  private arm(row: StepUpSnapshot): void {
    const dueMs = nextDueMs(row);
    if (this.timer?.dueMs === dueMs) return;
    this.timer?.scope.cancel();
    const scope = new CancellationScope();
    const waitMs = Math.max(dueMs - row.nowMs, RECHECK_MS);
    const timer = { dueMs, scope };
    this.timer = timer;
    const summary = describeStepUpTimer(row);
    scope
      .run(() => sleep(waitMs, { summary }))
      .then(() => {
        if (this.timer === timer) this.timer = undefined;
        this.rings += 1;
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
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
    if ('refused' in judged) this.refuse(judged.refused, judged.extra);
    this.show(judged.snapshot);
    // A repeat of what has been followed already: told the same, nothing moves.
    const isDue = judged.snapshot.state === 'second_factor';
    const refused = isDue ? await this.prove(judged.fact, null, risk) : undefined;
    if (refused !== undefined) this.refuse(refused);
    const code = REFUSED_STEP_UP_GUESSES[judged.fact];
    if (code === undefined) return;
    const { attemptsLeft } = judged;
    this.refuse(code, attemptsLeft === null ? {} : { attemptsLeft });
  }

  private async resendCode({ submissionId }: StepHandle): Promise<void> {
    const resent = await rows.resendStepUpCode({ ...this.subject, submissionId });
    if ('refused' in resent) this.refuse(resent.refused, resent.extra);
    this.show(resent.snapshot);
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

  /** Makes the move that follows from a fact. Answers why not, when the domain or the move's transaction refused it. */
  private async follow(
    event: StepUpEvent,
    submissionId: string | null = null,
    risk?: Risk,
  ): Promise<ErrorCode | undefined> {
    for (let fact = event; ;) {
      if (this.row === undefined) return 'step_up_not_found';
      const next = transition(this.row, fact, this.row.nowMs);
      if ('refused' in next) return next.refused;
      if ('stay' in next) return undefined;
      if (!isDriven(fact)) return 'wrong_step';
      const advanced = await rows.advanceStepUp({
        ...this.subject,
        from: { state: this.row.state, seq: this.row.seq },
        event: fact,
        to: next.move.state,
        submissionId,
        ...(risk === undefined ? {} : { risk }),
      });
      if ('refused' in advanced) return advanced.refused;
      if ('fact' in advanced) {
        fact = advanced.fact;
        continue;
      }
      this.show(advanced.snapshot);
      if (advanced.isMoved) return undefined;
    }
  }

  /** The refusal of an update is remembered under its id: the same request is heard anew once its submission has a new term. */
  private untilTakenAnew(code: ErrorCode, notAfterMs: number): RefusalExtra {
    if (code !== 'vendor_unavailable') return {};
    const waitMs = notAfterMs - (this.row?.nowMs ?? notAfterMs);
    return { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
  }

  private refuse(code: ErrorCode, extra: RefusalExtra = {}): never {
    fail(code, { ...extra, ...(this.row === undefined ? {} : { state: this.row.state }) });
  }

  private refuseTooMany(): void {
    const limit = this.row?.maxUpdates ?? DEFAULT_POLICY.stepUp.maxUpdates;
    if (this.updates >= limit) fail('too_many_updates');
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    return await mine;
  }

  private show(row: StepUpSnapshot): void {
    if (row.state !== this.row?.state) {
      upsertSearchAttributes([
        { key: STATE_ATTRIBUTE, value: row.state },
        ...(row.outcome === null
          ? [{ key: DEADLINE_ATTRIBUTE, value: new Date(nextDueMs(row)) }]
          : [{ key: OUTCOME_ATTRIBUTE, value: row.outcome }]),
      ]);
    }
    this.row = row;
    setCurrentDetails(describeStepUp(row));
    // Also of one that was used or cut off before this workflow came to it: it was approved.
    if (row.consumeByMs !== null && !row.isLogin) this.receipt ??= this.seal();
    this.ringWatcher();
  }

  private async seal(): Promise<void> {
    try {
      await receipts.sealReceipt(this.subject);
    } catch (error) {
      // Refused for good: a defect that people see here; the step-up itself stands.
      const cause = error instanceof ActivityFailure ? error.cause : undefined;
      const code = cause instanceof ApplicationFailure ? cause.type : undefined;
      log.error('the receipt could not be sealed', { code });
    }
  }

  /** Once, and only the one whose name follows from this step-up's: whoever can write to the namespace makes it ring nobody else. */
  private ringWatcher(): void {
    const isAnswered = this.row?.state === 'approved' || this.row?.state === 'ended';
    if (!this.isWatched || !isAnswered) return;
    this.bell ??= ringAnswer(this.subject);
  }
}

async function ringAnswer({ tenantId, stepUpId }: StepUpSubject): Promise<void> {
  try {
    await getExternalWorkflowHandle(stepUpAnswerId(tenantId, stepUpId)).signal(answeredSignal);
  } catch (error) {
    // Gone already; by its own timer it would have asked the row, too.
    log.info('nobody awaits the step-up any more', { error });
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
