/** What every grant of the token endpoint is given and answers. Which grants there are stands in api/routes/token.ts. */
import type { ApiServices } from '../dependencies.ts';
import type { TokenAnswer, TokenForm } from '../schemas/token.ts';
import type { ClientCaller, Proof, RequestTenant } from '../types.ts';

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
