/**
 * The metadata of a tenant's authorization server, RFC 8414 and OpenID Connect Discovery: made from the tables that the endpoints themselves run
 * by, so that it lists only what exists. There is no authorization endpoint: people log in with passkeys in their app.
 */
import type { Static } from 'typebox';
import { FULL_SCOPES } from '../../domain/auth-strength.ts';
import { ACCESS } from '../access.ts';
import type { AccessRow } from '../access.ts';
import { GRANT_TYPES } from '../grants/grants.ts';
import type { Metadata } from '../schemas/discovery.ts';
import { ID_TOKEN_CLAIMS } from '../tokens/id-token.ts';
import { UserinfoAnswer } from '../schemas/userinfo.ts';

const ALGORITHMS = ['ES256'];
/** What a login earns (domain/auth-strength.ts). */
const ACR_VALUES = ['latchkey:1', 'latchkey:2'];

export function metadataOf(issuer: string): Static<typeof Metadata> {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    token_endpoint: `${issuer}/oauth/token`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    userinfo_endpoint: `${issuer}/oauth/userinfo`,
    grant_types_supported: [...GRANT_TYPES],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'],
    token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    // RFC 8414 section 2: client authentication methods, and types of access tokens.
    introspection_endpoint_auth_methods_supported: ['private_key_jwt', 'DPoP'],
    introspection_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
    revocation_endpoint_auth_methods_supported: ['none'],
    dpop_signing_alg_values_supported: ALGORITHMS,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ALGORITHMS,
    scopes_supported: scopes(),
    claims_supported: claims(),
    acr_values_supported: ACR_VALUES,
    claims_parameter_supported: false,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  };
}

/** Of customers, and those that an operation asks of a machine. */
function scopes(): string[] {
  const asked = Object.values<AccessRow>(ACCESS).flatMap(({ scope }) => scope ?? []);
  return [...new Set<string>([...FULL_SCOPES, ...asked])];
}

/** Of ID tokens and userinfo. */
function claims(): string[] {
  return [...new Set([...ID_TOKEN_CLAIMS, ...Object.keys(UserinfoAnswer.properties)])];
}
