/**
 * Enrollment of a new customer: phone, identity, e-mail, passkey. The API writes the row and starts it; it updates it for each step that may be
 * refused and writes a submission first; the relay signals `revoke`, `cancel` and `identityResult`, which are doorbells: rows say what happened.
 * Ends `completed`, `expired`, `cancelled`, `denied` or `revoked`. Begun anew in whatever state its row is.
 * Diagram: docs/flows/enrollment.mermaid. It must never hold a code, a name or an address, nor name a next state: domain/enrollment.ts does.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { UpdateDefinition } from '@temporalio/common';
import type { EnrollmentActivities } from '../activities/enrollment.ts';
import type { IdentityActivities } from '../activities/identity.ts';
import {
  dueEvent,
  nextDueMs,
  REFUSED_GUESSES,
  transition,
  type CeremonyOutcome,
  type CodeStep,
  type EnrollmentEvent,
  type EnrollmentSnapshot,
} from '../domain/enrollment.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import { describeEnrollment, describeTimer } from './enrollment-details.ts';
import { explainedActivities, explainedLocalActivities } from './explained-activities.ts';
import { fail, type RefusalExtra } from './failure.ts';
import { DEADLINE_ATTRIBUTE, OUTCOME_ATTRIBUTE, STATE_ATTRIBUTE } from './search-attributes.ts';

export interface EnrollmentInput {
  readonly tenantId: string;
  /** The enrollment's id. */
  readonly id: string;
}

/** A handle of what the API wrote; past `notAfterMs` no activity acts on it. */
export interface StepHandle {
  readonly submissionId: string;
  readonly notAfterMs: number;
}

export interface EnrollmentResult {
  readonly outcome: CeremonyOutcome | 'unknown';
  readonly reason: string | null;
}

type StepUpdate = UpdateDefinition<void, [StepHandle]>;

interface Doorbell {
  readonly signalId: string;
}

export const submitPhoneCodeUpdate = defineUpdate<void, [StepHandle]>('submitPhoneCode');
export const resendPhoneCodeUpdate = defineUpdate<void, [StepHandle]>('resendPhoneCode');
export const identityDetailsUpdate = defineUpdate<void, [StepHandle]>('identityDetails');
export const submitEmailUpdate = defineUpdate<void, [StepHandle]>('submitEmail');
export const submitEmailCodeUpdate = defineUpdate<void, [StepHandle]>('submitEmailCode');
export const resendEmailCodeUpdate = defineUpdate<void, [StepHandle]>('resendEmailCode');
export const bindPasskeyUpdate = defineUpdate<void, [StepHandle]>('bindPasskey');
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

/** Timers look again at least this much later: the database's clock may be a little behind Temporal's. */
const RECHECK_MS = 100;

export async function enrollment(input: EnrollmentInput): Promise<EnrollmentResult> {
  // What must happen once it has begun happens, whoever asks Temporal to cancel: only rows end an enrollment.
  return await CancellationScope.nonCancellable(() => new EnrollmentRun(input).story());
}

class EnrollmentRun {
  private readonly subject: { readonly tenantId: string; readonly enrollmentId: string };
  private row: EnrollmentSnapshot | undefined;
  private updates = 0;
  private rings = 0;
  /** Steps and timers take turns: each sees the row as the one before left it. */
  private turn: Promise<unknown> = Promise.resolve();
  private isCheckAsked = false;

  constructor(input: EnrollmentInput) {
    this.subject = { tenantId: input.tenantId, enrollmentId: input.id };
    this.listen();
  }

  private listen(): void {
    const validator = (): void => this.refuseTooMany();
    const step = (update: StepUpdate, act: (handle: StepHandle) => Promise<void>) => {
      const handler = (handle: StepHandle): Promise<void> => {
        this.updates += 1;
        return this.inTurn(async () => {
          if (this.row === undefined) await this.look();
          await act(handle);
        });
      };
      setHandler<void, [StepHandle], StepUpdate>(update, handler, { validator });
    };
    step(submitPhoneCodeUpdate, (handle) => this.submitCode('phone', handle));
    step(resendPhoneCodeUpdate, (handle) => this.resendCode('phone', handle));
    step(identityDetailsUpdate, (handle) => this.handIn('identity_submitted', handle));
    step(submitEmailUpdate, (handle) => this.handIn('email_submitted', handle));
    step(submitEmailCodeUpdate, (handle) => this.submitCode('email_code', handle));
    step(resendEmailCodeUpdate, (handle) => this.resendCode('email_code', handle));
    step(bindPasskeyUpdate, (handle) => this.handIn('passkey_bound', handle));
    for (const signal of [revokeSignal, cancelSignal, identityResultSignal]) {
      setHandler(signal, () => {
        this.rings += 1;
      });
    }
  }

