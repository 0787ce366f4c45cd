/**
 * Enforces the access matrix before a body is read: headers in, a caller out. The DPoP proof comes first, then the token, then one
 * transaction that spends the proof and asks whether session or client still stand. Any doubt is a refusal.
 */
import type { FastifyRequest } from 'fastify';
import { getClient } from '../db/clients.ts';
import type { Tx } from '../db/connection.ts';
import { spendProof } from '../db/dpop.ts';
import { readSession } from '../db/sessions.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { judgeSession } from '../domain/session-standing.ts';
import type { AppDependencies } from './dependencies.ts';
import type { ProofVerifier } from './dpop.ts';
import { singleHeader } from './headers.ts';
import type { AccessTokens } from './tokens/access-token.ts';
import type {
  AccessTokenClaims,
  CustomerCaller,
  MachineCaller,
  Proof,
  RequestTenant,
} from './types.ts';

/** A call that shows a token: this request's own, or the one a gateway asks about. */
export interface TokenCall {
  readonly tenant: RequestTenant;
  /** As the client spelt it, `DPoP <token>`. */
  readonly authorization: string | undefined;
  readonly dpop: string | undefined;
  readonly method: string;
  readonly htu: string;
  readonly nonce: 'required' | 'optional';
}

export interface Authentication {
  /** A proof without a token; nothing is spent yet. */
  proveKey(call: Omit<TokenCall, 'authorization'>): Promise<Proof>;
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
  const proveKey: Authentication['proveKey'] = ({ tenant, dpop, method, htu, nonce }) =>
    proofs.verify(dpop, { method, htu, nonce, policy: tenant.policy.dpop });

  return {
    proveKey,
    spend: async (tenant, proof) => {
      const isFresh = await database.tenant(tenant.tenantId, (tx) => spendProof(tx, proof.mark));
      if (!isFresh) throw new LatchkeyError('dpop_proof_replayed');
    },
    authenticate: async ({ tenant, authorization, dpop, method, htu, nonce }) => {
      const token = readAuthorization(authorization);
      const expectation = { method, htu, nonce, policy: tenant.policy.dpop, accessToken: token };
      const proof = await proofs.verify(dpop, expectation);
      const claims = await tokens.verifyAccessToken(tenant, token);
      if (claims.cnf.jkt !== proof.jkt) throw new LatchkeyError('dpop_key_mismatch');
      const judged = await database.tenant(tenant.tenantId, async (tx) => {
        if (!(await spendProof(tx, proof.mark))) return 'replayed' as const;
        return await judgeClaims(tx, tenant, claims);
      });
      // Thrown after the commit: a proof that was shown is spent whatever became of it.
      if (judged === 'replayed') throw new LatchkeyError('dpop_proof_replayed');
      if (judged instanceof LatchkeyError) throw judged;
      return { proof, caller: judged };
    },
    judgeToken: async (tenant, token) => {
      const claims = await tokens.verifyAccessToken(tenant, token);
      const judged = await database.tenant(tenant.tenantId, (tx) =>
        judgeClaims(tx, tenant, claims),
      );
      if (judged instanceof LatchkeyError) throw judged;
      return judged;
    },
  };
}

function judgeClaims(
  tx: Tx,
  tenant: RequestTenant,
  claims: AccessTokenClaims,
): Promise<CustomerCaller | MachineCaller | LatchkeyError> {
  return claims.sid === undefined
    ? judgeMachine(tx, tenant, claims)
    : judgeCustomer(tx, tenant, claims);
}

/** RFC 9449 section 7.1. A DPoP token under another scheme is refused, however it is spelt: else binding could be talked away. */
function readAuthorization(authorization: string | undefined): string {
  if (authorization === undefined) throw new LatchkeyError('token_missing');
  const [scheme = '', token, ...rest] = authorization.split(' ');
  if (scheme.toLowerCase() !== 'dpop' || token === undefined || token === '' || rest.length > 0)
    throw new LatchkeyError('token_invalid');
  return token;
}

async function judgeCustomer(
  tx: Tx,
  tenant: RequestTenant,
  claims: AccessTokenClaims,
): Promise<CustomerCaller | LatchkeyError> {
  const session = await readSession(tx, tenant.tenantId, claims.sid ?? '');
  if (
    session === undefined ||
    session.customerId !== claims.sub ||
    session.clientId !== claims.client_id ||
    session.jkt !== claims.cnf.jkt ||
    session.epoch !== claims.epoch
  ) {
    return new LatchkeyError('session_ended');
  }
  const standing = judgeSession(session, tenant.policy.session);
  if ('refused' in standing) return new LatchkeyError(standing.refused);
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
    roles: session.roles,
    acr: standing.acr,
    epoch: session.epoch,
    risk: session.risk,
    claims,
  };
}

async function judgeMachine(
  tx: Tx,
  tenant: RequestTenant,
  claims: AccessTokenClaims,
): Promise<MachineCaller | LatchkeyError> {
  const client = await getClient(tx, tenant.tenantId, claims.client_id);
  if (client?.kind !== 'machine' || client.status !== 'active' || claims.sub !== client.clientId)
    return new LatchkeyError('token_invalid');
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
