/**
 * Lists in pages: a limit, and a cursor that only this API reads. A cursor names where a page ended and grants nothing: what it leads to is
 * judged like any other request.
 */
import { Type, type Static } from 'typebox';
import { LatchkeyError } from '../domain/errors.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** Members of a query string come as text. */
export const PAGE_PARAMETERS = {
  limit: Type.Optional(
    Type.String({
      pattern: '^([1-9][0-9]?|100)$',
      description: `Entries a page, ${String(DEFAULT_LIMIT)} by default, ${String(MAX_LIMIT)} at most.`,
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_-]{1,128}$',
      description: '`next` of the page before.',
    }),
  ),
};
export const PageQuery = Type.Object(PAGE_PARAMETERS, { additionalProperties: false });

/** The last of every list's answer. */
export const NextCursor = Type.Union([Type.String(), Type.Null()], {
  description: 'Where the next page begins; null on the last.',
});

export interface PageAsked {
  /** The last entry of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
  /** What to read: one more tells whether there is a next page. */
  readonly readLimit: number;
}

/** @throws LatchkeyError invalid_request for a cursor that does not name an entry of that form. */
export function readPage(query: Static<typeof PageQuery>, entry: RegExp): PageAsked {
  const { limit: asked, cursor } = query;
  const limit = asked === undefined ? DEFAULT_LIMIT : Number(asked);
  const after =
    cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString('utf8');
  if (after !== undefined && !entry.test(after))
    throw new LatchkeyError('invalid_request', { detail: 'cursor' });
  return { after, limit, readLimit: limit + 1 };
}

/** One page of what was read with `readLimit`, and the cursor of the next. */
export function pageOf<Entry>(
  rows: readonly Entry[],
  { limit }: PageAsked,
  nameOf: (entry: Entry) => string,
): { readonly entries: readonly Entry[]; readonly next: string | null } {
  const entries = rows.slice(0, limit);
  const last = entries.at(-1);
  const next =
    rows.length > limit && last !== undefined
      ? Buffer.from(nameOf(last), 'utf8').toString('base64url')
      : null;
  return { entries, next };
}
