/** Requests that no route knows, as raw bytes: methods that Node speaks and we do not, addresses that are no path of a file. A refusal of ours, never a 500. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { METHODS, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
let port: number;
let pages: string;
beforeAll(async () => {
  pages = await mkdtemp(join(tmpdir(), 'latchkey-pages-'));
  await writeFile(join(pages, 'index.html'), '<!doctype html>');
  api = await startTestApi({ dependencies: { pagesDirectory: pages } });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const address = api.app.server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(async () => {
  await api.close();
  await rm(pages, { recursive: true, force: true });
});

interface Refusal {
  readonly status: number | undefined;
  readonly code: unknown;
}

function ask(
  method: string,
  path: string,
  { at = port, headers = {} }: { at?: number; headers?: Record<string, string> } = {},
): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const asked = request({ port: at, host: '127.0.0.1', method, path, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        // A problem, or nothing where a method has no body.
        const { code } = (text === '' ? {} : JSON.parse(text)) as { code?: unknown };
        resolve({ status: answer.statusCode, code });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('a request that no route knows', () => {
  it.each(METHODS.filter((method) => !['CONNECT', 'GET', 'HEAD', 'OPTIONS'].includes(method)))(
    'is told of %s that it is not allowed here',
    async (method) => {
      expect(await ask(method, '/livez')).toEqual({ status: 405, code: 'method_not_allowed' });
      expect(await ask(method, '/t/demo/auth/me')).toEqual({
        status: 405,
        code: 'method_not_allowed',
      });
      expect((await ask(method, '/nothing')).status).toBe(404);
    },
  );

  it.each([
    '/probe%5C%1B%01',
    '/%00',
    '/%5C..%5C..%5Cetc%5Cpasswd',
    '/..%2F..%2Fetc%2Fpasswd',
    '/.git/config',
    '/%FF%FE',
    `/${'a'.repeat(3_000)}`,
  ])('at %s finds nothing', async (path) => {
    const { status, code } = await ask('GET', path);
    expect([400, 404, 414]).toContain(status);
    expect(['not_found', 'invalid_request', 'uri_too_long']).toContain(code);
  });
});

describe('an expectation that nobody knows', () => {
  it('changes nothing at either door: what is refused is refused by a problem (RFC 9110 section 10.1.1)', async () => {
    const headers = { expect: 'the-moon' };
    for (const at of [port, api.operations.port]) {
      expect(await ask('GET', '/livez', { at, headers })).toEqual({ status: 200, code: undefined });
      expect(await ask('GET', '/nothing', { at, headers })).toEqual({
        status: 404,
        code: 'not_found',
      });
    }
  });
});
