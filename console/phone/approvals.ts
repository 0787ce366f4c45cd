/**
 * What waits for the customer's decision, on the phone: heard by the stream and by looking, opened, shown as it will be signed, approved or refused.
 * What stands there is what the bank says; it must never tell an approval that the bank has not confirmed.
 */
import type { Latchkey } from '../../sdk/client.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import { isAnswered } from '../../sdk/step-up.ts';
import type { CustomerStepUp, StepUpContext } from '../../sdk/types.ts';
import type { StepUpStanding } from '../../sdk/step-up-stream.ts';
import type { PhoneCore } from './phone-core.ts';
import { INITIAL } from './phone-state.ts';
import type { ShownStepUp } from './phone-state.ts';
import { waitingFor } from './waiting.ts';

export interface ApprovalsOptions {
  readonly core: PhoneCore;
  readonly latchkey: Latchkey;
  readonly locale: string;
  /** Told of each change of the one that is shown. */
  readonly onChange: (view: CustomerStepUp) => void;
}

export class Approvals {
  readonly #options: ApprovalsOptions;
  /** What the stream has told and nobody has looked at. */
  readonly #waiting = new Set<string>();
  #following: AbortController | undefined;

  constructor(options: ApprovalsOptions) {
    this.#options = options;
  }

  /** From the login to the end of the session. */
  follow(): void {
    if (this.#following !== undefined) return;
    const following = new AbortController();
    this.#following = following;
    const { latchkey } = this.#options;
    void latchkey
      .followStepUps((standing) => {
        this.#hear(standing);
      }, following.signal)
      .finally(() => {
        if (this.#following === following) this.#following = undefined;
      });
  }

  stop(): void {
    this.#following?.abort();
    this.#following = undefined;
    this.#waiting.clear();
    this.#tellMore();
  }

  /** As the list says: for a phone that hears no stream. */
  async look(): Promise<void> {
    const { core, latchkey } = this.#options;
    const stepUps = await latchkey.stepUps.list();
    const shown = core.state().stepUp;
    const now = stepUps.find(({ stepUpId }) => stepUpId === shown?.view.stepUpId);
    if (now !== undefined && now.status !== shown?.view.status) this.#become(now);
    const due = stepUps.find((stepUp) => !isAnswered(stepUp));
    if (due !== undefined && core.state().stepUp === undefined) await this.show(due.stepUpId);
  }

  /** Opens it with what this phone notices around it. */
  async show(stepUpId: string): Promise<void> {
    const { core, latchkey, locale } = this.#options;
    this.#waiting.delete(stepUpId);
    this.#tellMore();
    const view = await latchkey.stepUps.view(stepUpId);
    if (view.status !== 'pending') {
      this.#put({ view, opened: undefined });
      return;
    }
    const { context } = core.state();
    const opened = await latchkey.stepUps.open(stepUpId, { locale, context });
    this.#put({ view: opened, opened });
  }

  /** What the app notices has changed: it is signed along, so it is opened anew. */
  async notice(change: Partial<StepUpContext>): Promise<void> {
    const { core } = this.#options;
    core.set({ context: { ...core.state().context, ...change } });
    const shown = core.state().stepUp;
    if (shown?.view.status === 'pending')
      await core.run('notice', () => this.show(shown.view.stepUpId));
  }

  async approve(): Promise<void> {
    await this.#step('approve', ({ opened }, { stepUps }) => {
      if (opened === undefined) throw new TypeError('nothing was opened');
      return stepUps.approve(opened);
    });
  }

  async submitCode(code: string): Promise<void> {
    await this.#step('code', ({ view }, { stepUps }) => stepUps.submitCode(view.stepUpId, code));
  }

  async resendCode(): Promise<void> {
    const { core } = this.#options;
    await this.#step('resend', ({ view }, { stepUps }) => stepUps.resendCode(view.stepUpId));
    if (core.state().problem === undefined) core.set({ notice: 'code_resent' });
  }

