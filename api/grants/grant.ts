/** What every grant of the token endpoint is given and answers. Which there are stands in grants.ts. */
import type { FastifyRequest } from 'fastify';
import type { ApiServices } from '../dependencies.ts';
import type { TokenAnswer, TokenForm } from '../schemas/token.ts';
import type { ClientCaller, Proof, RequestTenant } from '../types.ts';

export interface GrantRequest {
  readonly tenant: RequestTenant;
  readonly caller: ClientCaller;
  /** Verified, not yet spent. */
  readonly proof: Proof;
  readonly form: TokenForm;
  /** Says where the call comes from: a grant for an app holds it against the client. */
  readonly request: FastifyRequest;
}

export type Grant = (services: ApiServices, request: GrantRequest) => Promise<TokenAnswer>;
