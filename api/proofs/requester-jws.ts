/**
 * What a requester signs when it asks through Temporal, where no TLS and no token say who it is: its registered key, over the digest of exactly this
 * request, for our step-ups alone, for five minutes at most. Its `jti` names one step-up: the same again is the same step-up, never a second.
 */
import { createHash } from 'node:crypto';
import { jwtVerify } from 'jose';
import { getClient, type Client } from '../../db/clients.ts';
import { canonicalJson, type JsonValue } from '../../domain/canonical-json.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { formatId } from '../../domain/ids.ts';
import type { AppDependencies } from '../dependencies.ts';
import { keyFor } from './client-assertion.ts';
import { readCompactJws } from './compact-jws.ts';

/** A type of its own: no client assertion is taken for one, nor the other way round. */
export const REQUESTER_JWS_TYPE = 'latchkey-step-up+jwt';

const MAX_LENGTH = 4096;
const MAX_LIFETIME_SECONDS = 300;
const SKEW_SECONDS = 5;
const JTI = /^[\x21-\x7e]{8,128}$/;
/** Asked of PostgreSQL before the signature is known to be anybody's. */
const CLIENT_ID = /^[A-Za-z0-9._-]{1,64}$/;

export interface SignedRequest {
  readonly tenantId: string;
  readonly issuer: string;
  readonly jws: string;
  /** As it arrived. */
  readonly request: unknown;
  /** The demo's private keys are published. */
  readonly takesDemoKeys: boolean;
}

export interface ProvedRequester {
  readonly client: Client;
  /** Follows from tenant, client, jti and request: the same request asks for the same step-up. */
  readonly stepUpId: string;
}

/** Whom such a JWS is for. */
export function requesterAudience(issuer: string): string {
  return `${issuer}/step-ups`;
}

/** base64url of SHA-256 over the canonical request (RFC 8785). @throws TypeError for what JSON cannot carry */
export function requestDigest(request: unknown): string {
  // Whatever JSON is not, canonicalJson refuses.
  return createHash('sha256')
    .update(canonicalJson(request as JsonValue))
    .digest('base64url');
}

/** @throws LatchkeyError invalid_client_assertion, one refusal for everything */
export async function verifyRequesterJws(
  { database, clock }: Pick<AppDependencies, 'database' | 'clock'>,
  signed: SignedRequest,
): Promise<ProvedRequester> {
  const { tenantId, issuer, jws } = signed;
  const read = readCompactJws(jws, MAX_LENGTH);
  const claimed = read?.payload['sub'];
  if (read?.header['typ'] !== REQUESTER_JWS_TYPE) throw invalid();
  if (typeof claimed !== 'string' || !CLIENT_ID.test(claimed)) throw invalid();
  const client = await database.tenant(tenantId, (tx) => getClient(tx, tenantId, claimed));
  if (client?.kind !== 'machine' || client.status !== 'active') throw invalid();
  const key = await keyFor(jws, client, signed.takesDemoKeys);
  if (key === undefined) throw invalid();
  const nowMs = clock.nowMs();
  const { payload } = await jwtVerify(jws, key, {
    algorithms: ['ES256'],
    typ: REQUESTER_JWS_TYPE,
    issuer: claimed,
    subject: claimed,
    audience: requesterAudience(issuer),
    currentDate: new Date(nowMs),
    clockTolerance: 0,
    requiredClaims: ['exp', 'jti'],
  }).catch((cause: unknown) => {
    throw new LatchkeyError('invalid_client_assertion', { cause });
  });
  const { exp, jti } = payload;
  if (typeof jti !== 'string' || !JTI.test(jti)) throw invalid();
  if (exp === undefined || exp - nowMs / 1000 > MAX_LIFETIME_SECONDS + SKEW_SECONDS)
    throw invalid();
  const digest = requestDigest(signed.request);
  if (payload['request'] !== digest) throw invalid();
  return { client, stepUpId: idOf([tenantId, claimed, jti, digest]) };
}

function idOf(parts: readonly string[]): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(['step-up', ...parts]))
    .digest();
  // No moment is in it: a request signed anew under the same jti is the same one.
  return formatId('ceremony', hash.readUIntBE(0, 6), hash.subarray(6, 16));
}

function invalid(): LatchkeyError {
  return new LatchkeyError('invalid_client_assertion');
}
