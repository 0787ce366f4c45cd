/** What RFC 7662 asks and answers, and the members that RFC 9449 section 6.2 and RFC 9470 section 6.2 add. */
import { Type } from 'typebox';
import type { Static } from 'typebox';

/** As long as a token of ours may be. */
export const ShownToken = Type.String({ minLength: 1, maxLength: 4096 });
const Parameter = (maxLength: number) => Type.Optional(Type.String({ minLength: 1, maxLength }));
export const TokenTypeHint = Parameter(64);

export const IntrospectionForm = Type.Object(
  {
    token: ShownToken,
    token_type_hint: TokenTypeHint,
    client_id: Parameter(128),
    client_assertion_type: Parameter(128),
    client_assertion: Parameter(4096),
  },
  { additionalProperties: false },
);

const Text = (description: string) => Type.Optional(Type.String({ description }));
const Seconds = (description: string) => Type.Optional(Type.Integer({ description }));

/** Nothing but `active` when it is false: why not is nobody's business. */
export const IntrospectionAnswer = Type.Object(
  {
    active: Type.Boolean(),
    token_type: Type.Optional(Type.Literal('DPoP', { description: 'Access tokens alone.' })),
    token_use: Type.Optional(
      Type.Union([Type.Literal('access_token'), Type.Literal('refresh_token')], {
        description: 'A refresh token opens nothing: it has no scope and no audience.',
      }),
    ),
    scope: Text('What the token is good for now, which may be less than it says.'),
    client_id: Text('The app or the machine it was issued to.'),
    sub: Text('The customer, or the machine itself.'),
    iss: Text('The tenant.'),
    aud: Text('The tenant.'),
    tenant: Text('Its slug.'),
    jti: Text('Of an access token.'),
    iat: Seconds('When it was issued.'),
    exp: Seconds('When it ends at the latest.'),
    cnf: Type.Optional(
      Type.Object({ jkt: Type.String() }, { description: 'Whose proofs go with it.' }),
    ),
    sid: Text('The session.'),
    device_id: Text('Where the key is a device’s.'),
    device_status: Text('Now.'),
    device_attestation: Text('How well the device’s keys are proved.'),
    acr: Text('Authentication strength now.'),
    amr: Type.Optional(Type.Array(Type.String())),
    auth_time: Seconds('When the passkey was used.'),
    risk: Text('Of the session, now.'),
    epoch: Seconds('The security epoch it began under.'),
    roles: Type.Optional(Type.Array(Type.String(), { description: 'Now.' })),
  },
  { additionalProperties: false },
);
export type IntrospectionAnswer = Static<typeof IntrospectionAnswer>;
