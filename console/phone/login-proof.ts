/** A login that needs one more proof: the code that was sent, and then the session. Nothing is shown of the customer before that. */
import type { Latchkey } from '../../sdk/client.ts';
import type { NeededProof } from '../../sdk/login-step-up.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import type { LoginStepUp } from '../../sdk/types.ts';
import type { PhoneCore } from './phone-core.ts';

export class LoginProof {
  readonly #core: PhoneCore;
  readonly #latchkey: Latchkey;

  constructor(core: PhoneCore, latchkey: Latchkey) {
    this.#core = core;
    this.#latchkey = latchkey;
  }

  async show(proof: NeededProof): Promise<void> {
    this.#core.set({ screen: { kind: 'login-proof', proof, view: undefined }, draftCode: '' });
    this.#become(await this.#latchkey.loginStepUps.view(proof.stepUpId));
  }

  async submitCode(code: string): Promise<void> {
    await this.#step('code', async (stepUpId) => {
      const { loginStepUps, enrollment } = this.#latchkey;
      const { screen } = this.#core.state();
      const isProved = screen.kind === 'login-proof' && screen.view?.status === 'approved';
      // The code is spent once it was right: what may be left is the way in.
      if (!isProved) this.#become(await loginStepUps.submitCode(stepUpId, code));
      await loginStepUps.finish(stepUpId);
      await enrollment.dismiss();
    });
  }

  async resendCode(): Promise<void> {
    await this.#step('resend', async (stepUpId) => {
      this.#become(await this.#latchkey.loginStepUps.resendCode(stepUpId));
      this.#core.set({ notice: 'code_resent' });
    });
  }

  leave(): void {
    this.#core.goTo('logged-out');
  }

  async #step(name: string, step: (stepUpId: string) => Promise<void>): Promise<void> {
    await this.#core.run(name, async () => {
      const { screen } = this.#core.state();
      if (screen.kind !== 'login-proof') return;
      try {
        await step(screen.proof.stepUpId);
      } catch (error) {
        if (!(error instanceof LatchkeyProblem)) throw error;
        if (ENDS_LOGIN.has(error.code)) this.#core.goTo('logged-out');
        else if (error.code === 'wrong_code')
          this.#become(await this.#latchkey.loginStepUps.view(screen.proof.stepUpId));
        throw error;
      }
    });
  }

  #become(view: LoginStepUp): void {
    const { screen } = this.#core.state();
    if (screen.kind === 'login-proof') this.#core.set({ screen: { ...screen, view } });
  }
}

const ENDS_LOGIN: ReadonlySet<string> = new Set([
  'step_up_ended',
  'step_up_expired',
  'step_up_not_found',
  'attempts_exhausted',
  'revoked',
]);
