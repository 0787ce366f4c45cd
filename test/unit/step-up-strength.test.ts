import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAction } from '../../domain/action.ts';
import { currencyDigits, groupedAmount, minorUnits } from '../../domain/money.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import type { Policy } from '../../domain/policy.ts';
import { requiredStrength } from '../../domain/step-up-strength.ts';
import { displayOf, fieldsOf } from '../../domain/step-up-texts.ts';
import { CHALLENGE_LABEL, preimageText } from '../../domain/step-up-preimage.ts';

const payment = (amount: string, currency = 'NZD') =>
  readAction({
    type: 'payment',
    amount,
    currency,
    payee: { name: 'Mere Kahu', account: '12-3456-7890123-00' },
  });
const policy = DEFAULT_POLICY;
const strengthOf = (amount: string, extra: object = {}, currency = 'NZD') =>
  requiredStrength({
    action: payment(amount, currency),
    dayTotalMinor: minorUnits(amount, currency),
    policy,
    ...extra,
  }).required;
const ORDER = ['none', 'latchkey:3', 'latchkey:4'];

describe('what an amount needs', () => {
  it.each([
    ['40.00', 'none'],
    ['99.99', 'none'],
    ['100.00', 'latchkey:3'],
    ['400.00', 'latchkey:3'],
    ['9999.99', 'latchkey:3'],
    ['10000.00', 'latchkey:4'],
    ['40000.00', 'latchkey:4'],
  ])('of %s NZD alone is %s', (amount, required) => {
    expect(strengthOf(amount)).toBe(required);
  });

  it('counts the whole day: just below and just at the threshold', () => {
    expect(strengthOf('1.00', { dayTotalMinor: 29_999n })).toBe('none');
    expect(strengthOf('1.00', { dayTotalMinor: 30_000n })).toBe('latchkey:3');
    expect(strengthOf('1.00', { dayTotalMinor: 1_999_999n })).toBe('latchkey:3');
    expect(strengthOf('1.00', { dayTotalMinor: 2_000_000n })).toBe('latchkey:4');
  });

  it('is all there is in a currency without thresholds, and under a high risk', () => {
    expect(strengthOf('1.00', {}, 'CHF')).toBe('latchkey:4');
    expect(strengthOf('1.00', { risk: 'high' })).toBe('latchkey:4');
    expect(strengthOf('1.00', { risk: 'medium' })).toBe('none');
  });

  it('is at least passkey and approval key where no money moves', () => {
    const payee = { name: 'Mere Kahu', account: '12-3456-7890123-00' };
    const action = readAction({ type: 'add_payee', payee });
    expect(requiredStrength({ action, dayTotalMinor: 0n, policy }).required).toBe('latchkey:3');
  });

  it('never falls with more money, a longer day, a wish, a risk or a flag', () => {
    const strength = fc.constantFrom('latchkey:3' as const, 'latchkey:4' as const);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9_999_999 }),
        fc.integer({ min: 0, max: 9_999_999 }),
        fc.integer({ min: 0, max: 9_999_999 }),
        strength,
        (minor, more, before, atLeast) => {
          const text = (value: number) => (value / 100).toFixed(2);
          const question = (value: number, day: number) => ({
            action: payment(text(value)),
            dayTotalMinor: BigInt(day + value),
            policy,
          });
          const place = (asked: Parameters<typeof requiredStrength>[0]) =>
            ORDER.indexOf(requiredStrength(asked).required);
          const plain = place(question(minor, before));
          expect(place(question(minor + more, before))).toBeGreaterThanOrEqual(plain);
          expect(place(question(minor, before + more))).toBeGreaterThanOrEqual(plain);
          const raised = place({ ...question(minor, before), atLeast });
          expect(raised).toBe(Math.max(plain, ORDER.indexOf(atLeast)));
          expect(place({ ...question(minor, before), risk: 'high' })).toBe(2);
        },
      ),
    );
  });
});

