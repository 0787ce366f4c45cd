/**
 * A small HTTP server on loopback for the vendors and the control of a developer's machine. It answers JSON and event streams
 * only, refuses a foreign Host (DNS rebinding), and must never listen on another address.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { describeTakenPort } from './ports.ts';

const HOST = '127.0.0.1';
const BODY_LIMIT_BYTES = 64 * 1024;
const STREAM_COMMENT_EVERY_MS = 15_000;
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** What a handler answers: undefined when it has taken the response over itself. */
export interface LocalAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LocalRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  /** Every value of each header, and path and query as they came: for whoever checks a signature over them. */
  readonly headersDistinct: IncomingMessage['headersDistinct'];
  readonly target: string;
  readonly body: string;
  readonly response: ServerResponse;
}

export type LocalHandler = (request: LocalRequest) => Promise<LocalAnswer | undefined>;

export interface LocalServerOptions {
  /** Stands in messages: "the inbox". */
  readonly name: string;
  readonly port: number;
  readonly handle: LocalHandler;
  readonly onError: (error: unknown) => void;
}

export interface LocalServer {
  readonly url: string;
  /** Closes at once, open event streams too. */
  stop(): Promise<void>;
}

/** Listens, on a free port when `port` is 0. @throws Error naming the holder of a taken port. */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const server = createServer((request, response) => {
    answer(options.handle, request, response).catch((error: unknown) => {
      options.onError(error);
      if (!response.headersSent) send(response, { status: 500, body: { error: 'internal_error' } });
      else response.end();
    });
  });
  const port = await listenLocally(server, options);
  return { url: `http://localhost:${port}`, stop: () => stopServer(server) };
}

/** Answers the port. @throws Error naming the holder of a taken port. */
export async function listenLocally(
  server: Server,
  { name, port }: Pick<LocalServerOptions, 'name' | 'port'>,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, resolve);
  }).catch(async (cause: unknown) => {
    throw new Error(await describeTakenPort(name, port), { cause });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port was assigned');
  return address.port;
}

export async function stopServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

/** A page elsewhere that has its own name point to this machine. */
export function isForeignHost({ headers }: IncomingMessage): boolean {
  return !LOCAL_HOST.test(headers.host ?? '');
}

/** Reads a JSON object; undefined when the body is anything else. */
export function readObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Turns the response into an event stream; `send` writes one event, `onClose` is called once at its end. */
export function openStream(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  onClose: () => void,
): (event: { id?: string; name?: string; data: unknown }) => void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    ...headers,
  });
  response.write(': open\n\n');
  const timer = setInterval(() => response.write(': here\n\n'), STREAM_COMMENT_EVERY_MS);
  response.once('close', () => {
    clearInterval(timer);
    onClose();
  });
  return ({ id, name, data }) => {
    const lines = [
      ...(id === undefined ? [] : [`id: ${id}`]),
      ...(name === undefined ? [] : [`event: ${name}`]),
      `data: ${JSON.stringify(data)}`,
    ];
    response.write(`${lines.join('\n')}\n\n`);
  };
}

async function answer(
  handle: LocalHandler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (isForeignHost(request)) {
    send(response, { status: 421, body: { error: 'foreign_host' } });
    return;
  }
  const body = await readLocalBody(request);
  if (body === undefined) {
    send(response, { status: 413, body: { error: 'too_large' } });
    return;
  }
  const found = await handle({
    method: request.method ?? 'GET',
    url: new URL(request.url ?? '/', 'http://localhost'),
    headers: request.headers,
    headersDistinct: request.headersDistinct,
    target: request.url ?? '/',
    body,
    response,
  });
  if (found !== undefined) send(response, found);
}

/** Undefined when it is longer than any form or call here. */
export async function readLocalBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    // Without an encoding, an HTTP request yields buffers.
    const part = chunk as Buffer;
    size += part.length;
    if (size <= BODY_LIMIT_BYTES) chunks.push(part);
  }
  return size > BODY_LIMIT_BYTES ? undefined : Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status, body, headers }: LocalAnswer): void {
  response.writeHead(status, {
    ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