  async story(): Promise<EnrollmentResult> {
    let ringsHeard = this.rings;
    await this.inTurn(() => this.look());
    while (this.row !== undefined && this.row.outcome === null) {
      const { seq, nowMs } = this.row;
      const wasCalled = await condition(
        () => this.row?.seq !== seq || this.rings !== ringsHeard,
        Math.max(nextDueMs(this.row) - nowMs, RECHECK_MS),
        { summary: describeTimer(this.row) },
      );
      // After a step the row in hand is fresh; a timer or a doorbell asks it.
      if (wasCalled && this.rings === ringsHeard) continue;
      ringsHeard = this.rings;
      await this.inTurn(() => this.look());
    }
    await condition(allHandlersFinished);
    await rows.markEnrollmentClosed(this.subject);
    return { outcome: this.row?.outcome ?? 'unknown', reason: this.row?.reason ?? null };
  }

  /** Reads the row and follows what it holds: a fact nobody acted on, then the timers that have run out. */
  private async look(): Promise<void> {
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
    if ('refused' in judged) this.refuse(judged.refused, judged.extra);
    this.show(judged.snapshot);
    // A repeat of what has been followed already: told the same, nothing moves.
    const isDue = judged.snapshot.state === step;
    const refused = isDue ? await this.follow(judged.fact) : undefined;
    if (refused !== undefined) this.refuse(refused);
    const code = REFUSED_GUESSES[judged.fact];
    if (code === undefined) return;
    const { attemptsLeft } = judged;
    this.refuse(code, attemptsLeft === null ? {} : { attemptsLeft });
  }

  private async resendCode(step: CodeStep, { submissionId }: StepHandle): Promise<void> {
    const resent = await rows.resendEnrollmentCode({ ...this.subject, submissionId, step });
    if ('refused' in resent) this.refuse(resent.refused, resent.extra);
    this.show(resent.snapshot);
  }

  private async handIn(event: EnrollmentEvent, { submissionId }: StepHandle): Promise<void> {
    await this.look();
    const refused = await this.follow(event, submissionId);
    if (refused !== undefined) this.refuse(refused);
  }

  /** Makes the move that follows from a fact. Answers why not, when the domain or the move's transaction refused it. */
  private async follow(
    event: EnrollmentEvent,
    submissionId: string | null = null,
  ): Promise<ErrorCode | undefined> {
    for (let fact = event; ;) {
      if (this.row === undefined) return 'ceremony_not_found';
      const next = transition(this.row, fact, this.row.nowMs);
      if ('refused' in next) return next.refused;
      if ('stay' in next) return undefined;
      const advanced = await rows.advanceEnrollment({
        ...this.subject,
        from: { state: this.row.state, seq: this.row.seq },
        event: fact,
        to: next.move.state,
        submissionId: fact === event ? submissionId : null,
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

  private refuse(code: ErrorCode, extra: RefusalExtra = {}): never {
    fail(code, { ...extra, ...(this.row === undefined ? {} : { state: this.row.state }) });
  }

  private refuseTooMany(): void {
    const limit = this.row?.maxUpdates ?? DEFAULT_POLICY.enrollment.maxUpdates;
    if (this.updates >= limit) fail('too_many_updates');
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    return await mine;
  }

  private show(row: EnrollmentSnapshot): void {
    if (row.state !== this.row?.state) {
      upsertSearchAttributes([
        { key: STATE_ATTRIBUTE, value: row.state },
        { key: DEADLINE_ATTRIBUTE, value: new Date(row.stepDeadlineMs ?? row.deadlineMs) },
        ...(row.outcome === null ? [] : [{ key: OUTCOME_ATTRIBUTE, value: row.outcome }]),
      ]);
    }
    this.row = row;
    setCurrentDetails(describeEnrollment(row));
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
}
