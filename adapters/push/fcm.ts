/**
 * Firebase Cloud Messaging by its HTTP v1 API: an access token for the service account (RFC 7523 section 2.1, "Using OAuth 2.0 for server to server
 * applications"), then `messages:send`. It must never send anything but the step-up's id beside the text.
 */
import { importPKCS8, SignJWT } from 'jose';
import type { Clock } from '../../domain/clock.ts';
import type { PushDelivery, PushNotice, PushSender } from '../../domain/ports.ts';
import { answered, isRetryable, refused, retryAfterSecondsOf, unavailable } from './faults.ts';

export interface FcmOptions {
  readonly projectId: string;
  /** Of the service account's key file: client_email, private_key_id, private_key, token_uri. */
  readonly clientEmail: string;
  readonly privateKeyId: string;
  readonly privateKey: string;
  readonly tokenUri: string;
  /** An origin: Google's, or a server that speaks the protocol. */
  readonly endpoint: string;
  readonly clock: Clock;
  /** Five seconds when left out; tests shorten it. */
  readonly timeoutMs?: number;
}

export const FCM_ENDPOINT = 'https://fcm.googleapis.com';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TIMEOUT_MS = 5_000;
const ASSERTION_SECONDS = 3600;
/** A token is not used in its last minutes: a push may take a while. */
const MARGIN_MS = 5 * 60_000;
/** What Google asks for when a 429 does not say how long. */
const QUOTA_SECONDS = 60;
const ANSWER_LIMIT_BYTES = 16 * 1024;

export function createFcmSender(options: FcmOptions): PushSender {
  const { endpoint, projectId, clock } = options;
  const token = createAccessToken(options);
  const url = `${endpoint}/v1/projects/${encodeURIComponent(projectId)}/messages:send`;
  return {
    send: async (notice) => {
      const answer = await post(options, url, {
        headers: {
          authorization: `Bearer ${await token.current()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ message: messageOf(notice, clock.nowMs()) }),
      });
      if (answer.status === 401) token.drop();
      return judge(answer, clock.nowMs());
    },
    close: () => undefined,
  };
}

function messageOf({ token, title, body, stepUpId, expiresAtMs }: PushNotice, nowMs: number) {
  const leftSeconds = Math.max(0, Math.floor((expiresAtMs - nowMs) / 1000));
  return {
    token,
    notification: { title, body },
    data: { stepUpId },
    android: {
      // A phone that sleeps is woken, and a push that is repeated takes the place of the first.
      priority: 'HIGH',
      ttl: `${String(leftSeconds)}s`,
      collapse_key: stepUpId,
      notification: { tag: stepUpId },
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter: string | undefined;
}

/** "FCM error codes" of the HTTP v1 reference. */
function judge({ status, body, retryAfter }: Answer, nowMs: number): PushDelivery {
  if (status === 200) return { outcome: 'delivered' };
  const reason = errorCodeIn(body);
  if (status === 404 && reason === 'UNREGISTERED') return { outcome: 'unregistered' };
  // With 401 the next try asks for a new token.
  if (isRetryable(status) || status === 401) {
    const wait = retryAfterSecondsOf(retryAfter, nowMs);
    const isQuota = status === 429 && wait.retryAfterSeconds === undefined;
    throw unavailable(
      answered(status, reason),
      isQuota ? { retryAfterSeconds: QUOTA_SECONDS } : wait,
    );
  }
  throw refused(status, reason);
}

/** Of the detail that is FCM's own; else the status of Google's API in general. */
function errorCodeIn(body: unknown): string {
  const error = member(body, 'error');
  const details = member(error, 'details');
  for (const detail of Array.isArray(details) ? (details as readonly unknown[]) : []) {
    const code = member(detail, 'errorCode');
    if (typeof code === 'string') return code;
  }
  const status = member(error, 'status');
  return typeof status === 'string' ? status : '';
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(name)
    : undefined;
}

/** One for all pushes of its time; who comes while it is asked for waits for the same. */
function createAccessToken(options: FcmOptions) {
  const { clock } = options;
  let held: { readonly token: string; readonly untilMs: number } | undefined;
  let asking: Promise<string> | undefined;
  const ask = async (): Promise<string> => {
    try {
      const { token, seconds } = await askForToken(options);
      held = { token, untilMs: clock.nowMs() + seconds * 1000 - MARGIN_MS };
      return token;
    } finally {
      asking = undefined;
    }
  };
  return {
    current: async () => {
      if (held !== undefined && clock.nowMs() < held.untilMs) return held.token;
      asking ??= ask();
      return await asking;
    },
    drop: () => {
      held = undefined;
    },
  };
}

async function askForToken(options: FcmOptions): Promise<{ token: string; seconds: number }> {
  const { clientEmail, privateKeyId, privateKey, tokenUri, clock } = options;
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  const assertion = await new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: privateKeyId })
    .setIssuer(clientEmail)
    .setAudience(tokenUri)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ASSERTION_SECONDS)
    .sign(await importPKCS8(privateKey, 'RS256'));
  const answer = await post(options, tokenUri, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: GRANT, assertion }).toString(),
  });
  const token = member(answer.body, 'access_token');
  const seconds = member(answer.body, 'expires_in');
  if (answer.status === 200 && typeof token === 'string' && typeof seconds === 'number')
    return { token, seconds };
  const error = member(answer.body, 'error');
  const reason = typeof error === 'string' ? error : '';
  if (isRetryable(answer.status)) {
    throw unavailable(
      answered(answer.status, reason),
      retryAfterSecondsOf(answer.retryAfter, clock.nowMs()),
    );
  }
  throw refused(answer.status, reason);
}

async function post(
  { timeoutMs = TIMEOUT_MS }: FcmOptions,
  url: string,
  request: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      ...request,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const retryAfter = response.headers.get('retry-after') ?? undefined;
    return { status: response.status, body: await jsonOf(response), retryAfter };
  } catch (cause) {
    throw unavailable(cause);
  }
}

/** undefined when it is none, or longer than any answer of theirs. */
async function jsonOf(response: Response): Promise<unknown> {
  let text = '';
  const decoder = new TextDecoder();
  // Node's streams of bytes can be walked; the library of the web's types does not say so.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ANSWER_LIMIT_BYTES) return undefined;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
