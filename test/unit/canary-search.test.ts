/** The detectors of the canary test: every form of every kind of secret is found when it is planted, and nothing is found where nothing is. */
import { describe, expect, test } from 'vitest';
import { ALLOWED, judge } from '../canary/allowed.ts';
import { needlesOf } from '../canary/needles.ts';
import type { Canary } from '../canary/needles.ts';
import { createSearch } from '../canary/search.ts';
import type { Finding, Sink } from '../canary/search.ts';

const NAME = 'Zoqvxétrwkzal';
const KEY = Buffer.from('8b1d3d05d5a8bfae6f0c8f0e3a7a7c5be2d6b6a1b0a94b4e9aa4be2f4f6d2c11', 'hex');
const CANARIES: readonly Canary[] = [
  { kind: 'phone', value: '+447720123987' },
  { kind: 'email', value: 'qvxzkw.trnplm@example.test' },
  { kind: 'name', value: NAME },
  { kind: 'birth date', value: '1931-07-19' },
  { kind: 'document number', value: 'QX48812Z7' },
  { kind: 'one-time code', value: '4820193857' },
  { kind: 'access token', value: `${'e'.repeat(30)}.${'Q7x'.repeat(20)}.${'Zk_9'.repeat(20)}` },
  {
    kind: 'refresh token',
    value: `lr1.ses_${'0'.repeat(32)}.3.k1.${'Ab-4'.repeat(11)}.${'y_8'.repeat(7)}q`,
  },
  { kind: 'key', value: KEY },
];
const search = createSearch(CANARIES.flatMap(needlesOf));

function find(text: string | Buffer, sink: Sink = 'log'): Finding[] {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  return search.find({ sink, where: 'here', bytes });
}
const kinds = (text: string | Buffer) => [...new Set(find(text).map(({ kind }) => kind))];

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');
const hex = (text: string) => Buffer.from(text, 'utf8').toString('hex');

