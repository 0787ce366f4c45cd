/**
 * Login with a passkey: options, the platform's prompt, tokens. Nothing is typed and nothing but the prompt decides; a closed prompt
 * changes nothing. A login whose answer was lost is repeated as it was: the customer must not be asked twice for one login.
 */
import type { Http } from './http.ts';
import { LatchkeyProblem } from './problem.ts';
import type { ActiveSession, Session } from './session.ts';
import type { TokenAnswer } from './types.ts';
import type { PublicKeyCredentialRequestOptionsJSON, WebAuthn } from './webauthn.ts';

export interface LoginOptions {
  readonly clientId: string;
  readonly http: Http;
  readonly webauthn: WebAuthn;
  readonly session: Session;
}

export class Login {
  readonly #options: LoginOptions;
  /** What the prompt gave, until its outcome is known; the answer to one challenge, so of use for one login only. */
  #undecided: unknown;

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  /** @throws LatchkeyProblem passkey_cancelled, customer_on_hold and others */
  async logIn(): Promise<ActiveSession> {
    const { clientId, http, session } = this.#options;
    this.#undecided ??= await this.#prompt();
    try {
      const answer = await http.call<TokenAnswer>({
        operation: 'login',
        method: 'POST',
        path: '/auth/login',
        json: { clientId, credential: this.#undecided },
      });
      this.forget();
      return await session.adopt(answer);
    } catch (error) {
      if (!(error instanceof LatchkeyProblem) || !error.isUndecided) this.forget();
      throw error;
    }
  }

  forget(): void {
    this.#undecided = undefined;
  }

  async #prompt(): Promise<unknown> {
    const { clientId, http, webauthn } = this.#options;
    const asked = await http.call<{ options: PublicKeyCredentialRequestOptionsJSON }>({
      operation: 'createLoginOptions',
      method: 'POST',
      path: '/auth/login-options',
      json: { clientId },
    });
    return await webauthn.get(asked.options);
  }
}
