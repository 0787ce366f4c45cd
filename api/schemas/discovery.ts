/** What a tenant publishes of itself: keys (RFC 7517) and metadata (RFC 8414, OpenID Connect Discovery). Members that are missing are not offered. */
import { Type } from 'typebox';

export const Jwks = Type.Object({
  keys: Type.Array(
    Type.Object({
      kty: Type.Literal('EC'),
      crv: Type.Literal('P-256'),
      x: Type.String(),
      y: Type.String(),
      kid: Type.String(),
      use: Type.Literal('sig'),
      alg: Type.Literal('ES256'),
    }),
  ),
});

const Uri = Type.String({ format: 'uri' });
const Names = Type.Array(Type.String());
const No = Type.Literal(false);

export const Metadata = Type.Object({
  issuer: Uri,
  jwks_uri: Uri,
  token_endpoint: Uri,
  introspection_endpoint: Uri,
  revocation_endpoint: Uri,
  userinfo_endpoint: Uri,
  grant_types_supported: Names,
  response_types_supported: Names,
  token_endpoint_auth_methods_supported: Names,
  token_endpoint_auth_signing_alg_values_supported: Names,
  introspection_endpoint_auth_methods_supported: Names,
  introspection_endpoint_auth_signing_alg_values_supported: Names,
  revocation_endpoint_auth_methods_supported: Names,
  dpop_signing_alg_values_supported: Names,
  subject_types_supported: Names,
  id_token_signing_alg_values_supported: Names,
  scopes_supported: Names,
  claims_supported: Names,
  acr_values_supported: Names,
  claims_parameter_supported: No,
  request_parameter_supported: No,
  request_uri_parameter_supported: No,
});
