/**
 * The strict reading of a compact JWS before any library sees it: three segments of canonical base64url. Without it the same token has
 * many spellings (padding, newline, other last character: SECURITY.md section 3), and a limit on length is a limit on work.
 */
const SEGMENT = /^[A-Za-z0-9_-]+$/;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

export interface CompactJws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
  /** The first two segments as they were sent, with their dot. */
  readonly signed: string;
  readonly signature: Uint8Array;
}

/** undefined for anything but canonical segments with JSON objects in the first two. The signature is not checked here. */
export function readCompactJws(token: string, maxLength: number): CompactJws | undefined {
  if (token.length > maxLength) return undefined;
  const segments = token.split('.');
  if (segments.length !== 3) return undefined;
  const [header, payload, signature] = segments.map(canonicalBytes);
  if (header === undefined || payload === undefined || signature === undefined) return undefined;
  const decodedHeader = decodeObject(header);
  const decodedPayload = decodeObject(payload);
  if (decodedHeader === undefined || decodedPayload === undefined) return undefined;
  const signed = token.slice(0, token.lastIndexOf('.'));
  return { header: decodedHeader, payload: decodedPayload, signed, signature };
}

/** undefined for any spelling but the one that encoding gives. */
function canonicalBytes(segment: string): Buffer | undefined {
  if (!SEGMENT.test(segment)) return undefined;
  const bytes = Buffer.from(segment, 'base64url');
  return bytes.toString('base64url') === segment ? bytes : undefined;
}

function decodeObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(UTF8.decode(bytes));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
