/**
 * Enforces the access matrix before a body is read: headers in, a caller out. The DPoP proof comes first, then the token, then PostgreSQL, which
 * spends the proof and says whether session or client still stand. Any doubt is a refusal.
 */
import type { FastifyRequest } from 'fastify';
import { clientWithProof, getClient } from '../../db/clients.ts';
import type { Client } from '../../db/clients.ts';
import type { Database } from '../../db/connection.ts';
import { spendProofAlone } from '../../db/dpop.ts';
import { readSession } from '../../db/sessions.ts';
import type { SessionRecord } from '../../db/sessions.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { ProofVerifier } from '../proofs/dpop.ts';
import { singleHeader } from '../frame/headers.ts';
import { createSessionChecks } from './session-checks.ts';
import { standingOf } from '../tokens/session-tokens.ts';
import type { AccessTokens } from '../tokens/access-token.ts';
import type {
  AccessTokenClaims,
  CustomerCaller,
  MachineCaller,
  Proof,
  RequestTenant,
} from '../types.ts';

/** A call that shows a token: this request's own, or the one a gateway asks about. */
export interface TokenCall {
  readonly tenant: RequestTenant;
  /** As the client spelt it, `DPoP <token>`. */
  readonly authorization: string | undefined;
  readonly dpop: string | undefined;
  readonly method: string;
  readonly htu: string;
  readonly nonce: 'required' | 'optional';
  /** false: the same proof may be shown again while it is young. Machines' are always remembered. */
  readonly isProofRemembered?: boolean;
}

export interface Authentication {
  /** A proof without a token; nothing is spent yet. */
  proveKey(call: Omit<TokenCall, 'authorization' | 'isProofRemembered'>): Promise<Proof>;
  /** @throws LatchkeyError dpop_proof_replayed */
  spend(tenant: RequestTenant, proof: Proof): Promise<void>;
  /** A customer or a machine, whoever the token is for, judged by PostgreSQL now; the proof is spent. */
  authenticate(call: TokenCall): Promise<{
    readonly proof: Proof;
    readonly caller: CustomerCaller | MachineCaller;
  }>;
  /**
   * Whom an access token speaks for, judged by PostgreSQL now, without a proof: for introspection, which another asks. Nothing is spent.
   * @throws LatchkeyError as authenticate does
   */
  judgeToken(tenant: RequestTenant, token: string): Promise<CustomerCaller | MachineCaller>;
}

export function createAuthentication(
  { database }: Pick<AppDependencies, 'database'>,
  proofs: ProofVerifier,
  tokens: AccessTokens,
): Authentication {
  const checks = createSessionChecks(database);
  const proveKey: Authentication['proveKey'] = ({ tenant, dpop, method, htu, nonce }) =>
    proofs.verify(dpop, { method, htu, nonce, policy: tenant.policy.dpop });

  return {
    proveKey,
    spend: async (tenant, proof) => {
      const isFresh = await spendProofAlone(database, tenant.tenantId, proof.mark);
      if (!isFresh) throw new LatchkeyError('dpop_proof_replayed');
    },
    authenticate: async ({ tenant, authorization, dpop, method, htu, nonce, ...call }) => {
      const token = readAuthorization(authorization);
      const expectation = { method, htu, nonce, policy: tenant.policy.dpop, accessToken: token };
      const proof = await proofs.verify(dpop, expectation);
      const claims = await tokens.verifyAccessToken(tenant, token);
      if (claims.cnf.jkt !== proof.jkt) throw new LatchkeyError('dpop_key_mismatch');
      if (claims.sid === undefined)
        return { proof, caller: await findMachine(database, tenant, { claims, proof }) };
      const mark = call.isProofRemembered === false ? undefined : proof.mark;
      const question = { sessionId: claims.sid, proof: mark };
      const { isFresh, session } = await checks.check(tenant.tenantId, question);
      if (!isFresh) throw new LatchkeyError('dpop_proof_replayed');
      return { proof, caller: judgeCustomer(session, tenant, claims) };
    },
    judgeToken: async (tenant, token) => {
      const claims = await tokens.verifyAccessToken(tenant, token);
      const { tenantId } = tenant;
      return await database.tenant(tenantId, async (tx) =>
        claims.sid === undefined
          ? judgeMachine(await getClient(tx, tenantId, claims.client_id), claims)
          : judgeCustomer(await readSession(tx, tenantId, claims.sid), tenant, claims),
      );
    },
  };
}

/** RFC 9449 section 7.1. A DPoP token under another scheme is refused, however it is spelt: else binding could be talked away. */
function readAuthorization(authorization: string | undefined): string {
  if (authorization === undefined) throw new LatchkeyError('token_missing');
  const [scheme = '', token, ...rest] = authorization.split(' ');
  if (scheme.toLowerCase() !== 'dpop' || token === undefined || token === '' || rest.length > 0)
    throw new LatchkeyError('token_invalid');
  return token;
}

function judgeCustomer(
  session: SessionRecord | undefined,
  tenant: RequestTenant,
  claims: AccessTokenClaims,
): CustomerCaller {
  if (
    session === undefined ||
    session.customerId !== claims.sub ||
    session.clientId !== claims.client_id ||
    session.jkt !== claims.cnf.jkt ||
    session.epoch !== claims.epoch
  ) {
    throw new LatchkeyError('session_ended');
  }
  const standing = standingOf(session, tenant);
  const tokenScopes = claims.scope.split(' ');
  return {
    kind: 'customer',
    customerId: session.customerId,
    sessionId: session.sessionId,
    deviceId: session.deviceId ?? undefined,
    deviceStatus: session.device?.status,
    attestationLevel: session.device?.attestationLevel,
    clientId: session.clientId,
    jkt: session.jkt,
    scopes: standing.scopes.filter((scope) => tokenScopes.includes(scope)),
    // Whatever the token says: one that was issued during the freeze never carried them.
    withheld: standing.withheld,
    roles: session.roles,
    acr: standing.acr,
    epoch: session.epoch,
    risk: session.risk,
    claims,
  };
}

/** In a statement of its own: a proof that was shown is spent whatever becomes of it. */
async function findMachine(
  database: Database,
  { tenantId }: RequestTenant,
  { claims, proof }: { readonly claims: AccessTokenClaims; readonly proof: Proof },
): Promise<MachineCaller> {
  const asked = { clientId: claims.client_id, proof: proof.mark };
  const { isFresh, client } = await clientWithProof(database, tenantId, asked);
  if (!isFresh) throw new LatchkeyError('dpop_proof_replayed');
  return judgeMachine(client, claims);
}

function judgeMachine(client: Client | undefined, claims: AccessTokenClaims): MachineCaller {
  if (client?.kind !== 'machine' || client.status !== 'active' || claims.sub !== client.clientId)
    throw new LatchkeyError('token_invalid');
  return {
    kind: 'machine',
    clientId: client.clientId,
    jkt: claims.cnf.jkt,
    scopes: claims.scope.split(' ').filter((scope) => client.scopes.includes(scope)),
    roles: client.roles,
    claims,
  };
}

/** The two headers that authenticate, each at most once; Node would silently keep the first of two or join them. */
export function credentialsOf(request: FastifyRequest): {
  readonly authorization: string | undefined;
  readonly dpop: string | undefined;
} {
  return {
    authorization: singleHeader(request, 'authorization', 'token_invalid'),
    dpop: singleHeader(request, 'dpop', 'dpop_proof_invalid'),
  };
}
