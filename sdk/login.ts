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
  readonly nowMs: () => number;
}

/** When the options name no time. */
const USUAL_MS = 60_000;

export class Login {
  readonly #options: LoginOptions;
  /**
   * What the prompt gave, until its outcome is known, and as long as its challenge lives at most: whoever holds the phone later has not been
   * asked for anything, and a login that was granted would be handed out.
   */
  #undecided: { readonly credential: unknown; readonly untilMs: number } | undefined;

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  /** @throws LatchkeyProblem passkey_cancelled, customer_on_hold and others */
  async logIn(): Promise<ActiveSession> {
    const { clientId, http, session, nowMs } = this.#options;
    if (this.#undecided !== undefined && nowMs() >= this.#undecided.untilMs) this.forget();
    const { credential } = (this.#undecided ??= await this.#prompt());
    try {
      const answer = await http.call<TokenAnswer>({
        operation: 'login',
        method: 'POST',
        path: '/auth/login',
        json: { clientId, credential },
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

  async #prompt(): Promise<{ readonly credential: unknown; readonly untilMs: number }> {
    const { clientId, http, webauthn, nowMs } = this.#options;
    const askedAtMs = nowMs();
    const asked = await http.call<{ options: PublicKeyCredentialRequestOptionsJSON }>({
      operation: 'createLoginOptions',
      method: 'POST',
      path: '/auth/login-options',
      json: { clientId },
    });
    const untilMs = askedAtMs + (asked.options.timeout ?? USUAL_MS);
    return { credential: await webauthn.get(asked.options), untilMs };
  }
}
