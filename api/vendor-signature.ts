/**
 * The signature of a vendor's webhook: `latchkey-signature: t=<unix seconds>,v1=<hex HMAC-SHA-256(secret, t + "." + raw body)>`. It covers
 * the bytes as they came, is good for five minutes, and is compared in constant time.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { LatchkeyError } from '../domain/errors.ts';
import type { AppDependencies } from './dependencies.ts';
import { singleHeader } from './headers.ts';

const TOLERANCE_SECONDS = 300;
const FORM = /^t=([0-9]{1,12}),v1=([0-9a-f]{64})$/;

/** @throws LatchkeyError signature_invalid */
export function verifyVendorSignature(
  request: FastifyRequest,
  { configuration, clock }: Pick<AppDependencies, 'configuration' | 'clock'>,
): void {
  const header = singleHeader(request, 'latchkey-signature', 'signature_invalid');
  const [, time, signature] = FORM.exec(header ?? '') ?? [];
  const { rawBody } = request.facts;
  if (time === undefined || signature === undefined || rawBody === undefined)
    throw new LatchkeyError('signature_invalid');
  if (Math.abs(clock.nowMs() / 1000 - Number(time)) > TOLERANCE_SECONDS)
    throw new LatchkeyError('signature_invalid');
  const expected = createHmac('sha256', configuration.identity.secret)
    .update(`${time}.`)
    .update(rawBody)
    .digest();
  if (!timingSafeEqual(Buffer.from(signature, 'hex'), expected))
    throw new LatchkeyError('signature_invalid');
}