describe('what a new limit needs', () => {
  const limitOf = (amount: string, currency = 'NZD', change: Partial<Policy['stepUp']> = {}) =>
    requiredStrength({
      action: readAction({ type: 'change_limits', limit: 'Payments', to: { amount, currency } }),
      dayTotalMinor: 0n,
      policy: { ...policy, stepUp: { ...policy.stepUp, ...change } },
    }).required;

  it.each([
    ['1.00', 'NZD', 'latchkey:3'],
    ['9999.99', 'NZD', 'latchkey:3'],
    ['10000.00', 'NZD', 'latchkey:4'],
    ['999999', 'JPY', 'latchkey:3'],
    ['1000000', 'JPY', 'latchkey:4'],
    ['1.00', 'CHF', 'latchkey:4'],
  ])('of %s %s is %s', (amount, currency, required) => {
    expect(limitOf(amount, currency)).toBe(required);
  });

  it('is what the day needs, where the day needs more than one payment', () => {
    const thresholds = {
      NZD: {
        passkeyFrom: '100.00',
        secondChannelFrom: '10000.00',
        dayPasskeyFrom: '100.00',
        daySecondChannelFrom: '5000.00',
      },
    };
    expect(limitOf('4999.99', 'NZD', { thresholds })).toBe('latchkey:3');
    expect(limitOf('5000.00', 'NZD', { thresholds })).toBe('latchkey:4');
  });

  it('cannot be had cheaper in steps: whoever gets there has shown the second channel', () => {
    const cents = fc.integer({ min: 1, max: 9_999_999 });
    fc.assert(
      fc.property(fc.array(cents, { maxLength: 12 }), cents, (steps, last) => {
        const path = [...steps, last];
        const needs = path.map((minor) => limitOf((minor / 100).toFixed(2)));
        const highest = Math.max(...path);
        expect(needs.includes('latchkey:4')).toBe(highest >= 1_000_000);
        // A payment of that much alone would need no more than the limit that lets it through.
        const one = strengthOf((last / 100).toFixed(2));
        expect(ORDER.indexOf(needs.at(-1) ?? '')).toBeGreaterThanOrEqual(ORDER.indexOf(one));
      }),
    );
  });
});

describe('what the device reports', () => {
  const quiet = { onCall: false, screenShared: false, accessibilityService: false };
  const delayOf = (context: typeof quiet, action = payment('400.00')) =>
    requiredStrength({ action, dayTotalMinor: 40_000n, policy, context }).delaySeconds;

  it.each(['onCall', 'screenShared', 'accessibilityService'] as const)(
    'delays a payment when %s is set',
    (flag) => {
      expect(delayOf(quiet)).toBe(0);
      expect(delayOf({ ...quiet, [flag]: true })).toBe(policy.stepUp.contextDelaySeconds);
    },
  );

  it('does not delay proving who is on the phone', () => {
    const call = readAction({ type: 'verified_call', agent: 'A-17', case: '4711' });
    expect(delayOf({ ...quiet, onCall: true }, call)).toBe(0);
  });
});

