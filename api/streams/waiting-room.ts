/**
 * What stands at the public door while the process cannot work yet, because what opens its keys is away: alive, not ready, and 503 for
 * everybody. It knows no secret and asks no database; it goes when the API comes.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { ERRORS } from '../../domain/errors.ts';

const RETRY_AFTER_SECONDS = '2';
const CODE = 'vendor_unavailable';

export interface WaitingRoom {
  close(): Promise<void>;
}

/** `missing` is what /readyz names. */
export async function openWaitingRoom({
  host,
  port,
  missing,
}: {
  readonly host: string;
  readonly port: number;
  readonly missing: { readonly name: string; readonly detail: string };
}): Promise<WaitingRoom> {
  const checks = [{ ready: false, ...missing }];
  const server = createServer((request, response) => {
    // Nothing that was sent is read.
    request.resume();
    const [path] = (request.url ?? '').split('?', 1);
    if (path === '/livez') answer(response, 200, { status: 'ready', checks: [] });
    else if (path === '/readyz') answer(response, 503, { status: 'not_ready', checks });
    else answer(response, 503, problem(), 'application/problem+json');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function problem() {
  const { status, title } = ERRORS[CODE];
  return {
    type: `https://latchkey.dev/problems/${CODE}`,
    title,
    status,
    code: CODE,
    requestId: `req_${randomBytes(16).toString('hex')}`,
    retryAfterSeconds: Number(RETRY_AFTER_SECONDS),
  };
}

function answer(
  response: ServerResponse,
  status: number,
  body: object,
  contentType = 'application/json',
): void {
  response.writeHead(status, {
    'content-type': `${contentType}; charset=utf-8`,
    'cache-control': 'no-store',
    ...(status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
  });
  response.end(JSON.stringify(body));
}
