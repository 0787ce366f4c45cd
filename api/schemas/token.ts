/** What the token endpoint is sent as a form and answers, RFC 6749 sections 4.4, 5.1 and 6. */
import { Type } from 'typebox';
import type { Static } from 'typebox';

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
  refresh_expires_in: Type.Optional(Type.Integer()),
  id_token: Type.Optional(Type.String()),
  session_id: Type.Optional(Type.String()),
  acr: Type.Optional(Type.String()),
});
export type TokenAnswer = Static<typeof TokenAnswer>;
