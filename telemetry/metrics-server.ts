/**
 * The door of the metrics: one address of its own for each process, plain HTTP, GET /metrics and nothing else. Never a route of the API: what it
 * says is for operators. It must not end the process nor keep it from ending; a taken port is tried again, because the one who holds it may
 * be our predecessor that drains.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

const TRY_AGAIN_MS = 5_000;
const HEADERS_TIMEOUT_MS = 5_000;

export interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  /** Done before each answer. */
  readonly refresh?: () => Promise<void>;
  /** More in the same text format, of a source that exposes itself; empty when it has nothing. */
  readonly more?: () => Promise<string>;
  readonly log: {
    info(fields: Readonly<Record<string, unknown>>, message: string): void;
    error(fields: Readonly<Record<string, unknown>>, message: string): void;
  };
}

export interface MetricsServer {
  close(): Promise<void>;
}

export function serveMetrics(options: MetricsServerOptions): MetricsServer {
  const { host, port, log } = options;
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS }, (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      log.error({ err: error }, 'metrics could not be told');
      response.destroy();
    });
  });
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;
  server.on('listening', () => {
    log.info({ host, port }, 'metrics listen');
  });
  server.on('error', (error) => {
    log.error({ err: error, host, port }, 'metrics cannot listen; trying again');
    if (isClosed) return;
    retry = setTimeout(() => server.listen(port, host), TRY_AGAIN_MS);
    retry.unref();
  });
  server.listen(port, host);
  return {
    close: async () => {
      isClosed = true;
      clearTimeout(retry);
      await closeServer(server);
    },
  };
}

async function answer(
  { registry, refresh, more }: MetricsServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const isAsked = request.url === '/metrics' && request.method === 'GET';
  if (!isAsked) {
    response.writeHead(404).end();
    return;
  }
  await refresh?.();
  const [own, others] = await Promise.all([registry.metrics(), more?.() ?? '']);
  response
    .writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' })
    .end(own + others);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) {
      resolve();
      return;
    }
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
