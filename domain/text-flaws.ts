/**
 * The flaws of a text that a person will read before he signs: it must look like what it is. Refused is what hides, reorders or imitates: control,
 * format and bidirectional characters, every space but a single plain one between words, piled up marks, private and unassigned characters,
 * forms that NFC or a compatibility decomposition would change, a text that mixes scripts (UTS 39 section 5.1, "single script", with the mixes
 * of its section 5.2 that East Asian writing needs) or digits of two systems (its section 5.3), and Latin letters that no name is written with.
 * A name wholly in another script that looks like a Latin one cannot be told from an honest one: the account beside it is what counts.
 */

/** Why a text is refused; a code for the one who sent it. */
export type TextFlaw =
  | 'empty'
  | 'too_long'
  | 'not_normalised'
  | 'invisible_character'
  | 'mixed_scripts'
  | 'mixed_digits'
  | 'rare_letter'
  | 'outer_space';

// Cc, Cf, Co, Cn, Cs, line and paragraph separators, every space but U+0020, fillers that draw nothing.
const INVISIBLE =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000\u115F\u1160\u3164\uFFA0\u2800]|\p{Default_Ignorable_Code_Point}/u;
/** Marks piled up hide what stands beside them. */
const PILED_MARKS = /\p{M}{4,}/u;

const SCRIPTS = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Armenian',
  'Hebrew',
  'Arabic',
  'Devanagari',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Tamil',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Sinhala',
  'Thai',
  'Lao',
  'Khmer',
  'Myanmar',
  'Georgian',
  'Ethiopic',
  'Hangul',
  'Han',
  'Hiragana',
  'Katakana',
  'Bopomofo',
] as const;
type Script = (typeof SCRIPTS)[number];

const OF_SCRIPT = SCRIPTS.map((script) => ({
  script,
  pattern: new RegExp(`\\p{Script=${script}}`, 'u'),
}));
/** Latin as names are written, African and Azerbaijani ones too: no phonetic signs and no clicks, which look like others. */
const LATIN_OF_NAMES =
  /[A-Za-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u017F\u0181\u0186\u018A\u018F\u0190\u0198\u0199\u01A0\u01A1\u01AF\u01B0\u01B3\u01B4\u01CD-\u01DC\u0218-\u021B\u0253\u0254\u0257\u0259\u025B\u1E00-\u1EFF]/u;
const PLAIN = /^[\x20-\x7E]*$/;
/** Of any script; marks, digits and punctuation are none. */
const LETTER = /\p{L}/u;
const WRITTEN_TOGETHER: readonly (readonly Script[])[] = [
  ['Han', 'Hiragana', 'Katakana', 'Latin'],
  ['Han', 'Hangul', 'Latin'],
  ['Han', 'Bopomofo', 'Latin'],
];

/** undefined: it may be shown as it is. `maxLength` in characters as a person counts them (code points). */
export function flawOf(text: string, maxLength: number): TextFlaw | undefined {
  if (text === '') return 'empty';
  if (text.length > 2 * maxLength || codePoints(text) > maxLength) return 'too_long';
  if (!text.isWellFormed() || INVISIBLE.test(text) || PILED_MARKS.test(text))
    return 'invisible_character';
  // Compatibility forms (full-width digits, mathematical letters) look like others: only what they leave alone is taken.
  if (text !== text.normalize('NFC') || text !== text.normalize('NFKC')) return 'not_normalised';
  if (text !== text.trim() || text.includes('  ')) return 'outer_space';
  if (PLAIN.test(text)) return undefined;
  if (!isOfOneScript(text)) return 'mixed_scripts';
  if (digitSystems(text) > 1) return 'mixed_digits';
  return hasRareLatin(text) ? 'rare_letter' : undefined;
}

/** Each system's ten digits stand in one row of sixteen. */
function digitSystems(text: string): number {
  const digits = text.match(/\p{Nd}/gu) ?? [];
  return new Set(digits.map((digit) => (digit.codePointAt(0) ?? 0) >> 4)).size;
}

function hasRareLatin(text: string): boolean {
  const latin = text.match(/\p{Script=Latin}/gu) ?? [];
  return latin.some((letter) => LETTER.test(letter) && !LATIN_OF_NAMES.test(letter));
}

/** Over the whole text, not word by word: a payee in two alphabets is one that imitates. A letter of a script that is not listed is refused too. */
function isOfOneScript(text: string): boolean {
  const found = new Set<Script>();
  for (const character of text) {
    const known = OF_SCRIPT.find(({ pattern }) => pattern.test(character));
    if (known !== undefined) found.add(known.script);
    else if (LETTER.test(character) && !/\p{Script=Common}|\p{Script=Inherited}/u.test(character))
      return false;
  }
  if (found.size <= 1) return true;
  return WRITTEN_TOGETHER.some((group) => [...found].every((script) => group.includes(script)));
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
