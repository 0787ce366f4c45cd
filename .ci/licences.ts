/**
 * Which licences the packages of production may have, as one list, and the pure judgement of an SPDX expression against it. A package outside
 * the list stands among the exceptions, by name and with its reason, or fails the build.
 */

/** Permissive, known, without a duty beyond keeping the notice. */
const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
]);

/** What a package that says nothing is listed under. */
const NOTHING = 'nothing';

/** By package and licence, with the reason why it may stay. */
const EXCEPTIONS: Readonly<Record<string, readonly [licence: string, reason: string]>> = {
  'caniuse-lite': [
    'CC-BY-4.0',
    'a table of browsers that the bundler of workflows reads; data, not code, passed on unchanged with its notice',
  ],
  unionfs: [NOTHING, 'its manifest is silent; the LICENSE file in it is the Unlicense'],
};

export interface Licensed {
  readonly name: string;
  readonly licence: string | undefined;
}

/** Answers one line a package that may not be here, and one an exception that nothing needs any more. */
export const judgeLicences = (packages: readonly Licensed[]): string[] => {
  const faults = packages.flatMap(({ name, licence }) => {
    if (EXCEPTIONS[name]?.[0] === (licence ?? NOTHING)) return [];
    if (licence === undefined) return [`${name} says nothing about its licence`];
    if (isAllowed(licence)) return [];
    return [`${name} is under ${licence}, which is not on the list`];
  });
  const needed = new Set(packages.map(({ name }) => name));
  const idle = Object.keys(EXCEPTIONS).filter((name) => !needed.has(name));
  return [...faults, ...idle.map((name) => `the exception for ${name} is for nothing`)];
};

/** SPDX 2.3 annex D as far as packages use it: OR, AND and brackets; of alternatives one is enough, of joined ones all are needed. */
export const isAllowed = (expression: string): boolean => {
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? [];
  const [verdict, rest] = readAlternatives(tokens);
  return rest.length === 0 && verdict;
};

type Reading = readonly [verdict: boolean, rest: readonly string[]];

const readAlternatives = (tokens: readonly string[]): Reading => {
  let [verdict, rest] = readJoined(tokens);
  while (rest[0] === 'OR') {
    const [next, after] = readJoined(rest.slice(1));
    [verdict, rest] = [verdict || next, after];
  }
  return [verdict, rest];
};

const readJoined = (tokens: readonly string[]): Reading => {
  let [verdict, rest] = readOne(tokens);
  while (rest[0] === 'AND') {
    const [next, after] = readOne(rest.slice(1));
    [verdict, rest] = [verdict && next, after];
  }
  return [verdict, rest];
};

const readOne = ([first, ...rest]: readonly string[]): Reading => {
  if (first !== '(') return [first !== undefined && ALLOWED.has(first), rest];
  const [verdict, after] = readAlternatives(rest);
  return after[0] === ')' ? [verdict, after.slice(1)] : [false, after];
};
