/**
 * What a member of an event can be: each kind names at once its TypeScript type and its JSON Schema (domain/events.ts, docs/events.md).
 * There is no kind for free text, and there must never be one: an event carries ids, codes and numbers, no personal data.
 */
import { idPattern } from './ids.ts';
import type { IdKind } from './ids.ts';

/** JSON Schema 2020-12, as far as events need it. */
export type FieldSchema = {
  readonly type: string | readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
};

export interface Field<Value> {
  readonly schema: FieldSchema;
  readonly description: string;
  readonly isOptional: boolean;
  /** Carries the type; there is no value. */
  readonly _value?: Value;
}

const field = <Value>(schema: FieldSchema, description: string): Field<Value> => ({
  schema,
  description,
  isOptional: false,
});

/** An id of Latchkey: a prefix and 32 hexadecimal digits, opaque to receivers. */
export const id = (kind: IdKind, description: string): Field<string> =>
  field({ type: 'string', pattern: idPattern(kind) }, description);

/**
 * One word of an open list: receivers must take words that they do not know, so a new word needs no new version. The type is for those
 * who emit.
 */
export const code = <Word extends string>(description: string): Field<Word> =>
  field({ type: 'string', pattern: '^[a-z][a-z0-9_.:]{0,63}$' }, description);

/** A name that the bank gave, such as a client's. */
export const name = (description: string): Field<string> =>
  field({ type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$' }, description);

/** 0 or more, whole. */
export const count = (description: string): Field<number> =>
  field({ type: 'integer', minimum: 0 }, description);

/** Always there, and null when there is nothing to say. */
export const nullable = <Value>({ schema, description }: Field<Value>): Field<Value | null> =>
  field(
    {
      ...schema,
      type: [...(typeof schema.type === 'string' ? [schema.type] : schema.type), 'null'],
    },
    description,
  );

/** Left out when there is nothing to say. */
export const optional = <Value>(
  given: Field<Value>,
): Field<Value> & { readonly isOptional: true } => ({
  ...given,
  isOptional: true,
});
