/** What a login asks and answers: WebAuthn's own JSON forms (WebAuthn Level 3 section 5.1) and the token answer of RFC 6749 section 5.1. */
import { Type, type Static } from 'typebox';

const Base64Url = (maxLength: number) =>
  Type.String({ pattern: '^[A-Za-z0-9_-]+$', minLength: 1, maxLength });
const closed = { additionalProperties: false } as const;

export const ClientId = Type.String({
  pattern: '^[A-Za-z0-9._-]{1,64}$',
  description: 'The app, as it is registered.',
});

export const LoginOptionsBody = Type.Object({ clientId: ClientId }, closed);

export const LoginOptionsAnswer = Type.Object(
  {
    options: Type.Object(
      {
        challenge: Type.String(),
        timeout: Type.Integer({ description: 'Milliseconds.' }),
        rpId: Type.String(),
        userVerification: Type.Literal('required'),
        allowCredentials: Type.Array(Type.Object({ id: Type.String() }), {
          description: 'Always empty: the passkey is discoverable.',
        }),
      },
      { ...closed, description: 'For navigator.credentials.get(), in its JSON form.' },
    ),
  },
  closed,
);

export const AuthenticationResponse = Type.Object(
  {
    id: Base64Url(1400),
    rawId: Base64Url(1400),
    type: Type.Literal('public-key'),
    authenticatorAttachment: Type.Optional(
      Type.Union([Type.Literal('platform'), Type.Literal('cross-platform')]),
    ),
    clientExtensionResults: Type.Object({}, { maxProperties: 16 }),
    response: Type.Object(
      {
        clientDataJSON: Base64Url(4096),
        authenticatorData: Base64Url(4096),
        signature: Base64Url(2048),
        userHandle: Type.Optional(Base64Url(128)),
      },
      closed,
    ),
  },
  closed,
);

export const LoginBody = Type.Object(
  { clientId: ClientId, credential: AuthenticationResponse },
  closed,
);
export type LoginBody = Static<typeof LoginBody>;

export const SessionTokens = Type.Object(
  {
    access_token: Type.String(),
    token_type: Type.Literal('DPoP'),
    expires_in: Type.Integer({
      minimum: 0,
      description: 'Seconds; never more than what is left of the session.',
    }),
    refresh_token: Type.String({ description: 'Bound to the DPoP key, used once.' }),
    refresh_expires_in: Type.Integer({
      minimum: 0,
      description: 'Seconds until the session ends when nothing is asked of it.',
    }),
    id_token: Type.Optional(Type.String()),
    scope: Type.String(),
    session_id: Type.String(),
    acr: Type.String(),
  },
  closed,
);
export type SessionTokens = Static<typeof SessionTokens>;
