/** What RFC 7009 asks. Its answer has no body. */
import { Type } from 'typebox';
import { ShownToken, TokenTypeHint } from './introspection.ts';

export const RevocationForm = Type.Object(
  {
    token: ShownToken,
    token_type_hint: TokenTypeHint,
    client_id: Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'The app that the token was issued to.',
    }),
  },
  { additionalProperties: false },
);

/** No body at all, which OpenAPI's generator knows by the type null. */
export const NoAnswer = Type.Unsafe<undefined>({
  type: 'null',
  description: 'Ended, or never known: nothing more is said.',
});
