/** The claims of OpenID Connect Core section 5.1 that there are, each given for the scope that section 5.4 names. */
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { EmptyBody } from './empty-body.ts';

/** A POST brings its token in the header, as a GET does. */
export const NoBody = Type.Union([EmptyBody, Type.Null()]);

const Text = (scope: string, description: string) =>
  Type.Optional(Type.String({ description: `${description} Scope \`${scope}\`.` }));
const Flag = (scope: string) =>
  Type.Optional(
    Type.Boolean({ description: `Always true: only what was proved is told. Scope \`${scope}\`.` }),
  );

export const UserinfoAnswer = Type.Object(
  {
    sub: Type.String({ description: 'The customer.' }),
    acr: Type.String({ description: 'Authentication strength of this session now.' }),
    roles: Type.Optional(Type.Array(Type.String(), { description: 'Now, where there are any.' })),
    name: Text('profile', 'Given and family name.'),
    given_name: Text('profile', 'As the identity check proved it.'),
    family_name: Text('profile', 'As the identity check proved it.'),
    birthdate: Text('profile', 'YYYY-MM-DD.'),
    locale: Text('profile', 'BCP 47.'),
    email: Text('email', 'Proved.'),
    email_verified: Flag('email'),
    phone_number: Text('phone', 'Proved, E.164.'),
    phone_number_verified: Flag('phone'),
  },
  { additionalProperties: false },
);
export type UserinfoAnswer = Static<typeof UserinfoAnswer>;
