/**
 * JSON Canonicalization Scheme, RFC 8785: one byte sequence for equal values. Whatever Latchkey hashes or signs goes through here.
 */

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** @throws TypeError for what JSON cannot carry: NaN, Infinity, lone surrogates (RFC 8785 section 3.2.2). */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('a number outside JSON');
    return JSON.stringify(value);
  }
  if (typeof value === 'string') return canonicalString(value);
  if (value === null || typeof value === 'boolean') return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    // UTF-16 code units, RFC 8785 section 3.2.3: the default comparison, never a locale's.
    .sort()
    .map((name) => `${canonicalString(name)}:${canonicalJson(value[name] ?? null)}`);
  return `{${members.join(',')}}`;
}

// Array.isArray does not narrow a readonly array.
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function canonicalString(value: string): string {
  if (!value.isWellFormed()) throw new TypeError('a lone surrogate');
  return JSON.stringify(value);
}
