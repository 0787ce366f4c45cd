/**
 * Follows the cut-off feed of the issuer with a machine client's token, and comes back whenever it ends. It must never call knowledge current
 * by itself: only the feed's beats do.
 */
import { calculateJwkThumbprint, SignJWT } from 'jose';
import { createDpop } from '../dpop.ts';
import type { Dpop } from '../dpop.ts';
import type { DeviceKey } from '../keys.ts';
import type { CutOff, CutOffs } from './cut-offs.ts';
import { EventStreamReader } from './event-stream.ts';
import type { StreamedEvent } from './event-stream.ts';

const SCOPE = 'cut-offs:read';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_SECONDS = 60;
/** Beats come every two seconds: a connection that is silent for this long is dead, whatever TCP thinks. */
const SILENCE_MS = 7_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** A machine client with the scope `cut-offs:read`, registered with the public half of its key. */
export interface FeedClient {
  readonly clientId: string;
  /** ES256. */
  readonly privateKey: CryptoKey;
  readonly keyId: string;
}

export interface FeedOptions {
  readonly issuer: string;
  readonly client: FeedClient;
  readonly cutOffs: CutOffs;
  readonly fetch: typeof fetch;
  readonly nowMs: () => number;
  /** Hears why a connection ended, for logs. */
  readonly onInterruption: (error: unknown) => void;
}

/** Begins at once; resolves when `signal` ends it, never rejects. */
export async function followFeed(options: FeedOptions, signal: AbortSignal): Promise<void> {
  const sessionKey = await generateKey();
  const dpop = createDpop({
    sessionKey: () => Promise.resolve(sessionKey),
    fetch: options.fetch,
    nowMs: options.nowMs,
  });
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      await followOnce(dpop, options, signal);
      // It ended as it should, with its token.
      pauseMs = FIRST_PAUSE_MS;
    } catch (error) {
      if (!signal.aborted) options.onInterruption(error);
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  }
}

/** From the beginning each time: it is short, and misses nothing even when the issuer's database was restored meanwhile. */
async function followOnce(dpop: Dpop, options: FeedOptions, signal: AbortSignal): Promise<void> {
  const silence = new AbortController();
  const ended = AbortSignal.any([signal, silence.signal]);
  let alarm: ReturnType<typeof setTimeout> | undefined;
  const listen = (): void => {
    clearTimeout(alarm);
    alarm = setTimeout(() => {
      silence.abort(new Error('the feed is silent'));
    }, SILENCE_MS);
  };
  try {
    listen();
    const accessToken = await requestToken(dpop, options, ended);
    const response = await dpop.send({
      method: 'GET',
      url: `${options.issuer}/feeds/cut-offs`,
      headers: { accept: 'text/event-stream' },
      accessToken,
      signal: ended,
    });
    if (!response.ok || response.body === null)
      throw new Error(`the feed answered ${String(response.status)}`);
    const reader = new EventStreamReader();
    for await (const piece of piecesOf(response.body)) {
      listen();
      for (const event of reader.read(piece)) take(event, options.cutOffs);
    }
  } finally {
    clearTimeout(alarm);
  }
}

async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function take({ event, data }: StreamedEvent, cutOffs: CutOffs): void {
  // The issuer's own words, over its own connection.
  const said = JSON.parse(data) as { cutOffs?: readonly CutOff[]; asOf?: string };
  if (event === 'cut-offs') cutOffs.apply(said.cutOffs ?? []);
  if (event === 'beat') cutOffs.upToDateAt(Date.parse(said.asOf ?? ''));
}

async function requestToken(
  dpop: Dpop,
  { issuer, client, nowMs }: FeedOptions,
  signal: AbortSignal,
): Promise<string> {
  const nowSeconds = Math.floor(nowMs() / 1_000);
  const assertion = await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: client.keyId })
    .setIssuer(client.clientId)
    .setSubject(client.clientId)
    .setAudience(issuer)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ASSERTION_SECONDS)
    .sign(client.privateKey);
  const response = await dpop.send({
    method: 'POST',
    url: `${issuer}/oauth/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion,
      scope: SCOPE,
    }).toString(),
    signal,
  });
  const answer: unknown = await response.json();
  const isAnswer = typeof answer === 'object' && answer !== null && 'access_token' in answer;
  if (!response.ok || !isAnswer || typeof answer.access_token !== 'string')
    throw new Error(`the token endpoint answered ${String(response.status)}`);
  return answer.access_token;
}

async function generateKey(): Promise<DeviceKey> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
  const pair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const jwk = { kty: 'EC', crv: 'P-256', x, y } as const;
  const jkt = await calculateJwkThumbprint(jwk);
  return { privateKey: pair.privateKey, jwk, jkt, level: 'software' };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
