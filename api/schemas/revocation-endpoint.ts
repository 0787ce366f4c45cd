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

export const NoAnswer = Type.Null({ description: 'Ended, or never known: nothing more is said.' });
