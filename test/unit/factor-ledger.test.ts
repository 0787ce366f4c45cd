import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  FACTOR_METHODS,
  factorStrength,
  missingFactors,
  type Factor,
  type FactorMethod,
} from '../../domain/factor-ledger.ts';

const METHODS = Object.keys(FACTOR_METHODS) as FactorMethod[];
const ONE = { identityStrength: 3, contacts: 1 } as const;
const TWO = { identityStrength: 3, contacts: 2 } as const;

function factor(method: FactorMethod, changes: Partial<Factor> = {}): Factor {
  return {
    method,
    handset: null,
    epoch: 1,
    isOnReportedHandset: false,
    isConfirmedBySecondPerson: false,
    ...changes,
  };
}

describe('a ledger', () => {
  it('lacks everything while it is empty', () => {
    expect(missingFactors([], ONE, 1)).toEqual(['contact', 'identity']);
    expect(missingFactors([], TWO, 1)).toEqual(['contact', 'second_contact', 'identity']);
  });

  it('suffices with a contact and the person', () => {
    expect(missingFactors([factor('email_link'), factor('liveness')], ONE, 1)).toEqual([]);
  });

  it.each(['sms_code', 'sms_link', 'call_back'] as const)(
    'counts one channel once: a code by SMS and %s are one contact',
    (method) => {
      const factors = [factor('sms_code', { handset: 'a' }), factor(method, { handset: 'b' })];
      expect(missingFactors([...factors, factor('liveness')], TWO, 1)).toEqual(['second_contact']);
      expect(
        missingFactors([...factors, factor('email_code'), factor('liveness')], TWO, 1),
      ).toEqual([]);
    },
  );

  it('counts one handset once: its number and its app are one contact', () => {
    const onOne = [
      factor('sms_code', { handset: 'dev' }),
      factor('passkey', { handset: 'dev' }),
      factor('liveness'),
    ];
    expect(missingFactors(onOne, TWO, 1)).toEqual(['second_contact']);
    const onTwo = [
      ...onOne.slice(0, 1),
      factor('passkey', { handset: 'other' }),
      ...onOne.slice(2),
    ];
    expect(missingFactors(onTwo, TWO, 1)).toEqual([]);
  });

  it('counts no contact that lives on the handset of the very proof of the person', () => {
    const factors = [
      factor('sms_code', { handset: 'phone' }),
      factor('liveness', { handset: 'phone' }),
    ];
    expect(missingFactors(factors, ONE, 1)).toEqual(['contact']);
  });

  it('counts nothing that reaches the phone that was reported', () => {
    const factors = [factor('sms_code', { isOnReportedHandset: true }), factor('liveness')];
    expect(missingFactors(factors, ONE, 1)).toEqual(['contact']);
  });

  it('asks for the person anew under a new epoch, and keeps the contacts', () => {
    const factors = [factor('email_link'), factor('liveness')];
    expect(missingFactors(factors, ONE, 2)).toEqual(['identity']);
    expect(missingFactors([...factors, factor('liveness', { epoch: 2 })], ONE, 2)).toEqual([]);
  });

  it.each(['video', 'document'] as const)(
    'takes %s for the person only when a second one has confirmed it',
    (method) => {
      const contact = factor('email_link');
      expect(missingFactors([contact, factor(method)], ONE, 1)).toEqual(['identity']);
      const confirmed = factor(method, { isConfirmedBySecondPerson: true });
      expect(missingFactors([contact, confirmed], ONE, 1)).toEqual([]);
    },
  );

  it('takes what was seen in a branch for the second contact beside the person, and for none of one that is needed', () => {
    const seen = factor('branch');
    expect(missingFactors([factor('email_link'), seen], TWO, 1)).toEqual([]);
    expect(missingFactors([seen], TWO, 1)).toEqual(['contact', 'second_contact']);
    expect(missingFactors([seen], ONE, 1)).toEqual(['contact']);
    const dead = factor('sms_code', { isOnReportedHandset: true });
    expect(missingFactors([dead, seen], TWO, 1)).toEqual(['contact', 'second_contact']);
    expect(missingFactors([factor('email_link'), seen], TWO, 2)).toEqual([
      'second_contact',
      'identity',
    ]);
  });

  it.each(['video', 'document'] as const)(
    'takes %s for the second contact only when a second person has confirmed it',
    (method) => {
      const contact = factor('email_link');
      expect(missingFactors([contact, factor(method)], TWO, 1)).toEqual([
        'second_contact',
        'identity',
      ]);
      expect(missingFactors([contact, factor('liveness'), factor(method)], TWO, 1)).toEqual([
        'second_contact',
      ]);
      const confirmed = factor(method, { isConfirmedBySecondPerson: true });
      expect(missingFactors([contact, confirmed], TWO, 1)).toEqual([]);
    },
  );

  it('takes no number of liveness checks for the second contact', () => {
    const checks = [factor('liveness'), factor('liveness', { handset: 'other' })];
    expect(missingFactors([factor('email_link'), ...checks], TWO, 1)).toEqual(['second_contact']);
  });

  it('takes no number of contacts for the person', () => {
    const contacts = METHODS.filter((name) => FACTOR_METHODS[name].factor !== 'identity');
    expect(
      missingFactors(
        contacts.map((name) => factor(name)),
        TWO,
        1,
      ),
    ).toEqual(['identity']);
  });
});

