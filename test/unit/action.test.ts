import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actionSchemas } from '../../domain/action-types.ts';
import { canonicalAction, readAction } from '../../domain/action.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { minorUnits, normalAmount } from '../../domain/money.ts';

const PAYMENT = {
  type: 'payment',
  amount: '400.00',
  currency: 'NZD',
  payee: { name: 'Mere Kahu', account: '12-3456-7890123-00' },
  reference: 'Invoice 7',
};

function refusalOf(value: unknown): unknown {
  try {
    readAction(value);
    return 'taken';
  } catch (error) {
    return error instanceof LatchkeyError ? error.extra : error;
  }
}

const payeeNamed = (name: string) => ({ ...PAYMENT, payee: { ...PAYMENT.payee, name } });
const payeeAt = (account: string) => ({ ...PAYMENT, payee: { ...PAYMENT.payee, account } });

describe('an amount', () => {
  it.each([
    '-1.00',
    '+1.00',
    '1e3',
    '1E3',
    '0x10',
    '01.00',
    '1,00',
    '1.000',
    '1.',
    '.50',
    '1 000.00',
    ' 1.00',
    '1.00 ',
    '1234567890123',
    'NaN',
    'Infinity',
    '',
    '0',
    '0.00',
    '１.00',
    '٤٠',
    '1.00\n',
  ])('is refused as %j', (amount) => {
    expect(refusalOf({ ...PAYMENT, amount })).toEqual({ member: 'amount', why: 'not_an_amount' });
  });

  it.each([400, 0.1, null, true, ['400.00'], { value: '400.00' }])(
    'is refused when it is no text: %j',
    (amount) => {
      expect(refusalOf({ ...PAYMENT, amount })).toEqual({ member: 'amount', why: 'not_a_string' });
    },
  );

  it.each(['nzd', 'XYZ', 'ZZZ', 'NZ', '', 'BTC', 'toString', '__proto__'])(
    'is refused in a currency that is none: %j',
    (currency) => {
      expect(refusalOf({ ...PAYMENT, currency })).toEqual({
        member: 'amount',
        why: 'unknown_currency',
      });
    },
  );

  it('has the digits of its currency and no more', () => {
    expect(normalAmount('5', 'NZD')).toBe('5.00');
    expect(normalAmount('5.1', 'NZD')).toBe('5.10');
    expect(normalAmount('5', 'JPY')).toBe('5');
    expect(normalAmount('5.0', 'JPY')).toBeUndefined();
    expect(normalAmount('5.125', 'KWD')).toBe('5.125');
    expect(minorUnits('999999999999.99', 'NZD')).toBe(99_999_999_999_999n);
  });

  it('means the same in every spelling, and another amount never does', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 99_999_999_999n }),
        fc.bigInt({ min: 1n, max: 99_999_999_999n }),
        (one, other) => {
          const text = (minor: bigint) =>
            `${String(minor / 100n)}.${String(minor % 100n).padStart(2, '0')}`;
          const spellings = [text(one)];
          if (one % 10n === 0n) spellings.push(text(one).slice(0, -1));
          if (one % 100n === 0n) spellings.push(text(one).slice(0, -3));
          const forms = new Set(
            spellings.map((amount) => canonicalAction(readAction({ ...PAYMENT, amount }))),
          );
          expect(forms.size).toBe(1);
          expect(minorUnits(text(one), 'NZD')).toBe(one);
          const isSame = forms.has(
            canonicalAction(readAction({ ...PAYMENT, amount: text(other) })),
          );
          expect(isSame).toBe(one === other);
        },
      ),
    );
  });
});

