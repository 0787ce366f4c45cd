/**
 * How a service refuses: Latchkey's own codes, the challenges of RFC 9449, RFC 6750 and RFC 9470, and 503 for whatever could not be judged. It
 * must never say more than the caller needs for the next try.
 */
import { SIGNATURE_TAG, SIGNED_COMPONENTS } from '../message-signature.ts';

export type RefusalCode = keyof typeof REFUSALS;

const REFUSALS = {
  token_missing: { status: 401, error: undefined, title: 'An access token is needed.' },
  token_invalid: { status: 401, error: 'invalid_token', title: 'The access token is not valid.' },
  token_expired: { status: 401, error: 'invalid_token', title: 'The access token has expired.' },
  session_ended: { status: 401, error: 'invalid_token', title: 'The session has ended.' },
  dpop_proof_missing: {
    status: 401,
    error: 'invalid_dpop_proof',
    title: 'A DPoP proof is needed.',
  },
  dpop_proof_invalid: {
    status: 401,
    error: 'invalid_dpop_proof',
    title: 'The DPoP proof is not valid.',
  },
  dpop_proof_replayed: {
    status: 401,
    error: 'invalid_dpop_proof',
    title: 'That DPoP proof was used before. Send a new one.',
  },
  dpop_key_mismatch: {
    status: 401,
    error: 'invalid_token',
    title: 'The DPoP proof was made with another key.',
  },
  signature_invalid: {
    status: 401,
    error: 'invalid_request',
    title: 'The signature of this request is missing or not valid.',
  },
  caller_not_allowed: { status: 403, error: undefined, title: 'This caller may not do that.' },
  insufficient_scope: {
    status: 403,
    error: 'insufficient_scope',
    title: 'The token does not carry the scope this needs.',
  },
  insufficient_user_authentication: {
    status: 401,
    error: 'insufficient_user_authentication',
    title: 'This needs a stronger or more recent login.',
  },
  verifier_unsure: { status: 503, error: undefined, title: 'Cannot judge right now. Try again.' },
} as const;

/** RFC 9421 section 5: what the next try must carry. */
const ACCEPT_SIGNATURE = `latchkey=(${SIGNED_COMPONENTS.map((name) => `"${name}"`).join(' ')});created;nonce;keyid;alg;tag="${SIGNATURE_TAG}"`;

export interface ChallengeMembers {
  readonly scope?: string;
  readonly acr_values?: string;
  readonly max_age?: string;
}

/** Thrown inside the verifier alone; `detail` is for logs. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly detail: string | undefined;
  readonly challenge: ChallengeMembers;

  constructor(
    code: RefusalCode,
    options: { detail?: string; challenge?: ChallengeMembers; cause?: unknown } = {},
  ) {
    super(code, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.challenge = options.challenge ?? {};
  }
}

/** What a service answers with. */
export interface RefusedAnswer {
  readonly status: number;
  readonly code: RefusalCode;
  /** For logs; never to be sent. */
  readonly detail: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** application/problem+json, RFC 9457. */
  readonly body: {
    readonly type: string;
    readonly title: string;
    readonly status: number;
    readonly code: string;
  };
}

export function answerOf({ code, detail, challenge }: Refusal): RefusedAnswer {
  const { status, error, title } = REFUSALS[code];
  const members = Object.entries({ error, ...challenge, algs: 'ES256' }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${value}"`],
  );
  const isChallenged = status === 401 || error !== undefined;
  return {
    status,
    code,
    detail,
    headers: {
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      ...(isChallenged ? { 'www-authenticate': `DPoP ${members.join(', ')}` } : {}),
      ...(code === 'signature_invalid' ? { 'accept-signature': ACCEPT_SIGNATURE } : {}),
      ...(status === 503 ? { 'retry-after': '1' } : {}),
    },
    body: { type: 'about:blank', title, status, code },
  };
}
