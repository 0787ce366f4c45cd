/** What never became a request: bytes that Node's parser refused. The answer is a problem like any other, written by hand to the socket. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { AppDependencies } from '../dependencies.ts';
import { problemOf } from '../problems.ts';

const CODES: { readonly [code: string]: ErrorCode } = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

export function createClientErrorHandler({
  newId,
  logger,
}: Pick<AppDependencies, 'newId' | 'logger'>) {
  return (error: Error & { readonly code?: string }, socket: Socket): void => {
    // Somebody hung up: nobody is there to be told.
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const code = CODES[error.code ?? ''] ?? 'invalid_request';
    const requestId = newId('request');
    const problem = problemOf(new LatchkeyError(code), requestId);
    const body = JSON.stringify(problem);
    logger.info({ requestId, code, parser: error.code }, 'request refused by the parser');
    socket.end(
      [
        `HTTP/1.1 ${String(problem.status)} ${STATUS_CODES[problem.status] ?? ''}`,
        'content-type: application/problem+json',
        `content-length: ${String(Buffer.byteLength(body))}`,
        `latchkey-request-id: ${requestId}`,
        'cache-control: no-store',
        'connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  };
}
