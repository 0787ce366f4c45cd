/**
 * Apple Push Notification service over its own protocol: HTTP/2, one connection for all pushes, a provider token signed with the team's key
 * ("Sending notification requests to APNs", "Establishing a token-based connection"). It must never send a category, which is what puts buttons
 * on a notification, nor anything but the step-up's id beside the text.
 */
import { connect } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { importPKCS8, SignJWT } from 'jose';
import type { Clock } from '../../domain/clock.ts';
import type { PushDelivery, PushNotice, PushSender } from '../../domain/ports.ts';
import { answered, isRetryable, refused, retryAfterSecondsOf, unavailable } from './faults.ts';

export interface ApnsOptions {
  readonly teamId: string;
  readonly keyId: string;
  /** Of the team's .p8 file, PEM. */
  readonly privateKey: string;
  /** The app's bundle id. */
  readonly topic: string;
  /** An origin: Apple's production or sandbox, or a server that speaks the protocol. */
  readonly endpoint: string;
  readonly clock: Clock;
  /** Five seconds when left out; tests shorten it. */
  readonly timeoutMs?: number;
}

export const APNS_PRODUCTION = 'https://api.push.apple.com';

const TIMEOUT_MS = 5_000;
/** Apple takes a token for an hour, and a new one at most every twenty minutes. */
const TOKEN_KEPT_MS = 40 * 60_000;
const ANSWER_LIMIT_BYTES = 4 * 1024;

export function createApnsSender(options: ApnsOptions): PushSender {
  const token = createProviderToken(options);
  const line = createLine(options);
  return {
    send: async (notice) => {
      const headers = headersOf(options, notice, await token.current());
      const answer = await line.post(headers, JSON.stringify(payloadOf(notice)));
      if (answer.reason === 'ExpiredProviderToken') token.drop();
      return judge(answer, options.clock.nowMs());
    },
    close: () => {
      line.close();
    },
  };
}

function payloadOf({ title, body, stepUpId }: PushNotice) {
  return {
    aps: { alert: { title, body }, sound: 'default', 'interruption-level': 'time-sensitive' },
    stepUpId,
  };
}

function headersOf(
  { topic }: ApnsOptions,
  { token, stepUpId, expiresAtMs }: PushNotice,
  providerToken: string,
): Readonly<Record<string, string>> {
  return {
    ':method': 'POST',
    ':path': `/3/device/${encodeURIComponent(token)}`,
    authorization: `bearer ${providerToken}`,
    'content-type': 'application/json',
    'apns-topic': topic,
    'apns-push-type': 'alert',
    'apns-priority': '10',
    // Not kept for a phone that comes back when nobody waits for it any more.
    'apns-expiration': String(Math.floor(expiresAtMs / 1000)),
    // At most 64 bytes; a push that is repeated takes the place of the first.
    'apns-collapse-id': stepUpId,
  };
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  /** When the token was found to be dead; with 410. */
  readonly timestampMs?: number;
  readonly retryAfter: string | undefined;
}

/** "Handling notification responses from APNs". */
function judge(answer: Answer, nowMs: number): PushDelivery {
  const { status, reason, timestampMs, retryAfter } = answer;
  if (status === 200) return { outcome: 'delivered' };
  if (status === 410)
    return {
      outcome: 'unregistered',
      ...(timestampMs === undefined ? {} : { sinceMs: timestampMs }),
    };
  if (isRetryable(status) || reason === 'ExpiredProviderToken')
    throw unavailable(answered(status, reason), retryAfterSecondsOf(retryAfter, nowMs));
  throw refused(status, reason);
}

function createProviderToken({ teamId, keyId, privateKey, clock }: ApnsOptions) {
  let made: { readonly token: Promise<string>; readonly atMs: number } | undefined;
  const make = async (nowMs: number) =>
    await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setIssuedAt(Math.floor(nowMs / 1000))
      .sign(await importPKCS8(privateKey, 'ES256'));
  return {
    current: () => {
      const nowMs = clock.nowMs();
      if (made === undefined || nowMs - made.atMs >= TOKEN_KEPT_MS)
        made = { token: make(nowMs), atMs: nowMs };
      return made.token;
    },
    drop: () => {
      made = undefined;
    },
  };
}

/** One connection, made when first needed and again when it was lost. */
function createLine({ endpoint, timeoutMs = TIMEOUT_MS }: ApnsOptions) {
  let session: ClientHttp2Session | undefined;
  const open = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const opened = connect(endpoint);
    const forget = () => {
      if (session === opened) session = undefined;
    };
    // Told to each request under way too, which is where it is answered.
    opened.on('error', forget);
    opened.on('goaway', forget);
    opened.on('close', forget);
    // A worker that has nothing else to do may end.
    opened.unref();
    session = opened;
    return opened;
  };
  return {
    post: async (headers: Readonly<Record<string, string>>, body: string): Promise<Answer> => {
      try {
        return await exchange(open(), headers, { body, timeoutMs });
      } catch (cause) {
        // A connection that does not answer is not asked again.
        session?.destroy();
        session = undefined;
        throw unavailable(cause);
      }
    },
    close: () => {
      session?.destroy();
      session = undefined;
    },
  };
}

function exchange(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  { body, timeoutMs }: { readonly body: string; readonly timeoutMs: number },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers);
    let answer: IncomingHttpHeaders = {};
    let text = '';
    const deadline = setTimeout(() => {
      stream.destroy(new Error('APNs did not answer in time'));
    }, timeoutMs);
    stream.setEncoding('utf8');
    stream.on('response', (received) => {
      answer = received;
    });
    stream.on('data', (chunk: string) => {
      if (text.length < ANSWER_LIMIT_BYTES) text += chunk;
    });
    stream.on('error', reject);
    stream.on('close', () => {
      clearTimeout(deadline);
      const status = Number(answer[':status'] ?? 0);
      if (status === 0) reject(new Error('APNs hung up'));
      else resolve({ status, ...refusalIn(text), retryAfter: answer['retry-after'] });
    });
    stream.end(body);
  });
}

/** {"reason": "Unregistered", "timestamp": 1700000000000}; nothing when it was taken. */
function refusalIn(text: string): Pick<Answer, 'reason' | 'timestampMs'> {
  const body = parsed(text);
  if (typeof body !== 'object' || body === null) return { reason: '' };
  const reason = 'reason' in body && typeof body.reason === 'string' ? body.reason : '';
  return 'timestamp' in body && typeof body.timestamp === 'number'
    ? { reason, timestampMs: body.timestamp }
    : { reason };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
