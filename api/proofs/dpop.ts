/**
 * DPoP proofs, RFC 9449 section 4.3: a staircase of guards in the order of the specification. It judges everything but replay, which the
 * database decides (db/dpop.ts). It must never take method or address from anything but what the caller of this function says.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy.ts';
import { isRecord, readCompactJws } from './compact-jws.ts';
import type { CompactJws } from './compact-jws.ts';
import type { DpopNonces } from './dpop-nonce.ts';
import { importEs256, isSignedBy, pemOfEs256, thumbprintOf } from './es256.ts';
import { sha256 } from './sha256.ts';
import type { EcPublicJwk, Proof } from '../types.ts';

const MAX_PROOF_LENGTH = 4096;
/** About 2 KB each. */
const MAX_KNOWN_KEYS = 5_000;
const JTI = /^[\x21-\x7e]{8,128}$/;
const COORDINATE = /^[A-Za-z0-9_-]{43}$/;
const PRIVATE_OR_SYMMETRIC_MEMBERS = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth'];

export interface ProofExpectation {
  readonly method: string;
  /** Scheme, host and path of the request, without query and fragment. */
  readonly htu: string;
  readonly policy: Policy['dpop'];
  /** required: no nonce, no service. optional: one that is there must be fresh. */
  readonly nonce: 'required' | 'optional';
  /** The access token that the proof must name in `ath`; without one `ath` is not looked at. */
  readonly accessToken?: string;
}

export interface ProofVerifier {
  /** @throws LatchkeyError dpop_proof_missing, dpop_proof_invalid, dpop_nonce_required */
  verify(proof: string | undefined, expectation: ProofExpectation): Promise<Proof>;
}

export function createProofVerifier(nonces: DpopNonces, clock: Clock): ProofVerifier {
  const keys = createKnownKeys();
  return {
    // An async function, so that a refusal is a rejection.
    verify: async (proof, expectation) => {
      if (proof === undefined) throw new LatchkeyError('dpop_proof_missing');
      const jws = readCompactJws(proof, MAX_PROOF_LENGTH);
      if (jws === undefined) throw invalid('form');
      const jwk = readHeader(jws.header);
      // At the door for tokens a phone stands every few minutes, at those of resources all the time.
      const isRemembered = expectation.accessToken !== undefined;
      const jkt = isRemembered ? keys.verify(jws, jwk) : verifyOnce(jws, jwk);
      const address = normaliseHtu(expectation.htu);
      const issuedAtMs = judgeClaims(jws.payload, { ...expectation, address }, clock.nowMs());
      judgeNonce(jws.payload, expectation, nonces);
      const jti = String(jws.payload['jti']);
      return { jkt, jwk, mark: { jtiHash: replayHash(jkt, jti, address), issuedAtMs } };
    },
  };
}

interface KnownKey {
  readonly key: KeyObject;
  readonly jkt: string;
}

/**
 * Keys that have signed a proof lately, imported: importing costs a quarter of a verification. A signature is verified every time. What comes seldom
 * is not kept: it would push out what comes often, and die old, which costs the garbage collector most.
 */
function createKnownKeys() {
  const known = new Map<string, KnownKey>();
  return {
    /** Answers its thumbprint. @throws LatchkeyError dpop_proof_invalid */
    verify: (jws: CompactJws, jwk: EcPublicJwk): string => {
      const name = `${jwk.x}.${jwk.y}`;
      const found = known.get(name) ?? importKey(jwk);
      if (!isSignedBy(found.key, jws)) throw invalid('signature');
      // The oldest goes; only who holds a key gets in, so strangers push nobody out for free.
      if (!known.has(name) && known.size >= MAX_KNOWN_KEYS) {
        const [oldest] = known.keys();
        if (oldest !== undefined) known.delete(oldest);
      }
      known.set(name, found);
      return found.jkt;
    },
  };
}

function importKey(jwk: EcPublicJwk): KnownKey {
  try {
    return { key: importEs256(jwk), jkt: thumbprintOf(jwk) };
  } catch (error) {
    throw noKey(error);
  }
}

