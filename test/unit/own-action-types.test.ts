import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTenantFile } from '../../cli/tenant-file.ts';
import { canonicalAction } from '../../domain/action.ts';
import type { ActionType } from '../../domain/action-types.ts';
import { ACTION_TYPES } from '../../domain/action-types.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import {
  definitionFlaws,
  ownTypeOf,
  readOwnAction,
  typesOfAction,
} from '../../domain/own-action-types.ts';
import { displayOf } from '../../domain/step-up-texts.ts';

const coordinate = 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU';
const example = JSON.parse(
  readFileSync('ops/compose/tenant.example.json', 'utf8').replaceAll(
    'PUT-THE-PUBLIC-KEY-OF-YOUR-ENGINE-HERE',
    coordinate,
  ),
) as object;

const LOAN = {
  name: 'loan_payout',
  members: {
    amount: { kind: 'amount' },
    currency: { kind: 'currency' },
    to: { kind: 'object', members: { account: { kind: 'account' } } },
    note: { kind: 'text', maxLength: 40, isOptional: true },
  },
  templates: {
    en: {
      title: 'Pay out a loan of {amount} {currency}',
      fields: [
        { label: 'Amount', value: '{amount} {currency}' },
        { label: 'To', value: '{to.account}' },
        { label: 'Note', value: '{note}' },
      ],
    },
    ru: {
      title: 'Выдать кредит {amount} {currency}',
      fields: [
        { label: 'Сумма', value: '{amount} {currency}' },
        { label: 'Счёт (IBAN)', value: '{to.account}' },
        { label: 'Заметка', value: '{note}' },
      ],
    },
  },
} as const;
const V1: ActionType = { version: 1, members: LOAN.members, templates: LOAN.templates };
/** Asks for one thing more. */
const V2: ActionType = {
  version: 2,
  members: { ...LOAN.members, branch: { kind: 'text', maxLength: 20 } },
  templates: {
    en: { title: 'Pay out a loan at {branch}', fields: [{ label: 'Branch', value: '{branch}' }] },
  },
};
const PAYOUT = { type: 'loan_payout', amount: '400', currency: 'NZD', to: { account: 'ACC-1' } };

const withTypes = (actionTypes: unknown) =>
  readTenantFile(JSON.stringify({ ...example, actionTypes }));
const changed = (change: object) => [{ ...LOAN, ...change }];
const withTemplate = (change: object) =>
  changed({ templates: { en: { ...LOAN.templates.en, ...change } } });

