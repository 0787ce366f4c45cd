/** A request as a service got it, read without doubt: each header once, the address as the client spelt it. */
import { Refusal } from './refusal.ts';
import type { RefusalCode } from './refusal.ts';

export interface ServiceRequest {
  readonly method: string;
  /** Raw path and query as they came: Node's `request.url`. */
  readonly target: string;
  /** Every value of each header, names in lower case: Node's `request.headersDistinct`, never `request.headers`, which hides a second one. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  /** The bytes that came; needed for signed requests that have any. */
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** undefined when it did not come. @throws Refusal when it came twice. */
export function singleHeader(
  { headers }: ServiceRequest,
  name: string,
  code: RefusalCode,
): string | undefined {
  const values = headers[name];
  if (values === undefined || values.length === 0) return undefined;
  if (values.length > 1) throw new Refusal(code, { detail: `two ${name}` });
  return values[0];
}

/** Where the client sent it, from the origin that the service was told; never from Host. @throws Refusal for an address that can be read in two ways. */
export function targetOf(origin: string, { target }: ServiceRequest): URL {
  const address = `${origin}${target}`;
  if (!target.startsWith('/') || !URL.canParse(address))
    throw new Refusal('dpop_proof_invalid', { detail: 'address' });
  const url = new URL(address);
  // Dot segments, backslashes and the like: the parser changed something that another server may leave as it is.
  if (url.href !== address) throw new Refusal('dpop_proof_invalid', { detail: 'address' });
  return url;
}
