/**
 * DPoP (RFC 9449): every request carries a fresh proof by the session key, with the server's latest nonce and, beside a token, its
 * hash. A proof is made for one request and must never be sent twice: a retry gets a new one.
 */
import { base64url, SignJWT } from 'jose';
import type { DeviceKey } from './keys.ts';
import { problemOf } from './problem.ts';
import { signRequest } from './signed-request.ts';

const NONCE_HEADER = 'dpop-nonce';
/** A phone's clock may be wrong; below this the difference is the network's. */
const TRUSTED_DRIFT_MS = 2_000;
/** Refusals that a new proof answers; the token endpoint says it in RFC 9449's own words (section 8). */
const WANTS_NEW_PROOF: ReadonlySet<string> = new Set([
  'dpop_nonce_required',
  'use_dpop_nonce',
  'dpop_proof_replayed',
]);

export interface ProvenRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly accessToken?: string;
  /** With a token: the session key signs the body too (sdk/signed-request.ts). */
  readonly isSigned?: boolean;
  readonly signal?: AbortSignal;
}

export interface DpopOptions {
  readonly sessionKey: () => Promise<DeviceKey>;
  readonly fetch: typeof fetch;
  readonly nowMs: () => number;
}

export interface Dpop {
  /** Sends with a proof, and once more with another when the server asks for that. Rejects only when nothing was answered. */
  send(request: ProvenRequest): Promise<Response>;
}

export function createDpop(options: DpopOptions): Dpop {
  const nonces = new Map<string, string>();
  let clockOffsetMs = 0;

  const prove = async (request: ProvenRequest): Promise<string> => {
    const { privateKey, jwk } = await options.sessionKey();
    const target = new URL(request.url);
    const nonce = nonces.get(target.origin);
    return new SignJWT({
      htm: request.method,
      htu: `${target.origin}${target.pathname}`,
      jti: crypto.randomUUID(),
      iat: Math.floor((options.nowMs() + clockOffsetMs) / 1_000),
      ...(nonce === undefined ? {} : { nonce }),
      ...(request.accessToken === undefined ? {} : { ath: await hashOf(request.accessToken) }),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(privateKey);
  };

  const attempt = async (request: ProvenRequest): Promise<Response> => {
    const { method, url, body, accessToken, signal } = request;
    const dpop = await prove(request);
    const authorization = `DPoP ${accessToken ?? ''}`;
    const signature =
      request.isSigned === true
        ? await signRequest(
            await options.sessionKey(),
            { method, url, body, authorization, dpop },
            options.nowMs() + clockOffsetMs,
          )
        : {};
    const response = await options.fetch(url, {
      method,
      headers: {
        ...request.headers,
        ...signature,
        dpop,
        ...(accessToken === undefined ? {} : { authorization }),
      },
      credentials: 'omit',
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
    const nonce = response.headers.get(NONCE_HEADER);
    if (nonce !== null) nonces.set(new URL(url).origin, nonce);
    clockOffsetMs = driftOf(response, options.nowMs()) ?? clockOffsetMs;
    return response;
  };

  return {
    send: async (request) => {
      const first = await attempt(request);
      return (await wantsNewProof(first)) ? attempt(request) : first;
    },
  };
}

async function wantsNewProof(response: Response): Promise<boolean> {
  if (response.status !== 400 && response.status !== 401) return false;
  return WANTS_NEW_PROOF.has((await problemOf(response.clone())).code);
}

function driftOf(response: Response, nowMs: number): number | undefined {
  const serverMs = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(serverMs)) return undefined;
  const driftMs = serverMs - nowMs;
  return Math.abs(driftMs) > TRUSTED_DRIFT_MS ? driftMs : 0;
}

/** RFC 9449 section 4.2: base64url of the SHA-256 of the token's ASCII. */
async function hashOf(accessToken: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(accessToken));
  return base64url.encode(new Uint8Array(digest));
}
