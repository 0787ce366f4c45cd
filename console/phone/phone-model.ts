/**
 * The bank's app as a model without pixels: which screen is due, what is under way, what was refused. It speaks through the SDK only.
 * Here: the start of the app and its session; `enrolling` is the way there.
 */
import type { Latchkey } from '../../sdk/client.ts';
import { neededProofOf } from '../../sdk/login-step-up.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import type { LogoutScope } from '../../sdk/types.ts';
import { Approvals } from './approvals.ts';
import { Enrolling } from './enrolling.ts';
import { Freezing } from './freezing.ts';
import { loadHome, readBankAnswer } from './home-data.ts';
import { LoginProof } from './login-proof.ts';
import { Objecting } from './objecting.ts';
import { OwnSessions } from './own-sessions.ts';
import { Paying } from './paying.ts';
import { PhoneCore } from './phone-core.ts';
import type { PhoneState } from './phone-state.ts';
import { Recovering } from './recovering.ts';
import { waitingFor } from './waiting.ts';

export interface PhoneModelOptions {
  readonly latchkey: Latchkey;
  readonly bankUrl: string;
  readonly paymentsUrl: string;
  readonly locale: string;
}

export class PhoneModel {
  readonly enrolling: Enrolling;
  readonly ownSessions: OwnSessions;
  readonly freezing: Freezing;
  readonly approvals: Approvals;
  readonly paying: Paying;
  readonly loginProof: LoginProof;
  readonly recovering: Recovering;
  readonly objecting: Objecting;
  readonly state: () => PhoneState;
  readonly subscribe: (listener: () => void) => () => void;
  readonly #core: PhoneCore;
  readonly #latchkey: Latchkey;
  readonly #bankUrl: string;

  constructor({ latchkey, bankUrl, paymentsUrl, locale }: PhoneModelOptions) {
    this.#latchkey = latchkey;
    this.#bankUrl = bankUrl;
    this.#core = new PhoneCore(latchkey);
    this.enrolling = new Enrolling(this.#core, latchkey, locale);
    this.ownSessions = new OwnSessions(this.#core, latchkey, () => this.#loadHome());
    this.freezing = new Freezing(this.#core, latchkey, () => this.#loadHome());
    const core = this.#core;
    this.approvals = new Approvals({
      core,
      latchkey,
      locale,
      onChange: (view) => {
        this.paying.follow(view);
      },
    });
    this.paying = new Paying({
      core,
      latchkey,
      paymentsUrl,
      showStepUp: (stepUpId) => this.approvals.show(stepUpId),
    });
    this.loginProof = new LoginProof(core, latchkey);
    this.recovering = new Recovering(core, latchkey, locale);
    this.objecting = new Objecting(core, latchkey, () => this.#loadHome());
    ({ state: this.state, subscribe: this.subscribe } = this.#core);
    latchkey.session.subscribe(() => {
      this.#followSession();
    });
  }

  readonly session = () => this.#latchkey.session.state();

  /** How a call ended, as the SDK tells it; without a problem, well. */
  readonly hear = (problem?: LatchkeyProblem): void => {
    this.#core.hear(problem);
  };

  /** The first act after a start of the app; also its "try again". */
  async boot(): Promise<void> {
    await this.#core.run('boot', async () => {
      if (await this.enrolling.resume()) return;
      if (await this.recovering.resume()) return;
      const { session } = this.#latchkey;
      await session.restore();
      if (session.state().status === 'none') this.#core.goTo(this.#restingScreen());
    });
  }

  goTo(kind: 'welcome' | 'number' | 'logged-out' | 'recover-ask' | 'freeze-ask'): void {
    this.#core.goTo(kind);
  }

  /** The customer would rather not wait on. */
  giveUp(): void {
    this.#core.giveUp();
  }

  async logIn(): Promise<void> {
    await this.#core.run('login', async () => {
      try {
        await this.#latchkey.logIn();
        await this.#latchkey.enrollment.dismiss();
        await this.recovering.dismiss();
      } catch (error) {
        const proof = neededProofOf(error);
        if (proof === undefined) throw error;
        await this.loginProof.show(proof);
      }
    });
  }

  async refresh(): Promise<void> {
    await this.#core.run('refresh', async () => {
      await this.#latchkey.session.refresh();
      await this.#loadHome();
    });
  }

  async callBank(): Promise<void> {
    await this.#core.run('bank', async () => {
      try {
        const answer = await this.#latchkey.callService('getAccounts', this.#bankUrl);
        this.#core.set({ bank: readBankAnswer(answer) });
      } catch (error) {
        if (!(error instanceof LatchkeyProblem) || waitingFor(error) !== undefined) throw error;
        this.#core.set({ bank: { refused: error } });
      }
    });
  }

  async logOut(scope: Exclude<LogoutScope, 'others'>): Promise<void> {
    await this.#core.run(`logout-${scope}`, async () => {
      await this.#latchkey.logOut(scope);
    });
  }

  /** Asks quietly whether the session still stands, as an app in the foreground does. */
  async lookAfterSession(): Promise<void> {
    const { screen, busy } = this.#core.state();
    if (screen.kind !== 'home' || busy !== undefined) return;
    await this.#loadHome().catch(() => undefined);
    // The stream tells at once; whoever has none, or missed something, finds it here.
    await this.approvals.look().catch(() => undefined);
  }

  /** The phone as it came from the shop. */
  async forgetEverything(): Promise<void> {
    this.enrolling.stopWaiting();
    this.recovering.stopFollowing();
    this.approvals.stop();
    this.paying.forget();
    this.#core.giveUp();
    await this.#latchkey.forgetEverything();
    this.#core.set({ installation: undefined });
    this.#core.goTo('welcome');
  }

  #followSession(): void {
    const { status } = this.#latchkey.session.state();
    const { kind } = this.#core.state().screen;
    if (status !== 'active') {
      this.approvals.stop();
      this.paying.forget();
    }
    if (status === 'active' && kind !== 'home') {
      this.#core.goTo('home');
      this.approvals.follow();
      this.#loadHome().catch((error: unknown) => {
        this.#core.take(error);
      });
    } else if (status === 'active') this.#core.set({});
    else if (status === 'ended') this.#core.goTo('cut-off');
    else if (kind === 'home') this.#core.goTo('logged-out');
  }

  async #loadHome(): Promise<void> {
    this.#core.set({ home: await loadHome(this.#latchkey) });
  }

  /** Where whoever leaves a ceremony comes to. */
  rest(): void {
    this.#core.goTo(this.#restingScreen());
  }

  #restingScreen(): 'welcome' | 'logged-out' {
    return this.#core.state().installation === undefined ? 'welcome' : 'logged-out';
  }
}
