/**
 * Enrollment on the phone: each step, and waiting for the steps that somebody else takes. The screen is what the server says; it must
 * never decide that a step is done.
 */
import type { Latchkey } from '../../sdk/client.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import type { EnrollmentView, IdentityDetails } from '../../sdk/types.ts';
import { deviceDescription } from './device-description.ts';
import type { PhoneCore } from './phone-core.ts';

/** These end the ceremony: its own view says more than the refusal. */
const ENDS_CEREMONY: ReadonlySet<string> = new Set([
  'ceremony_ended',
  'ceremony_expired',
  'attempts_exhausted',
  'revoked',
  'wrong_step',
]);

export class Enrolling {
  readonly #core: PhoneCore;
  readonly #latchkey: Latchkey;
  readonly #locale: string;
  #waiting: AbortController | undefined;

  constructor(core: PhoneCore, latchkey: Latchkey, locale: string) {
    this.#core = core;
    this.#latchkey = latchkey;
    this.#locale = locale;
  }

  /** Takes up what was under way before the app was closed; false: nothing was. */
  async resume(): Promise<boolean> {
    const { enrollment } = this.#latchkey;
    this.#core.set({ installation: await enrollment.installation() });
    const view = await enrollment.resume();
    if (view !== undefined) this.#show(view);
    return view !== undefined;
  }

  async start(phone: string): Promise<void> {
    await this.#core.run('start', async () => {
      this.#show(await this.#latchkey.enrollment.start({ phone, locale: this.#locale }));
    });
  }

  setDraftCode(draftCode: string): void {
    this.#core.set({ draftCode });
  }

  changeEmail(isChangingEmail: boolean): void {
    this.#core.set({ isChangingEmail, problem: undefined, draftCode: '' });
  }

  async submitCode(code: string): Promise<void> {
    await this.#step('code', ({ enrollmentId, state }) =>
      state === 'phone'
        ? this.#latchkey.enrollment.submitPhoneCode(enrollmentId, code)
        : this.#latchkey.enrollment.submitEmailCode(enrollmentId, code),
    );
  }

  async resendCode(): Promise<void> {
    await this.#step('resend', ({ enrollmentId, state }) =>
      state === 'phone'
        ? this.#latchkey.enrollment.resendPhoneCode(enrollmentId)
        : this.#latchkey.enrollment.resendEmailCode(enrollmentId),
    );
    if (this.#core.state().problem === undefined) this.#core.set({ notice: 'code_resent' });
  }

  async submitIdentity(identity: IdentityDetails): Promise<void> {
    await this.#step('identity', ({ enrollmentId }) =>
      this.#latchkey.enrollment.submitIdentity(enrollmentId, identity),
    );
  }

  async submitEmail(email: string): Promise<void> {
    await this.#step('email', ({ enrollmentId }) =>
      this.#latchkey.enrollment.submitEmail(enrollmentId, email),
    );
  }

  async createPasskey(): Promise<void> {
    await this.#step('passkey', ({ enrollmentId }) =>
      this.#latchkey.enrollment.createPasskey(enrollmentId, deviceDescription()),
    );
    this.#core.set({ installation: await this.#latchkey.enrollment.installation() });
  }

  async cancel(): Promise<void> {
    await this.#step('cancel', ({ enrollmentId }) =>
      this.#latchkey.enrollment.cancel(enrollmentId),
    );
    if (this.#core.state().problem === undefined) await this.leave('number');
  }

  /** After its end was shown. */
  async leave(to: 'number' | 'logged-out' | 'welcome'): Promise<void> {
    await this.#latchkey.enrollment.dismiss();
    this.#core.goTo(to);
  }

  stopWaiting(): void {
    this.#waiting?.abort();
  }

  async #step(
    name: string,
    step: (view: EnrollmentView) => Promise<EnrollmentView>,
  ): Promise<void> {
    const { screen } = this.#core.state();
    if (screen.kind !== 'enrollment') return;
    await this.#core.run(name, async () => {
      try {
        this.#show(await step(screen.view));
      } catch (error) {
        if (!(error instanceof LatchkeyProblem)) throw error;
        if (error.code.startsWith('passkey_') || error.isUndecided) throw error;
        const now = await this.#latchkey.enrollment.view(screen.view.enrollmentId);
        this.#show(now);
        if (now.state !== 'ended' && !ENDS_CEREMONY.has(error.code)) throw error;
      }
    });
  }

  #show(view: EnrollmentView): void {
    const before = this.#core.state().screen;
    const isSameStep = before.kind === 'enrollment' && before.view.state === view.state;
    this.#core.set({
      screen: { kind: 'enrollment', view },
      isChangingEmail: false,
      ...(isSameStep ? {} : { draftCode: '' }),
    });
    this.#waiting?.abort();
    if (view.state === 'starting' || view.state === 'identity_check') this.#waitWhile(view);
  }

  #waitWhile(view: EnrollmentView): void {
    const waiting = new AbortController();
    this.#waiting = waiting;
    void this.#followWaiting(view, waiting.signal);
  }

  async #followWaiting(view: EnrollmentView, signal: AbortSignal): Promise<void> {
    try {
      const next = await this.#latchkey.enrollment.waitWhile(view, signal);
      if (!signal.aborted) this.#show(next);
    } catch (error) {
      if (!signal.aborted) this.#core.take(error);
    }
  }
}