const isPerson = ({ method }: Factor): boolean => FACTOR_METHODS[method].factor === 'identity';
const isSeen = ({ method }: Factor): boolean =>
  ['branch', 'video', 'document'].some((name) => name === method);
const differ = (one: Factor, other: Factor): boolean =>
  FACTOR_METHODS[one.method].channel !== FACTOR_METHODS[other.method].channel &&
  (one.handset === null || one.handset !== other.handset);

describe('any ledger', () => {
  const anyFactor = fc.record({
    method: fc.constantFrom(...METHODS),
    handset: fc.constantFrom(null, 'a', 'b'),
    epoch: fc.integer({ min: 1, max: 2 }),
    isOnReportedHandset: fc.boolean(),
    isConfirmedBySecondPerson: fc.boolean(),
  });
  const anyRequirement = fc.constantFrom(ONE, TWO);

  test('Another factor never leaves more to prove, wherever it stands.', () => {
    fc.assert(
      fc.property(fc.array(anyFactor), anyFactor, anyRequirement, (factors, more, required) => {
        const before = missingFactors(factors, required, 2);
        for (const all of [
          [...factors, more],
          [more, ...factors],
        ])
          expect(missingFactors(all, required, 2).length).toBeLessThanOrEqual(before.length);
      }),
    );
  });

  test('One that suffices holds the person at full strength and contacts of channels and handsets that differ.', () => {
    let sufficient = 0;
    fc.assert(
      fc.property(
        fc.array(anyFactor, { minLength: 2, maxLength: 6 }),
        anyRequirement,
        (factors, required) => {
          if (missingFactors(factors, required, 2).length > 0) return;
          sufficient += 1;
          const counted = factors.filter((one) => factorStrength(one, 2) > 0);
          expect(counted.some((one) => factorStrength(one, 2) === 3)).toBe(true);
          const channels = new Set(counted.map(({ method }) => FACTOR_METHODS[method].channel));
          const handsets = counted.map(({ handset }, index) => handset ?? String(index));
          const needed = counted.some(isSeen) ? 1 : required.contacts;
          expect(channels.size).toBeGreaterThan(needed);
          expect(new Set(handsets).size).toBeGreaterThan(needed - 1);
        },
      ),
      { numRuns: 3000 },
    );
    expect(sufficient).toBeGreaterThan(100);
  });

  test('Two contacts are met by two that differ, or by one beside a person whom staff have seen; by nothing else.', () => {
    const seen = { ways: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(anyFactor, { minLength: 1, maxLength: 6 }), (factors) => {
        const isMet = missingFactors(factors, TWO, 2).length === 0;
        const counted = factors.filter((one) => factorStrength(one, 2) > 0);
        const people = counted.filter((one) => isPerson(one) && factorStrength(one, 2) === 3);
        const contacts = counted.filter((one) => !isPerson(one));
        const may = people.some((person) => {
          const beside = contacts.filter((one) => differ(person, one));
          const hasTwo = beside.some((one) => beside.some((other) => differ(one, other)));
          return hasTwo || (isSeen(person) && beside.length > 0);
        });
        expect(isMet).toBe(may);
        // Without what staff saw, one contact never suffices.
        const isMetAlone =
          missingFactors(
            factors.filter((one) => !isSeen(one)),
            TWO,
            2,
          ).length === 0;
        const hasPair = contacts.some((one) => contacts.some((other) => differ(one, other)));
        expect(isMetAlone && !hasPair).toBe(false);
        if (isMet && !isMetAlone) seen.ways += 1;
        if (!isMet && factors.some(isSeen)) seen.refused += 1;
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.ways, seen.refused)).toBeGreaterThan(20);
  });
});
