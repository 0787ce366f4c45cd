import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAction } from '../../domain/action.ts';
import { minorUnits } from '../../domain/money.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import { requiredStrength } from '../../domain/step-up-strength.ts';
import { displayOf } from '../../domain/step-up-texts.ts';
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
      version: 1,
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