/** By a key that is not kept: it is never made an object. Answers its thumbprint. @throws LatchkeyError dpop_proof_invalid */
function verifyOnce(jws: CompactJws, jwk: EcPublicJwk): string {
  let isSigned: boolean;
  try {
    isSigned = isSignedBy(pemOfEs256(jwk), jws);
  } catch (error) {
    throw noKey(error);
  }
  if (!isSigned) throw invalid('signature');
  return thumbprintOf(jwk);
}

function noKey(cause: unknown): LatchkeyError {
  return new LatchkeyError('dpop_proof_invalid', { detail: 'signature', cause });
}

/** typ, alg, and exactly one public P-256 key; every other header member would change what a signature means. */
function readHeader(header: Readonly<Record<string, unknown>>): EcPublicJwk {
  if (header['typ'] !== 'dpop+jwt') throw invalid('typ');
  if (header['alg'] !== 'ES256') throw invalid('alg');
  if (Object.keys(header).some((name) => !['typ', 'alg', 'jwk'].includes(name)))
    throw invalid('header');
  const jwk = readPublicJwk(header['jwk']);
  if (jwk === undefined) throw invalid('jwk');
  return jwk;
}

/** A public EC P-256 JWK reduced to its required members (RFC 7638); undefined for anything else, private halves above all. */
export function readPublicJwk(value: unknown): EcPublicJwk | undefined {
  if (!isRecord(value)) return undefined;
  if (PRIVATE_OR_SYMMETRIC_MEMBERS.some((name) => Object.hasOwn(value, name))) return undefined;
  const { kty, crv, x, y } = value;
  if (kty !== 'EC' || crv !== 'P-256' || !isCoordinate(x) || !isCoordinate(y)) return undefined;
  return { kty, crv, x, y };
}

function isCoordinate(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    COORDINATE.test(value) &&
    Buffer.from(value, 'base64url').toString('base64url') === value
  );
}

/** htm, htu, iat, jti and, with a token, ath. Answers when the proof was made. */
function judgeClaims(
  claims: Readonly<Record<string, unknown>>,
  expectation: ProofExpectation & { readonly address: string | undefined },
  nowMs: number,
): number {
  const { htm, htu, iat, jti } = claims;
  if (typeof jti !== 'string' || !JTI.test(jti)) throw invalid('jti');
  if (htm !== expectation.method) throw invalid('htm');
  const { address } = expectation;
  // No address equals nothing, another non-address least of all.
  if (address === undefined || typeof htu !== 'string') throw invalid('htu');
  if (htu !== expectation.htu && normaliseHtu(htu) !== address) throw invalid('htu');
  if (typeof iat !== 'number' || !Number.isInteger(iat)) throw invalid('iat');
  const ageSeconds = nowMs / 1000 - iat;
  const { windowSeconds, skewSeconds } = expectation.policy;
  if (ageSeconds > windowSeconds || ageSeconds < -skewSeconds) throw invalid('iat');
  if (expectation.accessToken !== undefined && !isHashOf(claims['ath'], expectation.accessToken))
    throw invalid('ath');
  return iat * 1000;
}

/** RFC 9449 section 4.3 note 9: compared after syntax- and scheme-based normalisation, query and fragment ignored. */
function normaliseHtu(htu: string): string | undefined {
  const url = URL.parse(htu);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function isHashOf(ath: unknown, accessToken: string): boolean {
  if (typeof ath !== 'string') return false;
  const expected = hash('sha256', accessToken, 'base64url');
  return ath.length === expected.length && timingSafeEqual(Buffer.from(ath), Buffer.from(expected));
}

function judgeNonce(
  claims: Readonly<Record<string, unknown>>,
  { nonce: rule, policy }: ProofExpectation,
  nonces: DpopNonces,
): void {
  const { nonce } = claims;
  if (nonce === undefined && rule === 'optional') return;
  if (typeof nonce !== 'string' || !nonces.isFresh(nonce, policy.nonceSeconds))
    throw new LatchkeyError('dpop_nonce_required');
}

function replayHash(jkt: string, jti: string, address: string | undefined): Uint8Array {
  return sha256(JSON.stringify([jkt, jti, address]));
}

/** The detail names the claim and nothing of its value. */
function invalid(part: string): LatchkeyError {
  return new LatchkeyError('dpop_proof_invalid', { detail: part });
}
