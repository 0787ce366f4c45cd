/** Which grants the token endpoint knows. Metadata lists exactly these. */
import { grantClientCredentials } from './client-credentials.ts';
import type { Grant } from './grant.ts';
import { grantRefreshToken } from './refresh-token.ts';

const GRANTS: ReadonlyMap<string, Grant> = new Map([
  ['client_credentials', grantClientCredentials],
  ['refresh_token', grantRefreshToken],
]);

export const GRANT_TYPES: readonly string[] = [...GRANTS.keys()];

export function grantOf(grantType: string): Grant | undefined {
  return GRANTS.get(grantType);
}
