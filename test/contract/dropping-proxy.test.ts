import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startDroppingProxy } from '../../runtime/dropping-proxy.ts';
import type { DroppingProxy } from '../../runtime/dropping-proxy.ts';

let carriedOut: string[];
let target: Server;
let proxy: DroppingProxy;
beforeEach(async () => {
  carriedOut = [];
  target = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      carriedOut.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(201, { 'dpop-nonce': 'n', 'x-seen': String(request.headers['dpop']) });
      response.end(`answer ${carriedOut.length}`);
    });
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const address = target.address();
  const targetPort = typeof address === 'object' ? (address?.port ?? 0) : 0;
  proxy = await startDroppingProxy({ port: 0, targetPort });
});
afterEach(async () => {
  await proxy.stop();
  target.closeAllConnections();
  target.close();
});

describe('the proxy that loses answers', () => {
  test('changes nothing on the way when nothing is to be lost', async () => {
    const answer = await fetch(`${proxy.url}/a?b=c`, {
      method: 'POST',
      body: 'x',
      headers: { dpop: 'proof' },
    });
    expect([answer.status, answer.headers.get('dpop-nonce'), answer.headers.get('x-seen')]).toEqual(
      [201, 'n', 'proof'],
    );
    expect(await answer.text()).toBe('answer 1');
    expect(carriedOut).toEqual(['POST /a?b=c x']);
  });

  test('loses one answer after the request was carried out, and only the meant one', async () => {
    const lost = proxy.loseNextAnswer(({ path }) => path === '/oauth/token');
    expect((await fetch(`${proxy.url}/other`)).status).toBe(201);
    await expect(fetch(`${proxy.url}/oauth/token`, { method: 'POST', body: 'r' })).rejects.toThrow(
      'fetch failed',
    );
    expect(await lost).toEqual({
      method: 'POST',
      path: '/oauth/token',
      status: 201,
      body: 'answer 2',
    });
    expect((await fetch(`${proxy.url}/oauth/token`, { method: 'POST', body: 'r' })).status).toBe(
      201,
    );
    expect(carriedOut).toEqual(['GET /other ', 'POST /oauth/token r', 'POST /oauth/token r']);
  });

  test('waits for an answer that is meant: a refusal passes, the next success is lost', async () => {
    const statuses: number[] = [];
    const lost = proxy.loseNextAnswer(({ status, method }) => {
      statuses.push(status);
      return method === 'POST' && status === 201;
    });
    expect((await fetch(`${proxy.url}/a`)).status).toBe(201);
    await expect(fetch(`${proxy.url}/a`, { method: 'POST' })).rejects.toThrow('fetch failed');
    expect((await lost).method).toBe('POST');
    expect(statuses).toEqual([201, 201]);
  });

  test('loses nothing once the order was taken back', async () => {
    const order = new AbortController();
    void proxy.loseNextAnswer(() => true, order.signal);
    order.abort();
    expect((await fetch(`${proxy.url}/a`)).status).toBe(201);
  });

  test('lets nothing through that is cut, so that it is not carried out, until it is mended', async () => {
    const mend = proxy.cut(({ path }) => path === '/cut');
    await expect(fetch(`${proxy.url}/cut`)).rejects.toThrow('fetch failed');
    expect((await fetch(`${proxy.url}/other`)).status).toBe(201);
    mend();
    expect((await fetch(`${proxy.url}/cut`)).status).toBe(201);
    expect(carriedOut).toEqual(['GET /other ', 'GET /cut ']);
  });

  test('streams: what the target has sent so far arrives before its answer ends', async () => {
    let finish = (): void => undefined;
    target.removeAllListeners('request');
    target.on('request', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      finish = () => response.end();
    });
    const answer = await fetch(proxy.url);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('data: 1\n\n');
    finish();
    expect((await reader?.read())?.done).toBe(true);
  });
});