describe('the text of an action', () => {
  it('names amount and payee, and holds every part word for word', () => {
    const display = displayOf(payment('400'), 'en-NZ', 'Payments');
    expect(display).toEqual({
      locale: 'en',
      template: 'payment',
      version: 2,
      text: 'Pay 400.00 NZD to Mere Kahu\nAmount: 400.00 NZD\nTo: Mere Kahu\nAccount: 12-3456-7890123-00',
      fields: [
        { label: 'Amount', value: '400.00 NZD' },
        { label: 'To', value: 'Mere Kahu' },
        { label: 'Account', value: '12-3456-7890123-00' },
      ],
    });
  });

  it('is in the language asked for, and in English where there is none', () => {
    expect(displayOf(payment('400'), 'de-CH', 'Payments').text).toContain('an Mere Kahu zahlen');
    expect(displayOf(payment('400'), 'mi', 'Payments').locale).toBe('en');
    expect(displayOf(payment('400'), '__proto__', 'Payments').locale).toBe('en');
  });

  it.each([
    ['en', '40000', 'NZD', '40,000.00 NZD'],
    ['de', '40000', 'NZD', '40.000,00 NZD'],
    ['en', '123456789012.5', 'EUR', '123,456,789,012.50 EUR'],
    ['de', '123456789012.5', 'EUR', '123.456.789.012,50 EUR'],
    ['en', '999', 'JPY', '999 JPY'],
    ['en', '40000', 'JPY', '40,000 JPY'],
    ['de', '40000', 'JPY', '40.000 JPY'],
    ['en', '1234.5', 'KWD', '1,234.500 KWD'],
    ['de', '1.234', 'KWD', '1,234 KWD'],
  ])('writes an amount as its language does: %s %s %s', (language, amount, currency, written) => {
    const { text, fields } = displayOf(payment(amount, currency), language, 'Payments');
    expect(fields[0]?.value).toBe(written);
    expect(text.split('\n', 1)[0]).toContain(written);
  });

  it('writes a new limit in the same way', () => {
    const to = { amount: '40000', currency: 'NZD' };
    const action = readAction({ type: 'change_limits', limit: 'Payments a day', to });
    expect(displayOf(action, 'en', 'Cards').text).toBe(
      'Change your limit to 40,000.00 NZD\nLimit: Payments a day\nNew limit: 40,000.00 NZD',
    );
    expect(displayOf(action, 'de', 'Cards').text).toContain('auf 40.000,00 NZD ändern');
  });

  it('groups amounts only: a number in a name or an account stays as it was written', () => {
    const action = readAction({
      type: 'payment',
      amount: '1',
      currency: 'NZD',
      payee: { name: '40000 Club', account: '40000' },
      reference: '40000.00',
    });
    expect(displayOf(action, 'en', 'Payments').fields.map(({ value }) => value)).toEqual([
      '1.00 NZD',
      '40000 Club',
      '40000',
      '40000.00',
    ]);
  });

  it('has one meaning whichever language an amount is read in: its last digits are the currency’s', () => {
    const language = fc.constantFrom('en', 'de', 'ru', 'fr');
    const currency = fc.constantFrom('NZD', 'JPY', 'KWD');
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 999_999_999_999n }),
        currency,
        language,
        (minor, of, shownIn) => {
          const digits = currencyDigits(of) ?? 0;
          const plain = String(minor).padStart(digits + 1, '0');
          const amount =
            digits === 0 ? plain : `${plain.slice(0, -digits)}.${plain.slice(-digits)}`;
          const shown = groupedAmount(amount, shownIn);
          expect(shown).toMatch(/^[0-9]{1,3}([,.'][0-9]{3})*([,.][0-9]{2,3})?$/);
          expect(BigInt(shown.replaceAll(/[^0-9]/g, ''))).toBe(minor);
          // The sign before the currency's digits is no sign between thousands.
          const decimal = digits === 0 ? 'none' : shown.at(-digits - 1);
          const thousands = digits === 0 ? shown : shown.slice(0, -digits - 1);
          expect(thousands).not.toContain(decimal);
        },
      ),
    );
  });

  it('gives its parts back, whatever has become of its template', () => {
    const to = { amount: '40000', currency: 'NZD' };
    const odd = { name: 'Mere: Amount', account: '40000' };
    const actions = [
      payment('400'),
      readAction({ type: 'payment', ...to, payee: odd, reference: 'To: somebody' }),
      readAction({ type: 'change_limits', limit: 'Payments a day', to }),
    ];
    for (const action of actions) {
      const { text, fields } = displayOf(action, 'de', 'Payments');
      expect(fieldsOf(text)).toEqual(fields);
    }
    expect(fieldsOf('Pay 40000.00 NZD to Mere\nAmount: 40000.00 NZD')).toEqual([
      { label: 'Amount', value: '40000.00 NZD' },
    ]);
  });

  it('never reads a value as a template', () => {
    const action = readAction({ type: 'log_in', app: '{requester} {app}' });
    expect(displayOf(action, 'en', 'Payments').text).toBe(
      'Log in to {requester} {app}\nApp: {requester} {app}',
    );
  });
});

describe('the preimage', () => {
  it('is one text for one set of parts, under a label of its own', () => {
    const { fields: _fields, ...display } = displayOf(payment('400'), 'en', 'Payments');
    const parts = {
      tenant: 'ten_1',
      rpId: 'bank.example',
      stepUpId: 'cer_1',
      requester: { kind: 'client' as const, id: 'payments', name: 'Payments' },
      customer: 'cus_1',
      action: payment('400'),
      context: { onCall: false, screenShared: false, accessibilityService: false },
      display,
      policy: '1',
      epoch: 1,
      iat: 1,
      exp: 301,
      nonce: 'n',
    };
    expect(CHALLENGE_LABEL).toBe('latchkey/step-up/1\0');
    const text = preimageText(parts);
    expect(preimageText({ ...parts, action: payment('400.00') })).toBe(text);
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      'action',
      'alg',
      'context',
      'customer',
      'display',
      'epoch',
      'exp',
      'iat',
      'nonce',
      'policy',
      'requester',
      'rpId',
      'stepUpId',
      'tenant',
    ]);
  });
});
