/**
 * One keep-alive connection that speaks just enough HTTP/1.1 for load: one request at a time, as text made ahead, so that the client costs far
 * less than the server. It must never be used where an answer could be chunked or an error be ignored.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

export interface HttpLine {
  /** @throws Error when the connection breaks before the answer is whole */
  send(request: string): Promise<HttpAnswer>;
  close(): void;
}

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;

export async function openLine(port: number): Promise<HttpLine> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return lineOver(socket);
}

function lineOver(socket: Socket): HttpLine {
  let waiting: PromiseWithResolvers<HttpAnswer> | undefined;
  let received = '';
  const fail = (reason: string) => {
    waiting?.reject(new Error(reason));
    waiting = undefined;
    socket.destroy();
  };
  // One byte a character: lengths are in bytes.
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received += chunk;
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = received.slice(0, headEnd);
    const length = CONTENT_LENGTH.exec(head)?.[1];
    const isBodiless = head.startsWith('HTTP/1.1 204');
    if (length === undefined && !isBodiless) {
      fail('the answer says no length');
      return;
    }
    const end = headEnd + 4 + Number(length ?? 0);
    if (received.length < end) return;
    const answer = {
      status: Number(head.slice(9, 12)),
      head,
      body: received.slice(headEnd + 4, end),
    };
    received = received.slice(end);
    const { resolve } = waiting ?? {};
    waiting = undefined;
    resolve?.(answer);
  });
  socket.on('error', (error) => {
    fail(error.message);
  });
  socket.on('close', () => {
    fail('the connection was closed');
  });
  return {
    send: (request) => {
      if (socket.destroyed) return Promise.reject(new Error('the connection was closed'));
      waiting = Promise.withResolvers<HttpAnswer>();
      socket.write(request, 'latin1');
      return waiting.promise;
    },
    close: () => {
      socket.destroy();
    },
  };
}
