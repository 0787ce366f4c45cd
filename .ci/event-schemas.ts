/**
 * The schemas of events, docs/events/*.json, against the catalogue in domain/events.ts: what receivers were promised under a version is promised
 * for ever. `--write` brings the files to the catalogue; it must never overwrite one with what would break a receiver.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { EVENT_TYPES, schemaFile, schemaId, schemaOf } from '../domain/event-schema.ts';
import type { EventSchema } from '../domain/event-schema.ts';
import { EVENTS } from '../domain/events.ts';

const FOLDER = 'docs/events';
const RELEASES = 'docs/releases';
const RELEASED = /^events-.*\.json$/;

/**
 * Why somebody who reads by `before` could stumble over what `after` describes; nothing is the aim. A new member is no reason: receivers take
 * what they do not know.
 */
export function breaches(before: EventSchema, after: EventSchema): string[] {
  const names = Object.keys(before.properties);
  const gone = names.filter((name) => after.properties[name] === undefined);
  const retyped = names.filter(
    (name) =>
      after.properties[name] !== undefined &&
      shapeOf(before.properties[name]) !== shapeOf(after.properties[name]),
  );
  const lessSure = before.required.filter(
    (name) => after.properties[name] !== undefined && !after.required.includes(name),
  );
  return [
    ...gone.map((name) => `${name} is gone`),
    ...retyped.map((name) => `${name} is of another kind`),
    ...lessSure.map((name) => `${name} may be missing now`),
  ];
}

/** All of a member but its words. */
function shapeOf(property: EventSchema['properties'][string] | undefined): string {
  const { description: _words, ...shape } = property ?? { description: '' };
  return JSON.stringify(shape);
}

interface Schemas {
  /** What the catalogue says now, one a type. */
  readonly made: readonly EventSchema[];
  /** What stands in docs/events, by file. */
  readonly written: ReadonlyMap<string, EventSchema>;
  /** What was ever released. */
  readonly released: readonly EventSchema[];
}

/** Answers one line a fault. */
export function judgeEventSchemas({ made, written, released }: Schemas): string[] {
  const faults: string[] = [];
  const expected = new Set<string>();
  for (const schema of made) {
    const { type, version } = nameOf(schema);
    for (let older = 1; older < version; older += 1) {
      expected.add(schemaFile(type, older));
      if (!written.has(schemaFile(type, older)))
        faults.push(`${schemaFile(type, older)} is gone: what was promised stays readable`);
    }
    expected.add(schemaFile(type, version));
    faults.push(...judgeCurrent(schema, written.get(schemaFile(type, version))));
  }
  for (const file of written.keys())
    if (!expected.has(file))
      faults.push(
        `${file} describes no event of the catalogue: types and versions are never taken back`,
      );
  const all = [...made, ...written.values()];
  for (const old of released) {
    const same = all.filter(({ $id }) => $id === old.$id);
    if (same.length === 0) faults.push(`${old.$id} was released and is gone`);
    for (const schema of same)
      faults.push(...breaches(old, schema).map((why) => `${old.$id} was released: ${why}`));
  }
  return [...new Set(faults)];
}

function judgeCurrent(schema: EventSchema, file: EventSchema | undefined): string[] {
  const { type, version } = nameOf(schema);
  const name = schemaFile(type, version);
  if (file === undefined) return [`${name} is not written: npm run events`];
  const broken = breaches(file, schema);
  if (broken.length > 0)
    return broken.map((why) => `${name}: ${why}; give ${type} version ${String(version + 1)}`);
  return JSON.stringify(file) === JSON.stringify(schema)
    ? []
    : [`${name} is older than the catalogue: npm run events`];
}

function nameOf({ $id, title }: EventSchema): { type: string; version: number } {
  return { type: title, version: Number($id.slice(schemaId(title, 0).length - 1)) };
}

// The files are written below, and by nobody else.
const readSchema = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as EventSchema;

/** As they stand in the repository. */
export function readEventSchemas(): Schemas {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.json'));
  return {
    made: EVENT_TYPES.map(schemaOf),
    written: new Map(files.map((file) => [file, readSchema(`${FOLDER}/${file}`)])),
    released: readdirSync(RELEASES)
      .filter((file) => RELEASED.test(file))
      .flatMap((file) => JSON.parse(readFileSync(`${RELEASES}/${file}`, 'utf8')) as EventSchema[]),
  };
}

function write(): void {
  mkdirSync(FOLDER, { recursive: true });
  const { written } = readEventSchemas();
  for (const type of EVENT_TYPES) {
    const [schema, file] = [schemaOf(type), schemaFile(type, EVENTS[type].version)];
    const before = written.get(file);
    if (before === undefined || breaches(before, schema).length === 0)
      writeFileSync(`${FOLDER}/${file}`, `${JSON.stringify(schema, null, 2)}\n`);
  }
  const faults = judgeEventSchemas(readEventSchemas());
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
}

if (process.argv[1] === import.meta.filename && process.argv[2] === '--write') write();