describe("a tenant's own type of action", () => {
  test('stands in its file, in several languages', () => {
    expect(withTypes([LOAN]).actionTypes).toStrictEqual([LOAN]);
    expect(definitionFlaws(LOAN.name, LOAN)).toStrictEqual([]);
  });

  const members = (change: object) => changed({ members: { ...LOAN.members, ...change } });
  test.each([
    ['the name of a built-in one', changed({ name: 'payment' }), 'a built-in type'],
    ['the name of what every object has', changed({ name: 'toString' }), '/actionTypes'],
    ['a name of another form', changed({ name: 'Loan Payout' }), '/actionTypes'],
    ['no members', changed({ members: {} }), '1 to 30 members'],
    ['a member that is the type', members({ type: { kind: 'account' } }), '`type` is no member'],
    ['a member called requester', members({ requester: { kind: 'account' } }), '`requester`'],
    ['a member that every object has', members({ valueOf: { kind: 'account' } }), 'every object'],
    ['a member nobody shows', members({ fee: { kind: 'account' } }), 'that no field shows'],
    ['a member of an unknown kind', members({ fee: { kind: 'number' } }), '/actionTypes'],
    ['a text without end', members({ x: { kind: 'text', maxLength: 1e6 } }), '/actionTypes'],
    [
      'money under another name, which no threshold would see',
      members({ total: { kind: 'amount' } }),
      'an amount is called `amount`',
    ],
    [
      'an amount that is a text, which no threshold would see',
      members({ amount: { kind: 'text', maxLength: 20 } }),
      'an amount is called `amount`',
    ],
    [
      'money in an object, which no threshold would see',
      members({
        fee: {
          kind: 'object',
          members: { amount: { kind: 'amount' }, currency: { kind: 'currency' } },
        },
      }),
      'an amount stands at the top',
    ],
    [
      'an amount of no currency',
      changed({ members: { ...LOAN.members, currency: { kind: 'text', maxLength: 3 } } }),
      'needs the member `currency`',
    ],
    [
      'objects in objects',
      members({ a: { kind: 'object', members: LOAN.members } }),
      '/actionTypes',
    ],
    ['no English text', changed({ templates: { ru: LOAN.templates.ru } }), '/actionTypes'],
    [
      'a language of another form',
      changed({ templates: { ...LOAN.templates, 'en-NZ': LOAN.templates.en } }),
      '/actionTypes',
    ],
    ['a place that names nothing', withTemplate({ title: 'To {payee}' }), 'names no member'],
    ['a title without its value', withTemplate({ title: 'For {note}' }), 'optional member'],
    ['a brace left over', withTemplate({ title: 'Pay {amount' }), 'a brace'],
    ['a text that hides', withTemplate({ title: 'Pay\u202E out' }), 'hide or imitate'],
    ['two of one name', [LOAN, LOAN], 'two of one name'],
    ['a member too many', changed({ schema: {} }), '/actionTypes'],
    ['no list', {}, '/actionTypes'],
  ])('is refused with %s', (_what, actionTypes, why) => {
    expect(() => withTypes(actionTypes)).toThrow(why);
  });

  test('is looked for only when no built-in one has that name', () => {
    for (const type of Object.keys(ACTION_TYPES)) expect(ownTypeOf({ type })).toBeUndefined();
    for (const value of [null, 'payment', 5, [], {}, { type: 5 }])
      expect(ownTypeOf(value)).toBeUndefined();
    expect(ownTypeOf(PAYOUT)).toBe('loan_payout');
  });

  test('holds its amounts to the rules of the built-in ones', () => {
    const read = (amount: unknown) => () => readOwnAction({ ...PAYOUT, amount }, LOAN.name, [V1]);
    for (const amount of ['-1', '1e3', '0', '1.234', 400, '１', '1234567890123'])
      expect(read(amount)).toThrow(LatchkeyError);
    const digits = fc.integer({ min: 1, max: 9_999_999 });
    fc.assert(
      fc.property(digits, (whole) => {
        const spelt = [String(whole), `${String(whole)}.0`, `${String(whole)}.00`].map((amount) =>
          canonicalAction(read(amount)()),
        );
        expect(new Set(spelt).size).toBe(1);
      }),
    );
  });
});

describe('a type of several versions', () => {
  test('reads a new action by its newest, and one from before by an older one', () => {
    const versions = [V2, V1];
    const before = readOwnAction(PAYOUT, LOAN.name, versions);
    expect(before).toStrictEqual({ ...PAYOUT, amount: '400.00' });
    const after = readOwnAction({ ...PAYOUT, branch: 'Lower Hutt' }, LOAN.name, versions);
    expect(displayOf(before, 'ru', 'Loans', typesOfAction(before, versions))).toMatchObject({
      version: 1,
      locale: 'ru',
    });
    expect(displayOf(after, 'ru', 'Loans', typesOfAction(after, versions))).toMatchObject({
      version: 2,
      text: 'Pay out a loan at Lower Hutt\nBranch: Lower Hutt',
    });
  });

  test('says what is wrong as its newest one sees it', () => {
    const refused = () => readOwnAction({ ...PAYOUT, amount: '-1' }, LOAN.name, [V2, V1]);
    expect(refused).toThrow(
      expect.objectContaining({ extra: { member: 'amount', why: 'not_an_amount' } }),
    );
  });

  test('is unknown when it has none', () => {
    expect(() => readOwnAction(PAYOUT, LOAN.name, [])).toThrow(
      expect.objectContaining({ extra: { member: 'type', why: 'unknown_type' } }),
    );
    expect(typesOfAction({ type: 'loan_payout' }, [])).toStrictEqual({});
  });
});
