/**
 * The verifier for the bank's services: whose request is it, and may it pass, judged in the service itself by token, proof, cut-offs and, where
 * asked for, the signature over the body. Whatever it cannot judge it refuses with 503. For what moves money the gateway or a step-up decides
 * besides (SECURITY.md section 1).
 */
import { createAccessTokenVerifier } from './access-token.ts';
import type { TokenClaims, VerifiedToken } from './access-token.ts';
import { createCutOffs } from './cut-offs.ts';
import { followFeed } from './feed.ts';
import type { FeedClient } from './feed.ts';
import { createProofMemory } from './proof-memory.ts';
import type { ProofMemory } from './proof-memory.ts';
import { verifyProof } from './proof.ts';
import type { VerifiedProof } from './proof.ts';
import { answerOf, Refusal } from './refusal.ts';
import type { RefusedAnswer } from './refusal.ts';
import { singleHeader, targetOf } from './request.ts';
import type { ServiceRequest } from './request.ts';
import { verifySignature } from './signature.ts';

const WINDOW_SECONDS = 60;
const SKEW_SECONDS = 5;
const FEED_MAX_AGE_MS = 10_000;

export interface VerifierOptions {
  /** `https://<host>/t/<tenant>`, without a trailing slash. */
  readonly issuer: string;
  /** Of the tokens; the issuer when left out. */
  readonly audience?: string;
  /** Where clients reach this service, without a trailing slash: what proofs are made for. */
  readonly origin: string;
  /** Who follows the feed of cut-offs. */
  readonly client: FeedClient;
  /** Shared by the instances of a service; of this process when left out. */
  readonly proofs?: ProofMemory;
  /** How old the knowledge of cut-offs may be; then every request is refused until it is fresh again. */
  readonly feedMaxAgeMs?: number;
  readonly fetch?: typeof fetch;
  readonly nowMs?: () => number;
  /** Hears why the feed was interrupted, for logs. */
  readonly onInterruption?: (error: unknown) => void;
}

/** What an operation of the service asks for. */
export interface Requirement {
  readonly scope: string;
  /** One of them; RFC 9470. */
  readonly acrValues?: readonly string[];
  /** A login not older than this; RFC 9470. */
  readonly maxAgeSeconds?: number;
  /** The session key must have signed the body. */
  readonly signed?: boolean;
}

export interface VerifiedCaller {
  readonly customerId: string;
  readonly sessionId: string;
  readonly deviceId: string | undefined;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly acr: string;
  readonly amr: readonly string[];
  readonly authTimeSeconds: number;
  readonly epoch: number;
  readonly claims: TokenClaims;
}

export type Verdict =
  | { readonly ok: true; readonly caller: VerifiedCaller }
  | ({ readonly ok: false } & RefusedAnswer);

export interface Verifier {
  /** Never rejects. */
  verify(request: ServiceRequest, requirement: Requirement): Promise<Verdict>;
  /** Whether requests can be judged now; for a readiness check. */
  isReady(): boolean;
  close(): Promise<void>;
}

