/**
 * A proxy in front of a door of the API for a client that can only speak plain HTTP: it adds what the operation's kind of caller must bring, and leaves
 * what is already signed as it is. It writes down which answer each operation gave; it must never change an answer.
 */
import { Agent, createServer, request as send } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Operations } from './operations.ts';

/** With the value `nothing`, a request goes on as it came. */
export const SIGN_HEADER = 'x-test-sign';

export interface Exchange {
  /** undefined: no operation has that method and path. */
  readonly operationId: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly status: number;
  readonly answerHeaders: IncomingHttpHeaders;
  readonly answer: Buffer;
}

export interface Signer {
  /** Headers for one request of an operation; asked anew for every attempt. */
  sign(request: {
    /** Empty where no operation has that method and path. */
    readonly operationId: string;
    readonly method: string;
    readonly path: string;
    readonly body: Buffer;
  }): Promise<Readonly<Record<string, string>>>;
  /** Hears every answer: nonces come that way. */
  heard(answer: {
    readonly operationId: string | undefined;
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
  }): void;
}

export interface SigningProxy {
  readonly url: string;
  readonly exchanges: readonly Exchange[];
  /** Where requests go; the API's port is known only after the proxy's. */
  aimAt(port: number): void;
  signWith(signer: Signer): void;
  /** Every answer of that operation becomes a bare 500, as a defect's would. */
  breakOperation(operationId: string | undefined): void;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
/** What must be repeated with another proof, and what a loaded machine answers for a moment. */
const WORTH_REPEATING =
  /"(dpop_nonce_required|use_dpop_nonce|outcome_pending|temporal_unavailable)"/;
const ATTEMPTS = 6;
/** Goes on for ever: only its headers are passed on. */
const STREAM = 'text/event-stream';

export async function startSigningProxy(operations: Operations): Promise<SigningProxy> {
  const state = {
    port: 0,
    signer: undefined as Signer | undefined,
    broken: undefined as string | undefined,
  };
  const exchanges: Exchange[] = [];
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch((error: unknown) => {
      process.stderr.write(
        `signing proxy: ${incoming.method ?? ''} ${incoming.url ?? ''}: ${String(error)}\n`,
      );
      outgoing.destroy(error instanceof Error ? error : undefined);
    });
  });

  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = 'GET', url: path = '/' } = incoming;
    const body = await readAll(incoming);
    const operationId = operations.find(method, path);
    const { [SIGN_HEADER]: signing, ...headers } = incoming.headers;
    const isSigned =
      headers['dpop'] !== undefined || headers['cookie'] !== undefined || signing === 'nothing';
    let answered: Answered | undefined;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const added = isSigned
        ? {}
        : await state.signer?.sign({ operationId: operationId ?? '', method, path, body });
      answered = await forward({ ...state, method, path, headers: { ...added, ...headers }, body });
      state.signer?.heard({ operationId, ...answered });
      if (isSigned || !WORTH_REPEATING.test(answered.body.toString('utf8'))) break;
    }
    if (answered === undefined) throw new Error('nothing was sent');
    const isBroken = operationId !== undefined && operationId === state.broken;
    const answer = isBroken ? BROKEN : answered;
    exchanges.push({
      operationId,
      method,
      path,
      headers,
      body,
      status: answer.status,
      answerHeaders: answer.headers,
      answer: answer.body,
    });
    const { 'transfer-encoding': _chunked, connection: _kept, ...kept } = answer.headers;
    outgoing.writeHead(answer.status, { ...kept, 'content-length': answer.body.length });
    outgoing.end(answer.body);
  };

  await new Promise<void>((resolve) => {
    server.listen(0, HOST, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port was assigned');
  return {
    url: `http://localhost:${String(address.port)}`,
    exchanges,
    aimAt: (port) => {
      state.port = port;
    },
    signWith: (signer) => {
      state.signer = signer;
    },
    breakOperation: (operationId) => {
      state.broken = operationId;
    },
    stop: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

const agent = new Agent({ keepAlive: true });

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const BROKEN: Answered = {
  status: 500,
  headers: { 'content-type': 'text/plain' },
  body: Buffer.from('TypeError: undefined is not a function'),
};

function forward(request: {
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}): Promise<Answered> {
  const { port, method, path, headers, body } = request;
  return new Promise((resolve, reject) => {
    const { 'transfer-encoding': _chunked, 'content-length': _length, ...kept } = headers;
    const hasBody = body.length > 0 || method === 'POST';
    const outgoing = send(
      {
        host: HOST,
        port,
        method,
        path,
        headers: { ...kept, ...(hasBody ? { 'content-length': body.length } : {}) },
        agent,
      },
      (answer) => {
        const { statusCode: status = 0, headers: answerHeaders } = answer;
        const isStream = answerHeaders['content-type']?.startsWith(STREAM) === true;
        if (isStream) answer.destroy();
        const bytes = isStream ? Promise.resolve(Buffer.alloc(0)) : readAll(answer);
        resolve(bytes.then((read) => ({ status, headers: answerHeaders, body: read })));
      },
    );
    outgoing.on('error', (error) => {
      // A kept connection that the API closed, being idle, as this was written to it (Node's `request.reusedSocket`): it never arrived.
      const isStale = outgoing.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
      if (isStale) resolve(forward(request));
      else reject(error);
    });
    outgoing.end(body);
  });
}

async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // A message of HTTP gives its bytes in Buffers.
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
