/**
 * The bank's app as a model without pixels: which screen is due, what is under way, what was refused. It speaks through the SDK only.
 * A screen follows from what the server says; the model must never decide that a step is done.
 */
import type { Latchkey } from '../../sdk/client.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import type { EnrollmentView, IdentityDetails, LogoutScope } from '../../sdk/types.ts';
import { emptyHome, loadHome, readBankAnswer } from './home-data.ts';
import { INITIAL } from './phone-state.ts';
import type { PhoneState, Screen } from './phone-state.ts';
import { deviceDescription } from './device-description.ts';

/** These end the ceremony: its own view says more than the refusal. */
const ENDS_CEREMONY: ReadonlySet<string> = new Set([
  'ceremony_ended',
  'ceremony_expired',
  'attempts_exhausted',
  'revoked',
  'wrong_step',
]);

export interface PhoneModelOptions {
  readonly latchkey: Latchkey;
  readonly bankUrl: string;
  readonly locale: string;
}

export class PhoneModel {
  readonly #latchkey: Latchkey;
  readonly #bankUrl: string;
  readonly #locale: string;
  readonly #listeners = new Set<() => void>();
  #waiting: AbortController | undefined;
  #state: PhoneState = INITIAL;

  constructor({ latchkey, bankUrl, locale }: PhoneModelOptions) {
    this.#latchkey = latchkey;
    this.#bankUrl = bankUrl;
    this.#locale = locale;
    latchkey.session.subscribe(() => {
      this.#followSession();
    });
  }

  readonly state = (): PhoneState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly session = () => this.#latchkey.session.state();

  /** The first act after a start of the app; also its "try again". */
  async boot(): Promise<void> {
    await this.#run('boot', async () => {
      const { enrollment, session } = this.#latchkey;
      this.#set({ installation: await enrollment.installation() });
      const view = await enrollment.resume();
      if (view !== undefined) {
        this.#show(view);
        return;
      }
      await session.restore();
      if (session.state().status === 'none') this.#goTo(this.#restingScreen());
    });
  }

  goTo(kind: 'welcome' | 'number' | 'logged-out'): void {
    this.#goTo(kind);
  }

  setDraftCode(draftCode: string): void {
    this.#set({ draftCode });
  }

  changeEmail(isChangingEmail: boolean): void {
    this.#set({ isChangingEmail, problem: undefined, draftCode: '' });
  }

  async startEnrollment(phone: string): Promise<void> {
    await this.#run('start', async () => {
      this.#show(await this.#latchkey.enrollment.start({ phone, locale: this.#locale }));
    });
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
    if (this.#state.problem === undefined) this.#set({ notice: 'code_resent' });
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
    this.#set({ installation: await this.#latchkey.enrollment.installation() });
  }

  async cancelEnrollment(): Promise<void> {
    await this.#step('cancel', ({ enrollmentId }) =>
      this.#latchkey.enrollment.cancel(enrollmentId),
    );
    await this.leaveEnrollment('number');
  }

  /** After its end was shown. */
  async leaveEnrollment(to: 'number' | 'logged-out' | 'welcome'): Promise<void> {
    await this.#latchkey.enrollment.dismiss();
    this.#goTo(to);
  }

  async logIn(): Promise<void> {
    await this.#run('login', async () => {
      await this.#latchkey.logIn();
      await this.#latchkey.enrollment.dismiss();
    });
  }

  async refresh(): Promise<void> {
    await this.#run('refresh', async () => {
      await this.#latchkey.session.refresh();
      await this.#loadHome();
    });
  }

  async callBank(): Promise<void> {
    await this.#run('bank', async () => {
      try {
        const answer = await this.#latchkey.callService('getAccounts', this.#bankUrl);
        this.#set({ bank: readBankAnswer(answer) });
      } catch (error) {
        if (!(error instanceof LatchkeyProblem)) throw error;
        this.#set({ bank: { refused: error } });
      }
    });
  }

  async logOut(scope: LogoutScope): Promise<void> {
    await this.#run(`logout-${scope}`, async () => {
      await this.#latchkey.logOut(scope);
      if (scope === 'others') await this.#loadHome();
    });
  }

  /** Asks quietly whether the session still stands, as an app in the foreground does. */
  async lookAfterSession(): Promise<void> {
    if (this.#state.screen.kind !== 'home' || this.#state.busy !== undefined) return;
    await this.#loadHome().catch(() => undefined);
  }

  /** The phone as it came from the shop. */
  async forgetEverything(): Promise<void> {
    this.#waiting?.abort();
    await this.#latchkey.forgetEverything();
    this.#set({ installation: undefined });
    this.#goTo('welcome');
  }

  async #step(
    name: string,
    step: (view: EnrollmentView) => Promise<EnrollmentView>,
  ): Promise<void> {
    const { screen } = this.#state;
    if (screen.kind !== 'enrollment') return;
    await this.#run(name, async () => {
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

  async #run(name: string, work: () => Promise<void>): Promise<void> {
    if (this.#state.busy !== undefined) return;
    this.#set({ busy: name, problem: undefined, notice: undefined });
    try {
      await work();
    } catch (error) {
      this.#take(error);
    } finally {
      this.#set({ busy: undefined });
    }
  }

  #take(error: unknown): void {
    if (!(error instanceof LatchkeyProblem)) throw error;
    if (error.code === 'passkey_cancelled') this.#set({ notice: 'passkey_cancelled' });
    else if (error.code === 'customer_on_hold') this.#goTo('hold');
    else if (!this.#isShownAsEnd(error)) this.#set({ problem: error });
  }

  #isShownAsEnd({ code }: LatchkeyProblem): boolean {
    const session = this.#latchkey.session.state();
    return session.status === 'ended' && session.code === code;
  }

  #show(view: EnrollmentView): void {
    const before = this.#state.screen;
    const isSameStep = before.kind === 'enrollment' && before.view.state === view.state;
    this.#set({
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
      if (!signal.aborted) this.#take(error);
    }
  }

  #followSession(): void {
    const { status } = this.#latchkey.session.state();
    const { kind } = this.#state.screen;
    if (status === 'active' && kind !== 'home') {
      this.#goTo('home');
      this.#loadHome().catch((error: unknown) => {
        this.#take(error);
      });
    } else if (status === 'active') this.#set({});
    else if (status === 'ended') this.#goTo('cut-off');
    else if (kind === 'home') this.#goTo('logged-out');
  }

  async #loadHome(): Promise<void> {
    this.#set({ home: await loadHome(this.#latchkey) });
  }

  #restingScreen(): 'welcome' | 'logged-out' {
    return this.#state.installation === undefined ? 'welcome' : 'logged-out';
  }

  #goTo(kind: Exclude<Screen['kind'], 'enrollment'>): void {
    this.#set({
      screen: { kind },
      problem: undefined,
      notice: undefined,
      draftCode: '',
      ...(kind === 'home' ? {} : { bank: undefined, home: emptyHome }),
    });
  }

  #set(change: Partial<PhoneState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