  /** `not_me`: the bank takes it for fraud. */
  async deny(reason: 'not_me' | 'declined'): Promise<void> {
    await this.#step(reason, ({ view }, { stepUps }) => stepUps.deny(view.stepUpId, reason));
  }

  /** Looks at something else; it stays as it stands. */
  leave(): void {
    const { core } = this.#options;
    core.set({ stepUp: undefined, problem: undefined, notice: undefined, draftCode: '' });
  }

  /** As on a phone that notices nothing: for the next story. */
  calm(): void {
    this.leave();
    this.#options.core.set({ context: INITIAL.context });
  }

  /** Its end was read; what waits besides comes next. */
  async dismiss(): Promise<void> {
    this.leave();
    await this.showNext();
  }

  /** What waits besides, over what is shown; a screen that it covers comes back after it. */
  async showNext(): Promise<void> {
    const { core } = this.#options;
    const [next] = this.#waiting;
    if (next === undefined) return;
    await core.run('show', () => this.show(next));
  }

  #hear({ stepUpId, status }: StepUpStanding): void {
    const { core } = this.#options;
    const shown = core.state().stepUp?.view;
    if (shown?.stepUpId === stepUpId) {
      if (shown.status !== status) void this.#quietly(() => this.#refresh(stepUpId));
      return;
    }
    if (isAnswered({ status })) {
      this.#waiting.delete(stepUpId);
      this.#tellMore();
      return;
    }
    this.#waiting.add(stepUpId);
    this.#tellMore();
    const isFree = (shown === undefined || isOnlyRead(shown)) && core.state().busy === undefined;
    if (isFree) void this.#quietly(() => this.show(stepUpId));
  }

  async #refresh(stepUpId: string): Promise<void> {
    this.#become(await this.#options.latchkey.stepUps.view(stepUpId));
  }

  /** What nobody pressed a button for is tried again by whoever looks next. */
  async #quietly(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      if (!(error instanceof LatchkeyProblem)) throw error;
      if (error.code === 'text_mismatch') this.#options.core.take(error);
    });
  }

  async #step(
    name: string,
    step: (shown: ShownStepUp, latchkey: Latchkey) => Promise<CustomerStepUp>,
  ): Promise<void> {
    const { core, latchkey } = this.#options;
    await core.run(name, async () => {
      const shown = core.state().stepUp;
      if (shown === undefined) return;
      try {
        this.#become(await step(shown, latchkey));
      } catch (error) {
        const isPrompt = error instanceof LatchkeyProblem && error.code.startsWith('passkey_');
        if (!(error instanceof LatchkeyProblem) || isPrompt || waitingFor(error) !== undefined)
          throw error;
        // How it stands says more than the refusal, when it has moved.
        await this.#refresh(shown.view.stepUpId);
        const now = core.state().stepUp?.view.status;
        if (now === shown.view.status) throw error;
      }
    });
  }

  #become(view: CustomerStepUp): void {
    const shown = this.#options.core.state().stepUp;
    if (shown?.view.stepUpId !== view.stepUpId) return;
    this.#put({ view, opened: shown.opened });
  }

  #put(stepUp: ShownStepUp): void {
    const { core, onChange } = this.#options;
    // Told again while it was being opened: it is looked at now.
    this.#waiting.delete(stepUp.view.stepUpId);
    this.#tellMore();
    const before = core.state().stepUp?.view;
    const isMoved = before?.status !== stepUp.view.status;
    core.set({
      stepUp,
      ...(isMoved ? { draftCode: '', problem: undefined, notice: undefined } : {}),
    });
    if (isMoved) onChange(stepUp.view);
  }

  #tellMore(): void {
    const { core } = this.#options;
    const isMoreAsked = this.#waiting.size > 0;
    if (core.state().isMoreAsked !== isMoreAsked) core.set({ isMoreAsked });
  }
}

/** Nothing is left to decide or to stop: what waits for an answer comes first. */
const isOnlyRead = (shown: CustomerStepUp): boolean =>
  isAnswered(shown) && (shown.status !== 'approved' || shown.type === 'verified_call');
