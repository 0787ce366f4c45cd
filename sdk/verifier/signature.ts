/**
 * Signed requests at a service: RFC 9421 over exactly the components that sdk/message-signature.ts names, made by the key that the token is bound to,
 * for the body that came. Anything missing, doubled or unknown is a refusal.
 */
import { importJWK } from 'jose';
import type { JWK } from 'jose';
import { parseDictionary } from 'structured-headers';
import type { BareItem, Dictionary, InnerList, Item } from 'structured-headers';
import {
  sha256,
  SIGNATURE_ALGORITHM,
  SIGNATURE_TAG,
  signatureBase,
  SIGNED_COMPONENTS,
  WEB_CRYPTO_ALGORITHM,
} from '../message-signature.ts';
import { Refusal } from './refusal.ts';
import { singleHeader } from './request.ts';
import type { ServiceRequest } from './request.ts';

const NONCE = /^[\x21-\x7e]{16,128}$/;
const SIGNATURE_BYTES = 64;

export interface SignatureExpectation {
  readonly url: URL;
  /** Of the session key, as the proof brought it and the token is bound to it. */
  readonly jwk: JWK;
  readonly jkt: string;
  readonly nowMs: number;
  readonly windowSeconds: number;
  readonly skewSeconds: number;
}

export interface VerifiedSignature {
  /** To be remembered like a proof's. */
  readonly mark: string;
  readonly createdAtMs: number;
}

export async function verifySignature(
  request: ServiceRequest,
  expectation: SignatureExpectation,
): Promise<VerifiedSignature> {
  const header = (name: string): string => {
    const value = singleHeader(request, name, 'signature_invalid');
    if (value === undefined) throw invalid(`no ${name}`);
    return value;
  };
  const contentDigest = header('content-digest');
  await judgeDigest(parse(contentDigest, 'content-digest'), bodyOf(request));
  const { label, parameters } = readInput(parse(header('signature-input'), 'signature-input'));
  const { nonce, createdAtMs } = judgeParameters(parameters, expectation);
  const signature = bytesOf(parse(header('signature'), 'signature').get(label));
  if (signature?.byteLength !== SIGNATURE_BYTES) throw invalid('form');
  const base = signatureBase(
    {
      '@method': request.method,
      '@target-uri': expectation.url.href,
      'content-digest': contentDigest,
      authorization: header('authorization'),
      dpop: header('dpop'),
    },
    parameters,
  );
  const key = await importJWK({ ...expectation.jwk }, 'ES256');
  if (key instanceof Uint8Array) throw invalid('key');
  if (!(await crypto.subtle.verify(WEB_CRYPTO_ALGORITHM, key, signature, base)))
    throw invalid('signature');
  return { mark: JSON.stringify(['signature', expectation.jkt, nonce]), createdAtMs };
}

/** A body that came and was not handed over was not read: it must never pass for the empty one that may have been signed. */
function bodyOf({ body, headers }: ServiceRequest): Uint8Array<ArrayBuffer> {
  if (body !== undefined) return body;
  const lengths = headers['content-length'] ?? [];
  // RFC 9112 section 6.3: without either header a request has no body.
  if (headers['transfer-encoding'] !== undefined || lengths.some((length) => length !== '0'))
    throw invalid('no body');
  return new Uint8Array();
}

function parse(value: string, name: string): Dictionary {
  try {
    return parseDictionary(value);
  } catch (cause) {
    throw new Refusal('signature_invalid', { cause, detail: name });
  }
}

/** RFC 9530: SHA-256 of the bytes that came; digests by other algorithms are nobody's. */
async function judgeDigest(digests: Dictionary, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const told = bytesOf(digests.get('sha-256'));
  const found = await sha256(body);
  if (told?.length !== found.length || !found.every((byte, index) => byte === told[index]))
    throw invalid('content-digest');
}

/** The one signature with our tag; others are not for us. */
function readInput(inputs: Dictionary): { label: string; parameters: InnerList } {
  const ours = [...inputs].filter(([, [, parameters]]) => parameters.get('tag') === SIGNATURE_TAG);
  const [first, ...others] = ours;
  if (first === undefined || others.length > 0) throw invalid('tag');
  const [label, [covered, parameters]] = first;
  if (!Array.isArray(covered)) throw invalid('components');
  const names = covered.map(([name, of]) => (of.size === 0 ? name : undefined));
  const isExact =
    names.length === SIGNED_COMPONENTS.length &&
    SIGNED_COMPONENTS.every((name) => names.includes(name));
  if (!isExact) throw invalid('components');
  return { label, parameters: [covered, parameters] };
}

function judgeParameters(
  [, parameters]: InnerList,
  { jkt, nowMs, windowSeconds, skewSeconds }: SignatureExpectation,
): { nonce: string; createdAtMs: number } {
  const { created, expires, nonce, keyid, alg } = Object.fromEntries(parameters) as Readonly<
    Record<string, BareItem | undefined>
  >;
  if (typeof created !== 'number' || !Number.isInteger(created)) throw invalid('created');
  const ageSeconds = nowMs / 1_000 - created;
  if (ageSeconds > windowSeconds || ageSeconds < -skewSeconds) throw invalid('created');
  if (expires !== undefined && !(typeof expires === 'number' && expires * 1_000 > nowMs))
    throw invalid('expires');
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) throw invalid('nonce');
  if (keyid !== jkt) throw invalid('keyid');
  if (alg !== SIGNATURE_ALGORITHM) throw invalid('alg');
  return { nonce, createdAtMs: created * 1_000 };
}

function bytesOf(member: Item | InnerList | undefined): Uint8Array<ArrayBuffer> | undefined {
  const value = member?.[0];
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

function invalid(detail: string): Refusal {
  return new Refusal('signature_invalid', { detail });
}
