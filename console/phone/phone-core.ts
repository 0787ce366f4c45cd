/**
 * What every part of the phone's model stands on: its state, who watches it, and one action at a time. An action whose outcome is unknown
 * is waited out and asked again under its first key, which the SDK keeps; it must never be told as done or as failed.
 */
import type { Latchkey } from '../../sdk/client.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import { emptyHome } from './home-data.ts';
import { INITIAL } from './phone-state.ts';
import type { PhoneState, Screen } from './phone-state.ts';
import { pauseBefore, waitingFor } from './waiting.ts';

/** Screens that need nothing but their name. */
export type PlainScreen = Exclude<
  Screen['kind'],
  'enrollment' | 'login-proof' | 'recover-request' | 'recovery'
>;

export class PhoneCore {
  readonly #latchkey: Latchkey;
  readonly #listeners = new Set<() => void>();
  #state: PhoneState = INITIAL;
  #givingUp = new AbortController();
  /** Of the action under way. */
  #sinceMs = 0;
  #hasWaited = false;

  constructor(latchkey: Latchkey) {
    this.#latchkey = latchkey;
  }

  readonly state = (): PhoneState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  set(change: Partial<PhoneState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  goTo(kind: PlainScreen): void {
    this.set({
      screen: { kind },
      problem: undefined,
      notice: undefined,
      draftCode: '',
      freezeAsked: undefined,
      homeView: 'overview',
      history: undefined,
      stepUp: undefined,
      payment: undefined,
      receipt: undefined,
      ...(kind === 'home' ? {} : { bank: undefined, home: emptyHome }),
    });
  }

  /** Every answer and refusal of the SDK passes here, also those that it repeats by itself. */
  hear(problem: LatchkeyProblem | undefined): void {
    if (this.#state.busy === undefined) return;
    const what = problem === undefined ? undefined : waitingFor(problem);
    if (what === undefined) {
      this.set({ waiting: undefined });
      return;
    }
    this.#hasWaited = true;
    this.set({ waiting: { for: what, sinceMs: this.#sinceMs } });
  }

  /** Ends the waiting; what was asked may still be carried out, and the refusal says so. */
  giveUp(): void {
    this.#givingUp.abort();
  }

  /** Does nothing while another action is under way. */
  async run(name: string, work: () => Promise<void>): Promise<void> {
    if (this.#state.busy !== undefined) return;
    this.#givingUp = new AbortController();
    this.#sinceMs = Date.now();
    this.#hasWaited = false;
    this.set({ busy: name, problem: undefined, notice: undefined });
    try {
      await this.#untilKnown(work, this.#givingUp.signal);
      if (this.#hasWaited) this.set({ notice: 'went_on' });
    } catch (error) {
      this.take(error);
    } finally {
      this.set({ busy: undefined, waiting: undefined });
    }
  }

  /** Shows a refusal where it belongs. */
  take(error: unknown): void {
    if (!(error instanceof LatchkeyProblem)) throw error;
    if (error.code === 'passkey_cancelled') this.set({ notice: 'passkey_cancelled' });
    else if (error.code === 'customer_on_hold') this.goTo('hold');
    else if (!this.#isShownAsEnd(error)) this.set({ problem: error });
  }

  async #untilKnown(work: () => Promise<void>, givingUp: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        const isWorthWaiting = error instanceof LatchkeyProblem && waitingFor(error) !== undefined;
        if (!isWorthWaiting || givingUp.aborted) throw error;
        await pauseBefore(error, givingUp);
        if (givingUp.aborted) throw error;
      }
    }
  }

  #isShownAsEnd({ code }: LatchkeyProblem): boolean {
    const session = this.#latchkey.session.state();
    return session.status === 'ended' && session.code === code;
  }
}
