/**
 * The platform's passkey prompts behind a narrow port, and their many errors told apart by what the customer can do. A prompt that
 * was closed is `passkey_cancelled`: an answer, not a failure.
 */
import {
  browserSupportsWebAuthn,
  startAuthentication,
  startRegistration,
  WebAuthnError,
} from '@simplewebauthn/browser';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/browser';
import { phoneProblem } from './problem.ts';
import type { LatchkeyProblem } from './problem.ts';

export type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
};

export interface WebAuthn {
  /** @throws LatchkeyProblem passkey_* */
  create(options: PublicKeyCredentialCreationOptionsJSON): Promise<RegistrationResponseJSON>;
  /** @throws LatchkeyProblem passkey_* */
  get(options: PublicKeyCredentialRequestOptionsJSON): Promise<AuthenticationResponseJSON>;
}

export function platformWebAuthn(): WebAuthn {
  return {
    create: (optionsJSON) => prompted(() => startRegistration({ optionsJSON })),
    get: (optionsJSON) => prompted(() => startAuthentication({ optionsJSON })),
  };
}

async function prompted<Answer>(prompt: () => Promise<Answer>): Promise<Answer> {
  if (!browserSupportsWebAuthn())
    throw phoneProblem('passkey_unsupported', 'This browser has no passkeys.');
  try {
    return await prompt();
  } catch (error) {
    throw passkeyProblem(error);
  }
}

function passkeyProblem(error: unknown): LatchkeyProblem {
  const code = error instanceof WebAuthnError ? error.code : undefined;
  const name = error instanceof Error ? error.name : '';
  if (code === 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED')
    return phoneProblem('passkey_exists_here', 'This device holds that passkey already.', error);
  if (code === 'ERROR_CEREMONY_ABORTED' || name === 'NotAllowedError' || name === 'AbortError')
    return phoneProblem('passkey_cancelled', 'The passkey prompt was closed.', error);
  return phoneProblem('passkey_failed', 'The passkey could not be used.', error);
}
