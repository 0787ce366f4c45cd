/** The phone's line as the stage's button breaks it: one answer lost after its commit, then no line for a while, for the phone alone. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startPhoneLine } from '../../runtime/phone-line.ts';
import type { LineStatus, PhoneLine } from '../../runtime/phone-line.ts';
import { findFreePort } from '../../runtime/ports.ts';

const PHONE = { 'sec-fetch-dest': 'empty' };
let carriedOut: string[];
let status: number;
let target: Server;
let line: PhoneLine;
let url: string;
let heard: [LineStatus, string | undefined][];

const startLine = async (noLineMs?: number) => {
  const address = target.address();
  const port = await findFreePort();
  line = await startPhoneLine({
    port,
    host: '127.0.0.1',
    targetPort: typeof address === 'object' ? (address?.port ?? 0) : 0,
    ...(noLineMs === undefined ? {} : { noLineMs }),
  });
  line.onChange((now, lost) => heard.push([now, lost?.path]));
  url = `http://localhost:${port}`;
};

beforeEach(async () => {
  [carriedOut, heard, status] = [[], [], 200];
  target = createServer((request, response) => {
    carriedOut.push(`${request.method} ${request.url}`);
    response.writeHead(status).end('done');
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await line.stop();
  target.closeAllConnections();
  target.close();
});

const send = (method: string, path: string, headers: Record<string, string> = PHONE) =>
  fetch(`${url}${path}`, { method, headers });
const LOST = 'fetch failed';

describe("the phone's line", () => {
  test('loses the answer to what was done, then has no line, and comes back by itself', async () => {
    await startLine(300);
    line.dropNextAnswer();
    await expect(send('POST', '/t/demo/auth/enrollments')).rejects.toThrow(LOST);
    expect(carriedOut).toEqual(['POST /t/demo/auth/enrollments']);
    await expect(send('POST', '/t/demo/auth/enrollments')).rejects.toThrow(LOST);
    expect(carriedOut).toHaveLength(1);
    await vi.waitFor(() => expect(line.status()).toBe('up'));
    expect((await send('POST', '/t/demo/auth/enrollments')).status).toBe(200);
    expect(heard).toEqual([
      ['armed', undefined],
      ['down', '/t/demo/auth/enrollments'],
      ['up', undefined],
    ]);
  });

  test.each([
    ['a question', 'GET', '/t/demo/auth/me', 200, PHONE],
    ['a refusal', 'POST', '/t/demo/auth/login', 403, PHONE],
    ['a challenge, which writes nothing', 'POST', '/t/demo/auth/login-options', 200, PHONE],
    ['a call of another server', 'POST', '/t/demo/oauth/token', 200, {}],
    ['the page', 'GET', '/', 200, { 'sec-fetch-dest': 'document' }],
  ])('lets the answer to %s pass and stays armed', async (_what, method, path, answer, headers) => {
    await startLine();
    line.dropNextAnswer();
    status = answer;
    expect((await send(method, path, headers as Record<string, string>)).status).toBe(answer);
    expect(line.status()).toBe('armed');
  });

  test('lets everything but the phone pass while the phone has no line', async () => {
    await startLine();
    line.dropNextAnswer();
    await expect(send('POST', '/t/demo/auth/login')).rejects.toThrow(LOST);
    expect((await send('GET', '/', { 'sec-fetch-dest': 'document' })).status).toBe(200);
    expect((await send('GET', '/t/demo/ops/timeline', {})).status).toBe(200);
    line.restore();
    expect((await send('GET', '/t/demo/auth/me')).status).toBe(200);
    expect(line.status()).toBe('up');
  });

  test('forgets the order when it is restored before anything was lost', async () => {
    await startLine();
    line.dropNextAnswer();
    line.restore();
    expect((await send('POST', '/t/demo/auth/login')).status).toBe(200);
    expect(heard).toEqual([
      ['armed', undefined],
      ['up', undefined],
    ]);
  });
});
