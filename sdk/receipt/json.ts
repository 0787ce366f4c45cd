/**
 * JSON of a stranger, read with limits: size, depth, and no member twice, because a reader's eye and a parser would each take another one of the
 * two. It never throws for what it cannot read.
 */
import canonicalize from 'canonicalize';
import { membersOf } from '../members.ts';

const MAX_CHARACTERS = 256 * 1024;
const MAX_DEPTH = 16;

export type JsonReading = { readonly value: unknown } | { readonly wrong: string };

export function readJson(text: string): JsonReading {
  if (text.length > MAX_CHARACTERS) return { wrong: 'It is larger than any receipt.' };
  const wrong = firstFault(text);
  if (wrong !== undefined) return { wrong };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { wrong: 'It is not JSON: a character is missing, or there is one too many.' };
  }
}

/** Of an object; none of anything else, and none of what cannot be read. */
export function membersIn(text: string): Readonly<Record<string, unknown>> {
  const read = readJson(text);
  return 'value' in read ? membersOf(read.value) : {};
}

/** RFC 8785. Only for what readJson() read. */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('a value of JSON');
  return text;
}

/** Depth and repeated names; whether it is JSON at all is the parser's to say. */
function firstFault(text: string): string | undefined {
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      const names = open.at(-1);
      if (names instanceof Set && isName(text, end)) {
        const name = nameOf(text.slice(at, end));
        if (names.has(name)) return `It says “${name.slice(0, 40)}” twice.`;
        names.add(name);
      }
      at = end - 1;
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : null);
      if (open.length > MAX_DEPTH) return 'It is nested deeper than any receipt.';
    } else if (character === '}' || character === ']') open.pop();
  }
  return undefined;
}

/** The place after the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, text.length);
}

function isName(text: string, end: number): boolean {
  let at = end;
  while (' \n\r\t'.includes(text[at] ?? 'x')) at += 1;
  return text[at] === ':';
}

/** With escapes undone, so that two spellings of one name are one. */
function nameOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}
