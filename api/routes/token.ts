/**
 * The token endpoint, RFC 6749 section 3.2: one route, a table of grants, each in its own file. The frame has verified the DPoP proof; the
 * grant spends it in its own transaction, so that a refused retry never counts as a replay of what it did not do.
 */
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ApiServices } from '../dependencies.ts';
import { grantClientCredentials } from '../grants/client-credentials.ts';
import { grantRefreshToken } from '../grants/refresh-token.ts';
import type { ClientCaller, LatchkeyApp, Proof, RequestTenant } from '../types.ts';
import { callerOf } from '../types.ts';

const Parameter = (maxLength: number) => Type.Optional(Type.String({ minLength: 1, maxLength }));

export const TokenForm = Type.Object(
  {
    grant_type: Type.String({ minLength: 1, maxLength: 64 }),
    client_id: Parameter(128),
    scope: Parameter(512),
    client_assertion_type: Parameter(128),
    client_assertion: Parameter(4096),
    refresh_token: Parameter(512),
    request_id: Parameter(128),
  },
  { additionalProperties: false },
);
export type TokenForm = Static<typeof TokenForm>;

/** RFC 6749 section 5.1; the members after `scope` come with a customer's session. */
export const TokenAnswer = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal('DPoP'),
  expires_in: Type.Integer(),
  scope: Type.String(),
  refresh_token: Type.Optional(Type.String()),
  id_token: Type.Optional(Type.String()),
  session_id: Type.Optional(Type.String()),
  acr: Type.Optional(Type.String()),
});
export type TokenAnswer = Static<typeof TokenAnswer>;

export interface GrantRequest {
  readonly tenant: RequestTenant;
  readonly caller: ClientCaller;
  /** Verified, not yet spent. */
  readonly proof: Proof;
  readonly form: TokenForm;
  /** The Origin header, already one of the tenant's; the grant holds it against its client. */
  readonly origin: string | undefined;
}

export type Grant = (services: ApiServices, request: GrantRequest) => Promise<TokenAnswer>;

const GRANT_PROBLEMS = [
  'unsupported_grant_type',
  'unknown_client',
  'invalid_client_assertion',
  'insufficient_scope',
  'refresh_token_invalid',
  'refresh_superseded',
  'refresh_reused',
  'session_ended',
  'customer_on_hold',
  'device_not_allowed',
  'dpop_key_mismatch',
] as const;

const GRANTS: ReadonlyMap<string, Grant> = new Map([
  ['client_credentials', grantClientCredentials],
  ['refresh_token', grantRefreshToken],
]);

export function registerTokenRoutes(app: LatchkeyApp, services: ApiServices): void {
  app.post(
    '/oauth/token',
    {
      schema: {
        summary: 'Tokens for a refresh token or for a client assertion',
        tags: ['oauth'],
        consumes: ['application/x-www-form-urlencoded'],
        body: TokenForm,
        response: { 200: TokenAnswer },
      },
      config: {
        operationId: 'token',
        errors: 'oauth',
        proofSpentBy: 'handler',
        problems: GRANT_PROBLEMS,
      },
    },
    async (request) => {
      const grant = GRANTS.get(request.body.grant_type);
      if (grant === undefined) throw new LatchkeyError('unsupported_grant_type');
      return await grant(services, {
        tenant: request.tenant,
        caller: callerOf(request, 'client'),
        proof: request.proof,
        form: request.body,
        origin: request.headers.origin,
      });
    },
  );
}
