/**
 * The one error that the SDK throws: a refusal of the server (RFC 9457, or RFC 6749 section 5.2 at the token endpoint) or a
 * misfortune on the phone, each with a stable code to branch on. Its text is for logs; it must never be shown to a customer.
 */
import { isRecord } from './members.ts';

/** What only the phone can know; every other code is the server's. */
export type PhoneProblemCode =
  | 'network_lost'
  | 'answer_unreadable'
  | 'not_logged_in'
  | 'passkey_cancelled'
  | 'passkey_unsupported'
  | 'passkey_exists_here'
  | 'passkey_failed'
  | 'text_mismatch';

export interface ProblemMembers {
  readonly code: string;
  /** HTTP status; 0 when nothing was answered. */
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  readonly requestId?: string;
  readonly retryAfterSeconds?: number;
  /** Further members of the problem document, such as `attemptsLeft`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/**
 * After these the request may have been carried out: the same operation must be repeated with the same key. A refused proof decides nothing:
 * it says nothing of an attempt before it whose answer was lost.
 */
const UNDECIDED: ReadonlySet<string> = new Set([
  'dpop_nonce_required',
  'use_dpop_nonce',
  'dpop_proof_replayed',
  'network_lost',
  'answer_unreadable',
  'outcome_pending',
  'idempotency_in_progress',
  'temporal_unavailable',
  'database_unavailable',
  'shutting_down',
  'request_timeout',
]);

export class LatchkeyProblem extends Error {
  override readonly name = 'LatchkeyProblem';
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(members: ProblemMembers, options?: { cause?: unknown }) {
    super(`${members.code}: ${members.title}`, options);
    this.code = members.code;
    this.status = members.status;
    this.title = members.title;
    this.detail = members.detail;
    this.requestId = members.requestId;
    this.retryAfterSeconds = members.retryAfterSeconds;
    this.extra = members.extra ?? {};
  }

  /** Whether the server may still have done what was asked. */
  get isUndecided(): boolean {
    return UNDECIDED.has(this.code);
  }
}

export function phoneProblem(
  code: PhoneProblemCode,
  title: string,
  cause?: unknown,
): LatchkeyProblem {
  return new LatchkeyProblem({ code, status: 0, title }, { cause });
}

/** Reads a refusal; an answer that is no problem document becomes `answer_unreadable` with its status. */
export async function problemOf(response: Response): Promise<LatchkeyProblem> {
  const body = await response.json().catch(() => undefined);
  const { status } = response;
  const requestId = response.headers.get('latchkey-request-id') ?? undefined;
  if (!isRecord(body)) {
    return new LatchkeyProblem({
      code: 'answer_unreadable',
      status,
      title: `An answer ${status} without a problem document.`,
      ...(requestId === undefined ? {} : { requestId }),
    });
  }
  const {
    code,
    error,
    title,
    detail,
    error_description: description,
    type: _type,
    ...extra
  } = body;
  const retryAfterSeconds = retryAfter(response) ?? numberOf(body['retryAfterSeconds']);
  const shownDetail = textOf(detail) ?? textOf(description);
  return new LatchkeyProblem({
    code: textOf(code) ?? textOf(error) ?? 'answer_unreadable',
    status,
    title: textOf(title) ?? textOf(description) ?? textOf(error) ?? 'Refused.',
    extra,
    ...(shownDetail === undefined ? {} : { detail: shownDetail }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

function retryAfter(response: Response): number | undefined {
  const header = response.headers.get('retry-after');
  return header !== null && /^\d+$/.test(header) ? Number(header) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
