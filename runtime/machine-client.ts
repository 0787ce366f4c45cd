/**
 * The demo's fraud engine as an OAuth client of the API: private_key_jwt (RFC 7523) for its token, a DPoP proof (RFC 9449) with the
 * server's latest nonce for every call. It holds a published demo key and must never be given a real one.
 */
import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { JWK } from 'jose';
import type { Clock } from '../domain/clock.ts';
import type { DemoPrivateKey } from './demo-secrets.ts';
import { isRecord } from './local-http.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** A token that dies in this time is asked for anew. */
const RENEW_BEFORE_MS = 30_000;
const CALL_TIMEOUT_MS = 10_000;

export interface MachineClientOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly key: DemoPrivateKey;
  readonly scope: string;
  readonly clock: Clock;
}

export interface MachineCall {
  readonly method: 'GET' | 'POST';
  /** Below the issuer: `/fraud/signals`. */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly body?: unknown;
  /** A stream lasts until this says so; a plain call ends by itself. */
  readonly signal?: AbortSignal;
  /** The same key repeats a call without doing it twice; a new one when left out. */
  readonly idempotencyKey?: string;
}

interface Send {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly token?: string;
  readonly signal: AbortSignal;
}

interface DpopKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export class MachineClient {
  readonly #options: MachineClientOptions;
  #dpopKey: Promise<DpopKey> | undefined;
  #nonce: string | undefined;
  #token: { readonly value: string; readonly expiresAtMs: number } | undefined;

  constructor(options: MachineClientOptions) {
    this.#options = options;
  }

  /** The API's answer, whatever its status. @throws Error when the API cannot be reached or gives no token. */
  async call({
    method,
    path,
    query,
    body,
    signal,
    idempotencyKey,
  }: MachineCall): Promise<Response> {
    const url = new URL(`${this.#options.issuer}${path}`);
    if (query !== undefined) url.search = query.toString();
    const key = idempotencyKey ?? randomUUID();
    const remembered = this.#token?.value;
    const token = await this.#accessToken();
    const request: Send = {
      method,
      url,
      headers: {
        accept: 'application/json, text/event-stream',
        ...(method === 'POST' ? { 'idempotency-key': key } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      token,
      signal: signal ?? AbortSignal.timeout(CALL_TIMEOUT_MS),
    };
    const answer = await this.#send(request);
    if (answer.status !== 401) return answer;
    // An emergency rotation of the API's keys ends tokens before their time: a cut-off must not fail for that.
    this.#token = undefined;
    if (token !== remembered) return answer;
    await answer.body?.cancel();
    return await this.#send({ ...request, token: await this.#accessToken() });
  }

  async #accessToken(): Promise<string> {
    const nowMs = this.#options.clock.nowMs();
    if (this.#token !== undefined && this.#token.expiresAtMs - RENEW_BEFORE_MS > nowMs) {
      return this.#token.value;
    }
    const { clientId, scope } = this.#options;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await this.#assertion(),
      scope,
    });
    const answer = await this.#send({
      method: 'POST',
      url: new URL(`${this.#options.issuer}/oauth/token`),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const token: unknown = await answer.json().catch(() => undefined);
    const value = isRecord(token) ? token['access_token'] : undefined;
    const seconds = isRecord(token) ? token['expires_in'] : undefined;
    if (!answer.ok || typeof value !== 'string' || typeof seconds !== 'number') {
      throw new Error(`the API gave ${clientId} no token (status ${answer.status})`);
    }
    this.#token = { value, expiresAtMs: nowMs + seconds * 1000 };
    return value;
  }

  async #assertion(): Promise<string> {
    const { issuer, clientId, key, clock } = this.#options;
    const seconds = Math.floor(clock.nowMs() / 1000);
    return await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: key.kid })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setJti(randomUUID())
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 60)
      .sign(await importJWK({ ...key }, 'ES256'));
  }

  /** Sends with a fresh proof, and once more when the answer brought the nonce that was missing. */
  async #send(request: Send): Promise<Response> {
    const shown = this.#nonce;
    const first = await this.#attempt(request);
    const isNonceNew = this.#nonce !== shown;
    if (!isNonceNew || (first.status !== 401 && first.status !== 400)) return first;
    await first.body?.cancel();
    return await this.#attempt(await this.#renewed(request));
  }

  /** An assertion is spent by its first use: a repeated token request carries another. */
  async #renewed(request: Send): Promise<Send> {
    if (request.body === undefined || request.token !== undefined) return request;
    const form = new URLSearchParams(request.body);
    form.set('client_assertion', await this.#assertion());
    return { ...request, body: form.toString() };
  }

  async #attempt({ method, url, headers, body, token, signal }: Send): Promise<Response> {
    const answer = await fetch(url, {
      method,
      headers: {
        ...headers,
        dpop: await this.#proof(method, url, token),
        ...(token === undefined ? {} : { authorization: `DPoP ${token}` }),
      },
      redirect: 'error',
      signal,
      ...(body === undefined ? {} : { body }),
    });
    this.#nonce = answer.headers.get('dpop-nonce') ?? this.#nonce;
    return answer;
  }

  async #proof(method: string, url: URL, token: string | undefined): Promise<string> {
    this.#dpopKey ??= makeDpopKey();
    const { privateKey, publicJwk } = await this.#dpopKey;
    return await new SignJWT({
      htm: method,
      htu: `${url.origin}${url.pathname}`,
      jti: randomUUID(),
      iat: Math.floor(this.#options.clock.nowMs() / 1000),
      ...(this.#nonce === undefined ? {} : { nonce: this.#nonce }),
      ...(token === undefined
        ? {}
        : { ath: createHash('sha256').update(token).digest('base64url') }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: publicJwk })
      .sign(privateKey);
  }
}

async function makeDpopKey(): Promise<DpopKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: false });
  const { kty, crv, x, y } = await exportJWK(publicKey);
  if (kty === undefined || crv === undefined || x === undefined || y === undefined) {
    throw new TypeError('a P-256 key has all its members');
  }
  return { privateKey, publicJwk: { kty, crv, x, y } };
}
