/**
 * How bodies are read: JSON and, for OAuth's endpoints, forms. They reject, they do not repair: no other type, no bad UTF-8, no poisoned
 * prototypes, no deep nesting, no repeated form field.
 */
import { LatchkeyError } from '../../domain/errors.ts';
import { isRecord } from '../proofs/compact-jws.ts';
import type { LatchkeyApp } from '../types.ts';

const MAX_JSON_DEPTH = 16;
const MAX_FORM_FIELDS = 32;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Takes the place of Fastify's own parsers for JSON and plain text. */
export function useStrictJson(app: LatchkeyApp): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(
    /^application\/json(?:\s*;|$)/i,
    { parseAs: 'buffer' },
    (request, body, done) => {
      request.facts.rawBody = body;
      const text = decodeUtf8(body);
      if (text === undefined || isTooDeep(text)) {
        done(new LatchkeyError('malformed_body'));
        return;
      }
      // An operation without a body takes none; `{}` is one.
      // With a callback it answers by that alone.
      void parseJson(request, text, (error: Error | null, value?: unknown) => {
        if (error !== null) done(error);
        else if (isPlain(value)) done(null, value);
        else done(new LatchkeyError('invalid_request', { detail: 'text' }));
      });
    },
  );
}

/** For a scope with OAuth's endpoints alone. RFC 6749 section 3.2: parameters must not be repeated. */
export function useForms(app: LatchkeyApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(
    /^application\/x-www-form-urlencoded(?:\s*;|$)/i,
    { parseAs: 'buffer' },
    (_request, body, done) => {
      const text = decodeUtf8(body);
      const fields = text === undefined ? undefined : readForm(text);
      if (fields === undefined) done(new LatchkeyError('invalid_request', { detail: 'form' }));
      else done(null, fields);
    },
  );
}

function readForm(text: string): Record<string, string> | undefined {
  const entries = [...new URLSearchParams(text)];
  const fields = new Map(entries);
  if (entries.length > MAX_FORM_FIELDS || fields.size !== entries.length) return undefined;
  if (entries.some(([name, value]) => name === '__proto__' || value.includes('\0')))
    return undefined;
  return Object.fromEntries(fields);
}

function decodeUtf8(body: Buffer): string | undefined {
  try {
    return UTF8.decode(body);
  } catch {
    return undefined;
  }
}

/** No NUL, which PostgreSQL's text cannot hold, and no half of a surrogate pair, which no UTF-8 can; in names and values. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (Array.isArray(value)) return value.every(isPlain);
  if (!isRecord(value)) return true;
  return Object.entries(value).every(([name, member]) => isPlain(name) && isPlain(member));
}

/** Counted before parsing: what walks a value recursively must not run out of stack. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (isInString) {
      if (character === '\\') index += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{' || character === '[') {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) return true;
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return false;
}
