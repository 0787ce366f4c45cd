/**
 * PostgreSQL's text[] as the driver sends and gets it (PostgreSQL manual, section 8.15). The driver would ask each new connection for all array
 * types by itself, in a promise that nobody awaits: a server lost at that moment ends the process. So it is not asked, and this is what it needs.
 */

/** As `{"a","b \"c\"",NULL}`: every element is quoted. */
export function formatTextArray(texts: readonly (string | null)[]): string {
  const element = (text: string | null) =>
    text === null ? 'NULL' : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return `{${texts.map(element).join(',')}}`;
}

/** One element and what ends it: a quoted text with its escapes, or a bare one. */
const ELEMENT = /(?:"((?:[^"\\]|\\.)*)"|([^{},"]+))[,}]/gsy;

/** @throws TypeError for an array of arrays: no column of ours holds one. */
export function parseTextArray(array: string): (string | null)[] {
  if (array === '{}') return [];
  const texts: (string | null)[] = [];
  ELEMENT.lastIndex = 1;
  while (ELEMENT.lastIndex < array.length) {
    const [, quoted, bare] = ELEMENT.exec(array) ?? [];
    if (quoted !== undefined) texts.push(quoted.replaceAll(/\\(.)/gs, '$1'));
    else if (bare !== undefined) texts.push(bare === 'NULL' ? null : bare);
    else throw new TypeError('that is no text[] of one dimension');
  }
  return texts;
}
