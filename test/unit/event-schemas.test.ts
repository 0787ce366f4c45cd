/** The promise to receivers of events, each way to break it shown refused; and that the repository's own schemas keep it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgeEventSchemas, readEventSchemas } from '../../.ci/event-schemas.ts';
import { EVENT_TYPES, schemaFile, schemaId } from '../../domain/event-schema.ts';
import type { EventSchema } from '../../domain/event-schema.ts';
import { EVENTS } from '../../domain/events.ts';

const schema = (version: number, changes: Partial<EventSchema> = {}): EventSchema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: schemaId('bank.app.t', version),
  title: 'bank.app.t',
  description: 'Something has happened.',
  type: 'object',
  properties: {
    customerId: { description: 'Whom.', type: 'string', pattern: '^cus_' },
    shown: { description: 'Which.', type: 'integer', minimum: 0 },
  },
  required: ['customerId', 'shown'],
  ...changes,
});
const { customerId, shown } = schema(1).properties;
if (customerId === undefined || shown === undefined) throw new Error('both stand above');

const judge = (
  made: EventSchema,
  written: readonly EventSchema[],
  released: readonly EventSchema[] = [],
) =>
  judgeEventSchemas({
    made: [made],
    written: new Map(
      written.map((each) => [schemaFile(each.title, Number(each.$id.at(-1))), each]),
    ),
    released,
  });

describe('the schemas of events', () => {
  it('in the repository are the catalogue’s, and promise what was promised', () => {
    expect(judgeEventSchemas(readEventSchemas())).toEqual([]);
  });

  it('may stay as they are', () => {
    expect(judge(schema(1), [schema(1)], [schema(1)])).toEqual([]);
    expect(judge(schema(2), [schema(1), schema(2)], [schema(1)])).toEqual([]);
  });

  it.each<[string, Partial<EventSchema>, string]>([
    [
      'loses a member',
      { properties: { customerId }, required: ['customerId'] },
      'shown is gone; give bank.app.t version 2',
    ],
    [
      'makes a member another type',
      { properties: { customerId, shown: { description: 'Which.', type: 'string' } } },
      'shown is of another kind; give bank.app.t version 2',
    ],
    [
      'lets a member be null',
      { properties: { customerId, shown: { ...shown, type: ['integer', 'null'] } } },
      'shown is of another kind; give bank.app.t version 2',
    ],
    [
      'forgets what a member looks like',
      { properties: { customerId: { description: 'Whom.', type: 'string' }, shown } },
      'customerId is of another kind; give bank.app.t version 2',
    ],
    [
      'may leave a member out',
      { required: ['customerId'] },
      'shown may be missing now; give bank.app.t version 2',
    ],
  ])('are refused when one %s without a new version', (_what, change, fault) => {
    expect(judge(schema(1, change), [schema(1)])).toEqual([`bank.app.t.v1.json: ${fault}`]);
    // With the file edited as well, what was released still stands against it.
    const edited = judge(schema(1, change), [schema(1, change)], [schema(1)]);
    expect(edited).toEqual([
      `urn:latchkey:event:bank.app.t:1 was released: ${fault.split(';')[0] ?? ''}`,
    ]);
    const next = schema(2, change);
    expect(judge(next, [schema(1), next], [schema(1)])).toEqual([]);
  });

  it('may get another member and other words, once they are written', () => {
    const added = { ...schema(1).properties, risk: { description: 'How.', type: 'string' } };
    const grown = schema(1, { properties: added, required: ['customerId', 'shown', 'risk'] });
    expect(judge(grown, [schema(1)])).toEqual([
      'bank.app.t.v1.json is older than the catalogue: npm run events',
    ]);
    expect(judge(grown, [grown], [schema(1)])).toEqual([]);
  });

  it('are refused when a type, a version or a file is taken back', () => {
    const other = { ...schema(1), title: 'bank.app.o', $id: schemaId('bank.app.o', 1) };
    expect(judge(schema(1), [schema(1), other])).toEqual([
      'bank.app.o.v1.json describes no event of the catalogue: types and versions are never taken back',
    ]);
    expect(judge(schema(1), [schema(1), schema(2)])).toHaveLength(1);
    expect(judge(schema(2), [schema(2)])).toEqual([
      'bank.app.t.v1.json is gone: what was promised stays readable',
    ]);
    expect(judge(schema(1), [])).toEqual(['bank.app.t.v1.json is not written: npm run events']);
    expect(judge(schema(1), [schema(1)], [other])).toEqual([
      `${other.$id} was released and is gone`,
    ]);
  });
});

describe('docs/events.md', () => {
  const text = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');

  it.each(EVENT_TYPES)('describes %s by its version and links its schema', (type) => {
    const file = schemaFile(type, EVENTS[type].version);
    expect(text).toContain(
      `| [\`${type}\`](events/${file}) | ${String(EVENTS[type].version)} | ${EVENTS[type].description} |`,
    );
  });

  it('describes no other', () => {
    const described = [...text.matchAll(/^\| \[`(bank\.app\.[a-z_]+)`\]/gm)].map(
      ([, type]) => type,
    );
    expect(new Set(described)).toEqual(new Set(EVENT_TYPES));
  });
});
