/**
 * A tenant's own types of action, as its file writes them: closed shapes of bounded size, in the words of domain/action-types.ts. What the shape cannot
 * say (a text that names a member that is not there) is judged by domain/own-action-types.ts.
 */
import { Type } from 'typebox';
import type { TSchema } from 'typebox';
import type { NamedActionType } from '../db/action-types.ts';
import { definitionFlaws } from '../domain/own-action-types.ts';

const closed = { additionalProperties: false };

const Kind = <const K extends string>(kind: K) => Type.Object({ kind: Type.Literal(kind) }, closed);
const Amount = Kind('amount');
const Currency = Kind('currency');
const Account = Kind('account');
const Text = Type.Object(
  {
    kind: Type.Literal('text'),
    maxLength: Type.Integer({ minimum: 1, maximum: 200 }),
    isOptional: Type.Optional(Type.Literal(true)),
  },
  closed,
);
const OneOf = Type.Object(
  {
    kind: Type.Literal('one_of'),
    values: Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_]{0,39}$' }), {
      minItems: 1,
      maxItems: 50,
      uniqueItems: true,
    }),
  },
  closed,
);
const Plain = Type.Union([Amount, Currency, Account, Text, OneOf]);

const membersOf = <T extends TSchema>(member: T) =>
  Type.Record(Type.String({ pattern: '^[a-z][A-Za-z_]{0,39}$' }), member, closed);

/** One object inside an action, no deeper. */
const Group = Type.Object({ kind: Type.Literal('object'), members: membersOf(Plain) }, closed);

const Template = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 120 }),
    fields: Type.Array(
      Type.Object(
        {
          label: Type.String({ minLength: 1, maxLength: 60 }),
          value: Type.String({ minLength: 1, maxLength: 120 }),
        },
        closed,
      ),
      { minItems: 1, maxItems: 30 },
    ),
  },
  closed,
);

export const ActionTypes = Type.Array(
  Type.Object(
    {
      name: Type.String({ pattern: '^[a-z]+(_[a-z]+)*$', maxLength: 40 }),
      members: membersOf(Type.Union([Amount, Currency, Account, Text, OneOf, Group])),
      templates: Type.Object(
        { en: Template },
        {
          additionalProperties: Template,
          propertyNames: Type.String({ pattern: '^[a-z]{2,3}$' }),
          maxProperties: 20,
        },
      ),
    },
    closed,
  ),
  { maxItems: 50 },
);

/** @throws Error with a line for each thing that is wrong; none repeats a value. */
export function requireActionTypes(types: readonly NamedActionType[]): void {
  const lines = types.flatMap((type, place) =>
    definitionFlaws(type.name, type).map((flaw) => `/actionTypes/${String(place)}: ${flaw}`),
  );
  if (new Set(types.map(({ name }) => name)).size < types.length)
    lines.push('/actionTypes: two of one name');
  if (lines.length > 0) throw new Error(`the tenant's file is wrong:\n${lines.join('\n')}`);
}
