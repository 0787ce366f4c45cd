/**
 * Where a request comes from, as coarsely as a trusted proxy says it (a city and a country). Without the header's name in the configuration,
 * and of anything that did not come through such a proxy, the place is unknown: what a client says of itself must never be shown as one.
 */
import type { FastifyRequest } from 'fastify';
import type { ApiConfiguration } from '../dependencies.ts';

const MAX_LENGTH = 64;

export function placeOf(
  request: Pick<FastifyRequest, 'headers' | 'ips'>,
  { placeHeader }: ApiConfiguration['http'],
): string | undefined {
  if (placeHeader === undefined) return undefined;
  // Longer than one only where the nearest hop is a trusted proxy that named whom it speaks for.
  if ((request.ips?.length ?? 0) < 2) return undefined;
  const said = request.headers[placeHeader];
  if (typeof said !== 'string') return undefined;
  // Node reads header bytes as Latin-1; proxies send UTF-8.
  const place = Buffer.from(said, 'latin1').toString('utf8').trim();
  const isPlain = /^[\p{L}\p{M}\p{N} .,'’()-]+$/u.test(place);
  return isPlain && place.length <= MAX_LENGTH ? place : undefined;
}
