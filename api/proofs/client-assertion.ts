/**
 * Machine clients prove themselves by private_key_jwt, RFC 7523 section 3 as OpenID Connect Core section 9 tightens it: their own key, our
 * issuer as audience, five minutes at most, once. One refusal for everything: a stranger learns nothing about which clients exist.
 */
import { createHash } from 'node:crypto';
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { spendChallenge } from '../../db/challenges.ts';
import { getClient } from '../../db/clients.ts';
import type { Client } from '../../db/clients.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { readCompactJws } from './compact-jws.ts';
import type { AppDependencies } from '../dependencies.ts';
import { readPublicJwk } from './dpop.ts';
import type { RequestTenant } from '../types.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const MAX_LENGTH = 4096;
const MAX_LIFETIME_SECONDS = 300;
const SKEW_SECONDS = 5;
/** How the ids of the demo's published keys begin. */
const DEMO_KID = 'demo-';
const JTI = /^[\x21-\x7e]{8,128}$/;
/** Asked of PostgreSQL before the signature is known to be anybody's. */
const CLIENT_ID = /^[A-Za-z0-9._-]{1,64}$/;

export interface ClientProof {
  readonly tenant: RequestTenant;
  readonly form: {
    readonly client_id?: string;
    readonly client_assertion_type?: string;
    readonly client_assertion?: string;
  };
}

/** @throws LatchkeyError invalid_client_assertion */
export async function authenticateClient(
  { configuration, database, clock }: Pick<AppDependencies, 'configuration' | 'database' | 'clock'>,
  { tenant, form }: ClientProof,
): Promise<Client> {
  const assertion = form.client_assertion;
  if (form.client_assertion_type !== ASSERTION_TYPE || assertion === undefined) throw invalid();
  const claimed = readCompactJws(assertion, MAX_LENGTH)?.payload['sub'];
  if (typeof claimed !== 'string' || !CLIENT_ID.test(claimed)) throw invalid();
  if (form.client_id !== undefined && form.client_id !== claimed) throw invalid();
  const { tenantId } = tenant;
  const client = await database.tenant(tenantId, (tx) => getClient(tx, tenantId, claimed));
  if (client?.kind !== 'machine' || client.status !== 'active') throw invalid();
  const { jti, expiresAtMs } = await verifyAssertion(assertion, {
    client,
    issuer: tenant.issuer,
    nowMs: clock.nowMs(),
    takesDemoKeys: configuration.mode === 'development',
  });
  const hash = createHash('sha256')
    .update(JSON.stringify(['client-assertion', claimed, jti]))
    .digest();
  const isFirst = await database.tenant(tenantId, (tx) => spendChallenge(tx, hash, expiresAtMs));
  if (!isFirst) throw invalid();
  return client;
}

interface AssertionExpectation {
  readonly client: Client;
  readonly issuer: string;
  readonly nowMs: number;
  /** The demo's private key is published: a database that a demo once used must not let it into production. */
  readonly takesDemoKeys: boolean;
}

async function verifyAssertion(
  assertion: string,
  { client, issuer, nowMs, takesDemoKeys }: AssertionExpectation,
): Promise<{ jti: string; expiresAtMs: number }> {
  const key = await keyFor(assertion, client, takesDemoKeys);
  if (key === undefined) throw invalid();
  const { payload } = await jwtVerify(assertion, key, {
    algorithms: ['ES256'],
    issuer: client.clientId,
    subject: client.clientId,
    // RFC 7523 section 3: the issuer, or the token endpoint as older clients say it.
    audience: [issuer, `${issuer}/oauth/token`],
    currentDate: new Date(nowMs),
    clockTolerance: 0,
    requiredClaims: ['exp', 'jti'],
  }).catch((error: unknown) => {
    throw new LatchkeyError('invalid_client_assertion', { cause: error });
  });
  const { exp, jti, iat } = payload;
  if (typeof jti !== 'string' || !JTI.test(jti) || typeof exp !== 'number') throw invalid();
  const nowSeconds = nowMs / 1000;
  if (exp - nowSeconds > MAX_LIFETIME_SECONDS + SKEW_SECONDS) throw invalid();
  if (typeof iat === 'number' && iat - nowSeconds > SKEW_SECONDS) throw invalid();
  return { jti, expiresAtMs: exp * 1000 };
}

/** The client's registered key that an assertion or another JWS of it names; the only one when it names none. */
export async function keyFor(assertion: string, client: Client, takesDemoKeys: boolean) {
  const { kid } = decodeProtectedHeader(assertion);
  const keys = (client.jwks?.keys ?? []).filter((key) => takesDemoKeys || !isDemoKey(key));
  const found =
    kid === undefined && keys.length === 1 ? keys[0] : keys.find((key) => key['kid'] === kid);
  const jwk = readPublicJwk(found);
  return jwk === undefined ? undefined : await importJWK({ ...jwk }, 'ES256');
}

function isDemoKey(key: { readonly [member: string]: unknown }): boolean {
  return typeof key['kid'] === 'string' && key['kid'].startsWith(DEMO_KID);
}

function invalid(): LatchkeyError {
  return new LatchkeyError('invalid_client_assertion');
}
