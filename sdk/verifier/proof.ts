/**
 * DPoP proofs at a service, RFC 9449 sections 4.3 and 7: everything but replay, which the memory of proofs decides. Method and address are what
 * the service was asked for, never what a header says.
 */
import { base64url, calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify } from 'jose';
import type { JWK } from 'jose';
import { sha256 } from '../message-signature.ts';
import { Refusal } from './refusal.ts';

const MAX_LENGTH = 4_096;
const JTI = /^[\x21-\x7e]{8,128}$/;

export interface ProofExpectation {
  readonly method: string;
  readonly url: URL;
  readonly accessToken: string;
  readonly nowMs: number;
  readonly windowSeconds: number;
  readonly skewSeconds: number;
}

export interface VerifiedProof {
  readonly jkt: string;
  readonly jwk: JWK;
  /** One string a proof, whatever else of it can be spelt in two ways. */
  readonly mark: string;
  readonly issuedAtMs: number;
}

export async function verifyProof(
  proof: string,
  expectation: ProofExpectation,
): Promise<VerifiedProof> {
  if (proof.length > MAX_LENGTH) throw invalid('length');
  const { payload, jwk } = await readProof(proof);
  const { htm, htu, jti, iat, ath } = payload;
  if (typeof jti !== 'string' || !JTI.test(jti)) throw invalid('jti');
  if (htm !== expectation.method) throw invalid('htm');
  const address = addressOf(expectation.url);
  if (typeof htu !== 'string' || !URL.canParse(htu) || addressOf(new URL(htu)) !== address)
    throw invalid('htu');
  if (!Number.isInteger(iat) || iat === undefined) throw invalid('iat');
  const ageSeconds = expectation.nowMs / 1_000 - iat;
  if (ageSeconds > expectation.windowSeconds || ageSeconds < -expectation.skewSeconds)
    throw invalid('iat');
  const hash = await sha256(new TextEncoder().encode(expectation.accessToken));
  if (ath !== base64url.encode(hash)) throw invalid('ath');
  const jkt = await calculateJwkThumbprint(jwk);
  return { jkt, jwk, mark: JSON.stringify([jkt, jti, address]), issuedAtMs: iat * 1_000 };
}

/** typ, alg and exactly one public P-256 key: any other member of the header would change what the signature means. */
async function readProof(proof: string) {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: ['ES256'],
      typ: 'dpop+jwt',
    });
    const names = Object.keys(protectedHeader);
    const { jwk } = protectedHeader;
    if (jwk === undefined || names.some((name) => !['typ', 'alg', 'jwk'].includes(name)))
      throw invalid('header');
    const { kty, crv, x, y } = jwk;
    if (kty !== 'EC' || crv !== 'P-256' || x === undefined || y === undefined) throw invalid('jwk');
    return { payload, jwk: { kty, crv, x, y } };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const detail = error instanceof errors.JOSEError ? error.code : 'form';
    throw new Refusal('dpop_proof_invalid', { cause: error, detail });
  }
}

/** RFC 9449 section 4.3: without query and fragment, normalised. */
function addressOf({ username, password, protocol, host, pathname }: URL): string | undefined {
  return username === '' && password === '' ? `${protocol}//${host}${pathname}` : undefined;
}

function invalid(detail: string): Refusal {
  return new Refusal('dpop_proof_invalid', { detail });
}
