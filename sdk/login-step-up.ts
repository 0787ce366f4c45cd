/**
 * A login that needs one more proof: the code that was sent, then the tokens of a login. The session key that began it goes on with it; no token
 * stands yet, and none is given before the code is right.
 */
import type { Http } from './http.ts';
import { LatchkeyProblem } from './problem.ts';
import type { ActiveSession, Session } from './session.ts';
import type { LoginStepUp, TokenAnswer } from './types.ts';

export interface NeededProof {
  readonly stepUpId: string;
  /** Masked. */
  readonly sentTo: string | undefined;
}

/** What a refused login asks for; undefined: it asks for nothing. */
export function neededProofOf(error: unknown): NeededProof | undefined {
  if (!(error instanceof LatchkeyProblem) || error.code !== 'login_needs_approval')
    return undefined;
  const { stepUpId, sentTo } = error.extra;
  if (typeof stepUpId !== 'string') return undefined;
  return { stepUpId, sentTo: typeof sentTo === 'string' ? sentTo : undefined };
}

export class LoginStepUps {
  readonly #http: Http;
  readonly #session: Session;

  constructor({ http, session }: { readonly http: Http; readonly session: Session }) {
    this.#http = http;
    this.#session = session;
  }

  view(stepUpId: string): Promise<LoginStepUp> {
    return this.#http.call<LoginStepUp>({
      operation: 'getLoginStepUp',
      method: 'GET',
      path: `/auth/login-step-ups/${stepUpId}`,
    });
  }

  submitCode(stepUpId: string, code: string): Promise<LoginStepUp> {
    return this.#http.call<LoginStepUp>({
      operation: 'submitLoginCode',
      method: 'POST',
      path: `/auth/login-step-ups/${stepUpId}/code`,
      json: { code },
    });
  }

  resendCode(stepUpId: string): Promise<LoginStepUp> {
    return this.#http.call<LoginStepUp>({
      operation: 'resendLoginCode',
      method: 'POST',
      path: `/auth/login-step-ups/${stepUpId}/resend-code`,
      json: {},
    });
  }

  /** Once it is approved. */
  async finish(stepUpId: string): Promise<ActiveSession> {
    const answer = await this.#http.call<TokenAnswer>({
      operation: 'finishLogin',
      method: 'POST',
      path: `/auth/login-step-ups/${stepUpId}/finish`,
      json: {},
    });
    return this.#session.adopt(answer);
  }
}
