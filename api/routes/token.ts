/**
 * The token endpoint, RFC 6749 section 3.2: one route, a table of grants, each in its own file. The frame has verified the DPoP proof; the
 * grant spends it in its own transaction, so that a refused retry never counts as a replay of what it did not do.
 */
import { LatchkeyError } from '../../domain/errors.ts';
import type { ApiServices } from '../dependencies.ts';
import { grantOf } from '../grants/grants.ts';
import { TokenAnswer, TokenForm } from '../schemas/token.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

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
      const grant = grantOf(request.body.grant_type);
      if (grant === undefined) throw new LatchkeyError('unsupported_grant_type');
      return await grant(services, {
        tenant: request.tenant,
        caller: callerOf(request, 'client'),
        proof: request.proof,
        form: request.body,
        request,
      });
    },
  );
}
