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
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  );
  if (values.length > 1) throw new LatchkeyError(whenRepeated, { detail: `two ${name} headers` });
  return values[0];
}