describe('the search for canaries', () => {
  test.each([
    ['a phone number', 'phone', 'to +447720123987!'],
    ['a national number', 'phone', 'to 07720123987'],
    ['a number in groups', 'phone', '+44 7720 123-987'],
    ['a number with escaped blanks', 'phone', 'q=%2B44%207720%20123987'],
    ['a number in a URL', 'phone', '/x?phone=%2B447720123987'],
    ['a number in hex', 'phone', hex('+447720123987')],
    ['a number in Base64 of JSON', 'phone', base64('{"phone":"+447720123987"}')],
    ['a number in UTF-16', 'phone', Buffer.from('+447720123987', 'utf16le')],
    ['an address', 'email', '<qvxzkw.trnplm@example.test>'],
    ['an address in capitals', 'email', 'QVXZKW.TRNPLM@EXAMPLE.TEST'],
    ['an address in a URL', 'email', 'qvxzkw.trnplm%40example.test'],
    ['an address with escaped marks', 'email', 'qvxzkw.trnplm\\u0040example.test'],
    ['a name', 'name', `Dear ${NAME}`],
    ['a name in lower case', 'name', NAME.toLowerCase()],
    ['a name in capitals', 'name', NAME.toUpperCase()],
    ['a name in ASCII JSON', 'name', '"Zoqvx\\u00e9trwkzal"'],
    ['a name percent-encoded', 'name', encodeURIComponent(NAME)],
    ['a name decomposed', 'name', NAME.normalize('NFD')],
    ['a name in Latin 1', 'name', Buffer.from(NAME, 'latin1')],
    ['half a name', 'name', 'Zoqvx? trwkzal'],
    ['a date of birth', 'birth date', '1931-07-19'],
    ['a date of birth as a German writes it', 'birth date', 'geb. 19.07.1931'],
    ['a date of birth as an American writes it', 'birth date', '07/19/1931'],
    ['a compact date of birth', 'birth date', 'born 19310719,'],
    ['a date of birth as milliseconds', 'birth date', `{"at":${String(Date.parse('1931-07-19'))}}`],
    ['a document number', 'document number', 'no. QX48812Z7'],
    ['a document number in lower case', 'document number', 'qx48812z7'],
    ['a code', 'one-time code', '{"code":4820193857}'],
    ['a code in groups', 'one-time code', '48201 93857'],
    ['a code in Base64', 'one-time code', base64('4820193857')],
    ['an access token', 'access token', `Bearer ${'Q7x'.repeat(20)}`],
    ['the beginning of a token', 'access token', `${'Q7x'.repeat(8)}…`],
    ['the end of a token', 'access token', `…${'Zk_9'.repeat(6)}`],
    ['a refresh token', 'refresh token', `token=${'Ab-4'.repeat(11)}`],
    ['a key', 'key', Buffer.concat([Buffer.from('k='), KEY])],
    ['a key in hex', 'key', `\\x${KEY.toString('hex')}`],
    ['a key in Base64', 'key', KEY.toString('base64')],
    ['a key in Base64url', 'key', KEY.toString('base64url')],
    ['a key as JSON of a Buffer', 'key', JSON.stringify({ key: KEY })],
    ['a key as JSON of bytes', 'key', JSON.stringify({ key: new Uint8Array(KEY) })],
  ] as const)('finds %s', (_what, kind, planted) => {
    expect(kinds(planted)).toEqual([kind]);
  });

  test.each([0, 1, 2, 3, 4, 5])('finds it in Base64 whatever the %i bytes before it', (before) => {
    for (const { kind, value } of CANARIES.slice(0, 4)) {
      const text = `${'x'.repeat(before)}${String(value)} and more`;
      expect(kinds(base64(text))).toEqual([kind]);
      expect(kinds(Buffer.from(text).toString('base64url'))).toEqual([kind]);
    }
  });

  test('finds it at the very beginning and the very end', () => {
    expect(kinds('4820193857')).toEqual(['one-time code']);
    expect(kinds(`${'x'.repeat(100_000)}4820193857`)).toEqual(['one-time code']);
  });

  test('finds each once, with the place and what stands around it', () => {
    const [finding, ...more] = find('no 4820193857, no 4820193857', 'column');
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ sink: 'column', where: 'here', encoding: 'plain' });
    expect(finding?.around).toContain('no 4820193857');
  });

  test('finds nothing where nothing was planted', () => {
    expect(
      find('{"time":1763838123456,"id":"cer_0192f0c19310719","at":"2026-11-22T19:31:07.193Z"}'),
    ).toEqual([]);
    expect(find(Buffer.from([...Array(4096).keys()].map((number) => number % 256)))).toEqual([]);
  });

  test('a date without marks counts only where it stands alone', () => {
    expect(find('a19310719b')).toEqual([]);
    expect(kinds('"19310719"')).toEqual(['birth date']);
  });

  test('refuses what is too short to be told from chance', () => {
    expect(() => needlesOf({ kind: 'one-time code', value: '123456' })).toThrow(TypeError);
    expect(() => needlesOf({ kind: 'name', value: 'Ada' })).toThrow(TypeError);
    expect(() => needlesOf({ kind: 'key', value: new Uint8Array(8) })).toThrow(TypeError);
  });
});

describe('the table of what may stand where', () => {
  const finding: Finding = {
    kind: 'refresh token',
    sink: 'body',
    where: 'POST /oauth/token 200',
    encoding: 'plain',
    around: '',
  };

  test('allows a grant its token, in its body alone', () => {
    expect(judge([finding]).leaks).toEqual([]);
    for (const leak of [
      { ...finding, sink: 'header' },
      { ...finding, where: 'GET /auth/me 200' },
      { ...finding, where: 'POST /oauth/token 400' },
      { ...finding, kind: 'one-time code' },
    ] as const)
      expect(judge([leak]).leaks).toEqual([leak]);
  });

  test('allows nothing in a history, a log, a column, a span or a metric', () => {
    const sinks = ALLOWED.map(({ sink }) => sink);
    expect(sinks.filter((sink) => !['message', 'body', 'header', 'URL'].includes(sink))).toEqual(
      [],
    );
  });

  test('names a row that nothing needs any more', () => {
    expect(judge([finding]).unused.map(({ kinds: [kind] }) => kind)).not.toContain('refresh token');
    expect(judge([]).unused).toEqual(ALLOWED);
  });
});
