/**
 * Login with a passkey: options, the platform's prompt, tokens. Nothing is typed and nothing but the prompt decides; a closed prompt
 * changes nothing.
 */
import type { Http } from './http.ts';
import type { ActiveSession, Session } from './session.ts';
import type { TokenAnswer } from './types.ts';
import type { PublicKeyCredentialRequestOptionsJSON, WebAuthn } from './webauthn.ts';

export interface LoginOptions {
  readonly clientId: string;
  readonly http: Http;
  readonly webauthn: WebAuthn;
  readonly session: Session;
}

/** @throws LatchkeyProblem passkey_cancelled, customer_on_hold and others */
export async function logIn(options: LoginOptions): Promise<ActiveSession> {
  const { clientId, http, webauthn, session } = options;
  const asked = await http.call<{ options: PublicKeyCredentialRequestOptionsJSON }>({
    operation: 'createLoginOptions',
    method: 'POST',
    path: '/auth/login-options',
    json: { clientId },
  });
  const credential = await webauthn.get(asked.options);
  const answer = await http.call<TokenAnswer>({
    operation: 'login',
    method: 'POST',
    path: '/auth/login',
    json: { clientId, credential },
  });
  return session.adopt(answer);
}
