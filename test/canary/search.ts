/**
 * Looks for every needle in every haystack in one pass. It must find the same thing whatever stands around it; what is allowed to be
 * found is judged elsewhere.
 */
import type { CanaryKind, Needle } from './needles.ts';

/** Where something was collected from. */
export type Sink =
  | 'history'
  | 'visibility'
  | 'Temporal’s files'
  | 'log'
  | 'column'
  | 'PostgreSQL’s files'
  | 'span'
  | 'metric'
  | 'URL'
  | 'header'
  | 'body'
  | 'command line'
  | 'message';

export interface Haystack {
  readonly sink: Sink;
  /** The place in the sink: a workflow, a column, an operation. */
  readonly where: string;
  readonly bytes: Buffer;
}

export interface Finding {
  readonly kind: CanaryKind;
  readonly sink: Sink;
  readonly where: string;
  readonly encoding: string;
  /** What stands around it, for whoever looks for the cause. */
  readonly around: string;
}

const KEY_BYTES = 6;
const FILTER_BITS = 22;
const AROUND = 60;

export interface Search {
  /** Each needle once a haystack. */
  find(haystack: Haystack): Finding[];
}

export function createSearch(needles: readonly Needle[]): Search {
  const byStart = indexByStart(needles);
  const digits = indexByStart(needles.filter(({ isDigits }) => isDigits));
  return {
    find: (haystack) => {
      const found = scan(haystack.bytes, byStart);
      const joined = scan(withoutSeparators(haystack.bytes), digits);
      const separated = joined.filter(({ needle }) => !found.some((one) => one.needle === needle));
      return [
        ...found.map(({ needle, around }) => describe(haystack, needle, needle.encoding, around)),
        ...separated.map(({ needle, around }) =>
          describe(haystack, needle, 'digits apart', around),
        ),
      ];
    },
  };
}

function describe(
  { sink, where }: Haystack,
  { kind }: Needle,
  encoding: string,
  around: string,
): Finding {
  return { kind, sink, where, encoding, around };
}

interface Index {
  /** Whether any needle begins with bytes of this hash: almost always not. */
  readonly filter: Uint8Array;
  readonly byStart: ReadonlyMap<string, readonly Needle[]>;
}

function indexByStart(needles: readonly Needle[]): Index {
  const filter = new Uint8Array(2 ** FILTER_BITS);
  const byStart = new Map<string, Needle[]>();
  for (const needle of needles) {
    filter[hashAt(needle.bytes, 0)] = 1;
    const start = needle.bytes.toString('latin1', 0, KEY_BYTES);
    byStart.set(start, [...(byStart.get(start) ?? []), needle]);
  }
  return { filter, byStart };
}

interface Hit {
  readonly needle: Needle;
  readonly around: string;
}

function scan(bytes: Buffer, { filter, byStart }: Index): Hit[] {
  const hits = new Map<Needle, Hit>();
  for (let at = 0; at + KEY_BYTES <= bytes.length; at += 1) {
    if (filter[hashAt(bytes, at)] === 0) continue;
    for (const needle of byStart.get(bytes.toString('latin1', at, at + KEY_BYTES)) ?? []) {
      const end = at + needle.bytes.length;
      if (
        hits.has(needle) ||
        bytes.compare(needle.bytes, 0, needle.bytes.length, at, Math.min(end, bytes.length)) !== 0
      )
        continue;
      if (needle.isBounded && (isWord(bytes[at - 1]) || isWord(bytes[end]))) continue;
      const around = bytes.toString('utf8', Math.max(0, at - AROUND), end + AROUND);
      hits.set(needle, { needle, around });
    }
  }
  return [...hits.values()];
}

/** Of the first four bytes. */
function hashAt(bytes: Buffer, at: number): number {
  const word =
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24);
  return Math.imul(word, 0x9e37_79b1) >>> (32 - FILTER_BITS);
}

function isWord(byte: number | undefined): boolean {
  return byte !== undefined && /[0-9A-Za-z]/.test(String.fromCharCode(byte));
}

/** `+44 7720 123-456` as `+447720123456`, also where the separators are percent-encoded. */
function withoutSeparators(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  return Buffer.from(
    text.replaceAll(/(?<=\d)(?:[ \-./()_]|%20|%2D|\u00a0){1,2}(?=\d)/g, ''),
    'latin1',
  );
}
