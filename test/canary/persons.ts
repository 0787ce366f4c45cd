/** People whose every detail can be recognised wherever it turns up. */
import { randomBytes, randomInt } from 'node:crypto';
import type { IdentityDetails } from '../../sdk/types.ts';
import type { Canary } from './needles.ts';

/** No vowels: no word and no name looks like it. */
const LETTERS = 'bcdfghjklmnpqrstvwxz';
const letters = (count: number): string =>
  Array.from({ length: count }, () => LETTERS[randomInt(LETTERS.length)]).join('');
const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);
const twoDigits = (number: number): string => String(number).padStart(2, '0');

/** With letters outside ASCII and a mark that JSON, URLs and HTML write in their own ways. */
export function makePerson(): IdentityDetails {
  const day = `${twoDigits(randomInt(1, 13))}-${twoDigits(randomInt(1, 29))}`;
  return {
    givenName: `${capital(letters(7))}é${letters(7)}`,
    familyName: `O'${capital(letters(8))}-Ü${letters(7)}`,
    birthDate: `${String(randomInt(1921, 1949))}-${day}`,
    documentNumber: `${letters(3).toUpperCase()}${String(randomInt(10_000_000, 99_999_999))}`,
  };
}

export function canariesOfPerson(person: IdentityDetails): Canary[] {
  return [
    { kind: 'name', value: person.givenName },
    { kind: 'name', value: person.familyName },
    { kind: 'birth date', value: person.birthDate },
    { kind: 'document number', value: person.documentNumber },
  ];
}

/** A key for the environment, and what to look for: the bytes, and the text that the environment holds. */
export function makeKey(kid: string): {
  readonly entry: string;
  readonly key: Buffer;
  readonly canaries: readonly Canary[];
} {
  const key = randomBytes(32);
  return {
    entry: `${kid}:${key.toString('base64')}`,
    key,
    canaries: [{ kind: 'key', value: key }],
  };
}

/** For the environment; holds no word that stands anywhere else. */
export const makeSecret = (): string => randomBytes(24).toString('base64url');
