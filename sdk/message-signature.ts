/**
 * What a signed request signs, for both sides: HTTP message signatures (RFC 9421) over method, address, body (RFC 9530), token and proof, by the
 * session key. The two must never build it each in their own way.
 */
import { serializeInnerList } from 'structured-headers';
import type { InnerList } from 'structured-headers';

/** In this order. Whoever holds a signature holds it for this request, token and proof alone. */
export const SIGNED_COMPONENTS = [
  '@method',
  '@target-uri',
  'content-digest',
  'authorization',
  'dpop',
] as const;
export type SignedComponent = (typeof SIGNED_COMPONENTS)[number];

export const SIGNATURE_TAG = 'latchkey-request';
export const SIGNATURE_ALGORITHM = 'ecdsa-p256-sha256';
export const WEB_CRYPTO_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** RFC 9421 section 2.5; `values` are the components as they are sent. */
export function signatureBase(
  values: Readonly<Record<SignedComponent, string>>,
  parameters: InnerList,
): Uint8Array<ArrayBuffer> {
  const covered = parameters[0].map(([name]) => (typeof name === 'string' ? name : ''));
  const lines = covered.map((name) => `"${name}": ${valueOf(values, name)}`);
  lines.push(`"@signature-params": ${serializeInnerList(parameters)}`);
  return new TextEncoder().encode(lines.join('\n'));
}

function valueOf(values: Readonly<Record<SignedComponent, string>>, name: string): string {
  const component = SIGNED_COMPONENTS.find((known) => known === name);
  if (component === undefined) throw new TypeError(`${name} is not signed here`);
  return values[component].trim();
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}
