/**
 * The strict reading of a compact JWS before any library sees it: three segments of canonical base64url. Without it the same token has
 * many spellings (padding, newline, other last character: SECURITY.md section 3), and a limit on length is a limit on work.
 */
const SEGMENT = /^[A-Za-z0-9_-]+$/;

export interface CompactJws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** undefined for anything but canonical segments with JSON objects in the first two. The signature is not checked here. */
export function readCompactJws(token: string, maxLength: number): CompactJws | undefined {
  if (token.length > maxLength) return undefined;
  const segments = token.split('.');
  const [header, payload] = segments;
  if (segments.length !== 3 || header === undefined || payload === undefined) return undefined;
  if (!segments.every(isCanonical)) return undefined;
  const decodedHeader = decodeObject(header);
  const decodedPayload = decodeObject(payload);
  return decodedHeader === undefined || decodedPayload === undefined
    ? undefined
    : { header: decodedHeader, payload: decodedPayload };
}

function isCanonical(segment: string): boolean {
  return (
    SEGMENT.test(segment) && Buffer.from(segment, 'base64url').toString('base64url') === segment
  );
}

function decodeObject(segment: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      Buffer.from(segment, 'base64url'),
    );
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