describe('two spellings of one action', () => {
  it('are one text: order of members, escapes and zeroes do not count', () => {
    const other = JSON.parse(
      '{"reference":"Inv\\u006fice 7","payee":{"account":"12-3456-7890123-00","name":"Mere Kahu"},"currency":"NZD","amount":"400","type":"payment"}',
    ) as unknown;
    expect(canonicalAction(readAction(other))).toBe(canonicalAction(readAction(PAYMENT)));
  });

  it('stay two when anything a customer would read differs', () => {
    const texts = [
      PAYMENT,
      payeeNamed('Mere Kahū'),
      payeeNamed('Mere  Kahu'.replace('  ', ' ').toLowerCase()),
      payeeAt('12-3456-7890123-01'),
      { ...PAYMENT, currency: 'AUD' },
      { ...PAYMENT, reference: 'Invoice 8' },
      { ...PAYMENT, reference: undefined },
    ].map((action) => canonicalAction(readAction(action)));
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe('a text that will be read', () => {
  it.each([
    ['a Cyrillic letter among Latin ones', 'Mеre Kahu', 'mixed_scripts'],
    ['a Greek letter among Latin ones', 'Mere Καhu', 'mixed_scripts'],
    ['a bidirectional override', 'Mere \u202Euhak', 'invisible_character'],
    ['an isolate', 'Mere\u2066Kahu', 'invisible_character'],
    ['a zero-width space', 'Mere\u200BKahu', 'invisible_character'],
    ['a zero-width joiner', 'Mere\u200DKahu', 'invisible_character'],
    ['a soft hyphen', 'Mere\u00ADKahu', 'invisible_character'],
    ['a no-break space', 'Mere\u00A0Kahu', 'invisible_character'],
    ['a line of its own', 'Mere\nAmount: 1.00', 'invisible_character'],
    ['a tab', 'Mere\tKahu', 'invisible_character'],
    ['a NUL', 'Mere\u0000', 'invisible_character'],
    ['a lone surrogate', 'Mere \uD800', 'invisible_character'],
    ['a tag character', 'Mere\u{E0041}', 'invisible_character'],
    ['a Hangul filler', 'Mere\u3164Kahu', 'invisible_character'],
    ['a variation selector', 'Mere\uFE0F', 'invisible_character'],
    ['marks piled up', 'Me\u0316\u0317\u0318\u0319re', 'invisible_character'],
    ['a decomposed letter', 'Kahu\u0304', 'not_normalised'],
    ['full-width letters', 'Ｍｅｒｅ', 'not_normalised'],
    ['mathematical letters', '𝐌𝐞𝐫𝐞', 'not_normalised'],
    ['a ligature', 'ﬁnance', 'not_normalised'],
    ['a phonetic a', 'Mɑre Kahu', 'rare_letter'],
    ['a click for an l', 'Wiǀǀiam', 'rare_letter'],
    ['digits of two systems', 'شركة 3٣', 'mixed_digits'],
    ['a space before it', ' Mere', 'outer_space'],
    ['two spaces', 'Mere  Kahu', 'outer_space'],
    ['nothing', '', 'empty'],
    ['71 characters', 'x'.repeat(71), 'too_long'],
  ])('is refused with %s', (_, name, why) => {
    expect(refusalOf(payeeNamed(name))).toEqual({ member: 'payee.name', why });
  });

  it.each([
    'Zoë O’Brien-Müller',
    "D'Angelo & Søn",
    'Māori Trust №'.slice(0, 11),
    'Əliyev Ŋoma Ɗan',
    'Nguyễn Thị Hương',
    'Ştefan Țurcanu',
    'Ольга Иванова',
    'Γιώργος Παπαδόπουλος',
    '山田 太郎',
    'やまだ タロウ',
    '김철수',
    'شركة النور',
    'ธนาคาร กรุงเทพ',
    'Amt 3 #12/4 (A)',
  ])('is taken as people write it: %s', (name) => {
    expect(readAction(payeeNamed(name))).toMatchObject({ payee: { name } });
  });

  it('never holds what could break the line it stands in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (name) => {
        if (refusalOf(payeeNamed(name)) !== 'taken') return;
        expect(name).toBe(name.normalize('NFKC').trim());
        expect(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)).toBe(false);
      }),
    );
  });
});

describe('an action', () => {
  it.each([
    ['is no object', 'payment', { member: 'action', why: 'not_an_object' }],
    ['is a list', [PAYMENT], { member: 'action', why: 'not_an_object' }],
    ['is of no type', { ...PAYMENT, type: undefined }, { member: 'type', why: 'unknown_type' }],
    ['is of an inherited type', { type: 'toString' }, { member: 'type', why: 'unknown_type' }],
    ['lacks a member', { ...PAYMENT, payee: undefined }, { member: 'payee', why: 'missing' }],
    [
      'lacks a member further in',
      { ...PAYMENT, payee: { name: 'Mere' } },
      { member: 'payee.account', why: 'missing' },
    ],
    [
      'has a member too many',
      { ...PAYMENT, urgent: 'yes' },
      { member: 'urgent', why: 'unknown_member' },
    ],
    [
      'has one with a name that nobody should read',
      { ...PAYMENT, '<script>': 'x' },
      { member: '?', why: 'unknown_member' },
    ],
    [
      'has a text for an object',
      { ...PAYMENT, payee: 'Mere' },
      { member: 'payee', why: 'not_an_object' },
    ],
    ['has no account', payeeAt('12 3456'), { member: 'payee.account', why: 'not_an_account' }],
    [
      'has an IBAN with a digit wrong',
      payeeAt('DE89370400440532013001'),
      { member: 'payee.account', why: 'wrong_check_digits' },
    ],
    [
      'has a value that is not one of those',
      { type: 'change_contact', channel: 'fax', to: 'x' },
      { member: 'channel', why: 'unknown_value' },
    ],
  ])('is refused when it %s', (_, value, extra) => {
    expect(refusalOf(value)).toEqual(extra);
  });

  it('takes an IBAN whose digits are right', () => {
    expect(refusalOf(payeeAt('DE89370400440532013000'))).toBe('taken');
  });

  it('has its JSON Schema of each version in docs/actions: `npm run openapi` writes it', () => {
    const folder = new URL('../../docs/actions/', import.meta.url);
    const written = readdirSync(folder).map((name) => [
      name,
      readFileSync(new URL(name, folder), 'utf8'),
    ]);
    expect(written).toEqual(expect.arrayContaining(actionSchemas()));
  });

  it('has a JSON Schema for each type, which closes every object', () => {
    for (const [, schema] of actionSchemas()) {
      const objects = schema.match(/"type": "object"/g)?.length;
      expect(schema.match(/"additionalProperties": false/g)?.length).toBe(objects);
    }
  });
});
