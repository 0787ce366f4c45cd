/** The committed documents say what the code says. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorsDocument, openApiDocument } from '../../api/documents.ts';
import { ERRORS } from '../../domain/errors.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';

const committed = (name: string) =>
  readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
});

describe('docs/openapi.json', () => {
  it('is what the routes say: `npm run openapi` writes it', async () => {
    expect(await openApiDocument()).toBe(committed('openapi.json'));
  });

  it('is what the API serves', async () => {
    const { body } = await api.app.inject({ url: '/openapi.json' });
    expect(JSON.parse(body)).toEqual(JSON.parse(committed('openapi.json')));
  });

  it('knows every code that a caller may be shown', () => {
    const text = committed('openapi.json');
    const missing = Object.entries(ERRORS)
      .filter(([, entry]) => entry.public)
      .map(([code]) => code)
      // A supplier that fails is the worker's affair: no call waits for one.
      .filter((code) => code !== 'vendor_unavailable')
      .filter((code) => !text.includes(`\`${code}\``));
    expect(missing).toEqual([]);
  });

  it('gives every operation a name of its own, a summary, a success and its refusals', () => {
    // The shape is OpenAPI's.
    const { paths } = JSON.parse(committed('openapi.json')) as {
      paths: Record<
        string,
        Record<
          string,
          { operationId?: string; summary?: string; responses: Record<string, unknown> }
        >
      >;
    };
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    const incomplete = operations.filter(({ summary, responses }) => {
      const statuses = Object.keys(responses).map((status) => status[0]);
      return summary === undefined || !statuses.includes('2') || !statuses.includes('4');
    });
    expect(incomplete).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  it('lists exactly the codes of the table, each with its status and its title', () => {
    expect(errorsDocument()).toBe(committed('errors.md'));
    const listed = [...committed('errors.md').matchAll(/^\| `([a-z_]+)` \| (\d+) \|/gm)].map(
      ([, code]) => code,
    );
    expect(listed).toEqual(Object.keys(ERRORS));
  });
});

describe('the reference page', () => {
  it('runs its own script and no other', async () => {
    const { statusCode, headers, body } = await api.app.inject({ url: '/docs/' });
    expect(statusCode).toBe(200);
    expect(body).toContain('/openapi.json');
    expect(headers['content-security-policy']).toMatch(/script-src 'self' 'sha256-[^']+';/);
    expect((await api.app.inject({ url: '/docs/js/scalar.js' })).statusCode).toBe(200);
  });
});