export function createVerifier(options: VerifierOptions): Verifier {
  const nowMs = options.nowMs ?? (() => Date.now());
  const ownFetch = options.fetch ?? ((input, init) => fetch(input, init));
  const { issuer, origin, audience = issuer } = options;
  const cutOffs = createCutOffs({ nowMs, maxAgeMs: options.feedMaxAgeMs ?? FEED_MAX_AGE_MS });
  const verifyAccessToken = createAccessTokenVerifier({ issuer, audience, fetch: ownFetch, nowMs });
  const window = { windowSeconds: WINDOW_SECONDS, skewSeconds: SKEW_SECONDS };
  const keptSeconds = WINDOW_SECONDS + SKEW_SECONDS;
  const proofs = options.proofs ?? createProofMemory({ nowMs, keptSeconds, ...window });
  const closing = new AbortController();
  const { onInterruption = () => undefined, client } = options;
  const following = followFeed(
    { issuer, client, cutOffs, fetch: ownFetch, nowMs, onInterruption },
    closing.signal,
  );

  const standing = ({ claims, keyId }: VerifiedToken): void => {
    if (!cutOffs.isCurrent()) throw new Refusal('verifier_unsure', { detail: 'feed' });
    if (cutOffs.isCutOff(claims, keyId)) throw new Refusal('session_ended');
  };
  const spend = async (mark: string, issuedAtMs: number): Promise<void> => {
    const spent = await proofs.spend(mark, issuedAtMs);
    if (spent === 'replayed') throw new Refusal('dpop_proof_replayed');
    if (spent !== 'fresh') throw new Refusal('verifier_unsure', { detail: 'proofs' });
  };
  const judge = async (request: ServiceRequest, requirement: Requirement) => {
    const url = targetOf(origin, request);
    const accessToken = readAuthorization(request);
    const dpop = singleHeader(request, 'dpop', 'dpop_proof_invalid');
    if (dpop === undefined) throw new Refusal('dpop_proof_missing');
    const now = { nowMs: nowMs(), ...window };
    const proof = await verifyProof(dpop, { method: request.method, url, accessToken, ...now });
    const token = await verifyAccessToken(accessToken);
    if (token.claims.cnf.jkt !== proof.jkt) throw new Refusal('dpop_key_mismatch');
    await spend(proof.mark, proof.issuedAtMs);
    if (requirement.signed === true) {
      const signature = await verifySignature(request, { url, ...keyOf(proof), ...now });
      await spend(signature.mark, signature.createdAtMs);
    }
    judgeRequirement(token.claims, requirement, nowMs());
    // Last, after everything that takes time.
    standing(token);
    return callerOf(token.claims);
  };
  return {
    verify: async (request, requirement) => {
      try {
        return { ok: true, caller: await judge(request, requirement) };
      } catch (error) {
        const isRefusal = error instanceof Refusal;
        const refusal = isRefusal ? error : new Refusal('verifier_unsure', { cause: error });
        return { ok: false, ...answerOf(refusal) };
      }
    },
    isReady: () => cutOffs.isCurrent(),
    close: async () => {
      closing.abort();
      await following;
    },
  };
}

/** RFC 9449 section 7.1: a bound token under another scheme is refused, however it is spelt. */
function readAuthorization(request: ServiceRequest): string {
  const authorization = singleHeader(request, 'authorization', 'token_invalid');
  if (authorization === undefined) throw new Refusal('token_missing');
  const [scheme = '', token = '', ...rest] = authorization.split(' ');
  if (scheme.toLowerCase() !== 'dpop' || token === '' || rest.length > 0)
    throw new Refusal('token_invalid', { detail: 'scheme' });
  return token;
}

function judgeRequirement(claims: TokenClaims, requirement: Requirement, nowMs: number): void {
  const { scope, acrValues, maxAgeSeconds } = requirement;
  if (!claims.scope.split(' ').includes(scope))
    throw new Refusal('insufficient_scope', { challenge: { scope } });
  const isStrong = acrValues?.includes(claims.acr) ?? true;
  const isRecent = maxAgeSeconds === undefined || nowMs / 1_000 - claims.auth_time <= maxAgeSeconds;
  if (isStrong && isRecent) return;
  throw new Refusal('insufficient_user_authentication', {
    challenge: {
      ...(acrValues === undefined ? {} : { acr_values: acrValues.join(' ') }),
      ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
    },
  });
}

function keyOf({ jkt, jwk }: VerifiedProof): Pick<VerifiedProof, 'jkt' | 'jwk'> {
  return { jkt, jwk };
}

function callerOf(claims: TokenClaims): VerifiedCaller {
  return {
    customerId: claims.sub,
    sessionId: claims.sid,
    deviceId: claims.device_id,
    clientId: claims.client_id,
    scopes: claims.scope.split(' '),
    acr: claims.acr,
    amr: claims.amr,
    authTimeSeconds: claims.auth_time,
    epoch: claims.epoch,
    claims,
  };
}
