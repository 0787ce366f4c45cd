/**
 * The catalogue's entries as JSON Schema 2020-12, and the names that events carry of them. An event of version n is described by the schema of
 * version n for ever. Schemas are open: a receiver must take members and codes that it does not know.
 */
import { EVENTS } from './events.ts';
import type { EventType } from './events.ts';
import type { Field, FieldSchema } from './event-fields.ts';

export interface EventSchema {
  readonly $schema: 'https://json-schema.org/draft/2020-12/schema';
  readonly $id: string;
  readonly title: string;
  readonly description: string;
  readonly type: 'object';
  readonly properties: Readonly<Record<string, FieldSchema & { readonly description: string }>>;
  readonly required: readonly string[];
}

/** CloudEvents' `dataschema`: a name, not a place to fetch it from. */
export const schemaId = (type: string, version: number): string =>
  `urn:latchkey:event:${type}:${String(version)}`;

/** Under docs/events. */
export const schemaFile = (type: string, version: number): string =>
  `${type}.v${String(version)}.json`;

export const EVENT_TYPES: readonly EventType[] =
  // Object.keys forgets the literal types that the constant has.
  Object.keys(EVENTS) as EventType[];

/** Of the version that is emitted now. */
export function schemaOf(type: EventType): EventSchema {
  const { version, description, data } = EVENTS[type];
  const fields: readonly (readonly [string, Field<unknown>])[] = Object.entries(data);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: schemaId(type, version),
    title: type,
    description,
    type: 'object',
    properties: Object.fromEntries(
      fields.map(([name, field]) => [name, { description: field.description, ...field.schema }]),
    ),
    required: fields.filter(([, { isOptional }]) => !isOptional).map(([name]) => name),
  };
}
