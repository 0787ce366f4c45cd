/** Headers as they were sent: Node keeps the first of two Authorization headers and joins two of others, which hides an attack. */
import type { FastifyRequest } from 'fastify';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';

/** @throws LatchkeyError with the given code when it was sent twice. */
export function singleHeader(
  request: FastifyRequest,
  name: string,
  whenRepeated: ErrorCode,
): string | undefined {
  const { rawHeaders } = request.raw;
  let found: string | undefined;
  // Names and values by turns.
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const sent = rawHeaders[index];
    if (sent?.length !== name.length || sent.toLowerCase() !== name) continue;
    if (found !== undefined)
      throw new LatchkeyError(whenRepeated, { detail: `two ${name} headers` });
    found = rawHeaders[index + 1];
  }
  return found;
}
