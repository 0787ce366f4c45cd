/**
 * docs/openapi.json breaks nobody who was written against the last release, whose document is kept in docs/releases and never changed. A change that
 * cannot be avoided is a new path or a new release that says so, never an edit of what was released.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goTool } from '../setup/programs/go-tool.ts';

const docs = new URL('../../docs/', import.meta.url);
const RELEASED = /^openapi-(\d+)\.(\d+)\.(\d+)\.json$/;

function lastRelease(): string {
  const rank = (name: string) =>
    (RELEASED.exec(name) ?? []).slice(1).reduce((sum, part) => sum * 1_000 + Number(part), 0);
  const newest = readdirSync(new URL('releases/', docs))
    .filter((name) => RELEASED.test(name))
    .toSorted((one, other) => rank(one) - rank(other))
    .at(-1);
  if (newest === undefined) throw new Error('docs/releases holds no released document');
  return fileURLToPath(new URL(`releases/${newest}`, docs));
}

let oasdiff: string;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-released-'));
  oasdiff = await goTool({
    package: 'github.com/oasdiff/oasdiff',
    version: 'v1.35.0',
    executable: 'oasdiff',
  });
}, 600_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Breach {
  readonly id: string;
  readonly operation?: string;
  readonly path?: string;
  readonly text: string;
}

/** A client reads a word that it does not know as it reads any other answer of its kind: answers may learn new ones. */
const ALLOWED = /^response-.*(any-of|one-of|enum-value)-added$/;

/** Every change of `revision` that breaks a client of the last release, warnings too; nothing when there is none. */
async function breaches(revision: string): Promise<readonly Breach[]> {
  const { stdout } = await promisify(execFile)(
    oasdiff,
    ['breaking', lastRelease(), revision, '--format', 'json'],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  // The tool's own shape; nothing at all when there is nothing to say.
  const said = (JSON.parse(stdout || '[]') as Breach[] | null) ?? [];
  return said.filter(({ id }) => !ALLOWED.test(id));
}

interface Schema {
  properties: Record<string, Schema & { type?: string; anyOf?: unknown[] }>;
  required: string[];
}
type Content = Record<string, { schema: Schema }>;
interface Operation {
  requestBody: { content: Content };
  responses: Record<string, { content: Content }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
}

/** The last release with one change. */
function changed(change: (document: Document) => void): string {
  // OpenAPI's shape, as far as the changes below reach.
  const document = JSON.parse(readFileSync(lastRelease(), 'utf8')) as Document;
  change(document);
  const file = join(folder, 'changed.json');
  writeFileSync(file, JSON.stringify(document));
  return file;
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the released document has no such place');
  return value;
}
const operation = (document: Document, path: string, method: string): Operation =>
  found(document.paths[`/t/{tenant}${path}`]?.[method]);
const asked = (document: Document, path: string): Schema =>
  found(operation(document, path, 'post').requestBody.content['application/json']).schema;
const answered = (document: Document, path: string, method: string): Schema =>
  found(operation(document, path, method).responses['200']?.content['application/json']).schema;

describe('docs/openapi.json beside the last release', () => {
  it('breaks no client', async () => {
    expect(await breaches(fileURLToPath(new URL('openapi.json', docs)))).toEqual([]);
  });

  it.each([
    [
      'an operation removed',
      'api-path-removed-without-deprecation',
      (document: Document) => {
        delete document.paths['/t/{tenant}/auth/me'];
      },
    ],
    [
      'a field of an answer removed',
      'response-required-property-removed',
      (document: Document) => {
        const schema = answered(document, '/auth/me', 'get');
        delete schema.properties['phone'];
        schema.required = schema.required.filter((name) => name !== 'phone');
      },
    ],
    [
      'a new field that a request must have',
      'new-required-request-property',
      (document: Document) => {
        const schema = asked(document, '/auth/enrollments/{enrollmentId}/email');
        schema.properties['why'] = { type: 'string', properties: {}, required: [] };
        schema.required.push('why');
      },
    ],
    [
      'a word of a request no longer understood',
      'request-property-any-of-removed',
      (document: Document) => {
        found(asked(document, '/auth/logout').properties['scope']?.anyOf).pop();
      },
    ],
    [
      'a success that is another',
      'response-success-status-removed',
      (document: Document) => {
        const { responses } = operation(document, '/auth/login', 'post');
        responses['201'] = found(responses['200']);
        delete responses['200'];
      },
    ],
  ] as const)('goes red for %s', async (_what, id, change) => {
    expect((await breaches(changed(change))).map((breach) => breach.id)).toContain(id);
  });

  it('takes what only adds', async () => {
    const revision = changed((document) => {
      const schema = asked(document, '/auth/enrollments/{enrollmentId}/email');
      schema.properties['why'] = { type: 'string', properties: {}, required: [] };
      answered(document, '/auth/me', 'get').properties['nickname'] = {
        type: 'string',
        properties: {},
        required: [],
      };
      found(answered(document, '/auth/me', 'get').properties['device']?.anyOf).push({
        type: 'string',
      });
      const login = found(document.paths['/t/{tenant}/auth/login']);
      document.paths['/t/{tenant}/auth/login-again'] = login;
    });
    expect(await breaches(revision)).toEqual([]);
  });
});
