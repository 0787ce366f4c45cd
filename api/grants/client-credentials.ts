/** The client_credentials grant, RFC 6749 section 4.4: a machine client proves itself by private_key_jwt and gets a token bound to its DPoP key. */
import { spendProofAlone } from '../../db/dpop.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { authenticateClient } from '../proofs/client-assertion.ts';
import type { ApiServices } from '../dependencies.ts';
import type { Grant } from './grant.ts';

export const grantClientCredentials: Grant = async (services, { tenant, caller, proof, form }) => {
  const isFresh = await spendProofAlone(services.database, tenant.tenantId, proof.mark);
  if (!isFresh) throw new LatchkeyError('dpop_proof_replayed');
  const client = await authenticateClient(services, { tenant, form });
  const scopes = chooseScopes(form.scope, client.scopes);
  const { token, expiresInSeconds, scope } = await issue(services, {
    tenant,
    subject: { kind: 'machine', clientId: client.clientId, roles: client.roles },
    jkt: caller.jkt,
    scopes,
  });
  return { access_token: token, token_type: 'DPoP', expires_in: expiresInSeconds, scope };
};

const issue = (
  { accessTokens }: ApiServices,
  request: Parameters<ApiServices['accessTokens']['issueAccessToken']>[0],
) => accessTokens.issueAccessToken(request);

/** RFC 6749 section 3.3: what was asked, all of it or nothing; without a wish everything the client has. */
function chooseScopes(asked: string | undefined, has: readonly string[]): readonly string[] {
  if (asked === undefined) return has;
  const scopes = [...new Set(asked.split(' '))];
  if (scopes.some((scope) => !has.includes(scope))) throw new LatchkeyError('insufficient_scope');
  return scopes;
}
