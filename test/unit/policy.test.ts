import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyBreaches } from '../../domain/policy-breaches.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';

type Document = Record<string, Record<string, unknown>>;
const copy = (): Document => structuredClone(DEFAULT_POLICY) as unknown as Document;
const settings = Object.entries(copy()).flatMap(([group, members]) =>
  Object.entries(members)
    .filter(([, value]) => typeof value === 'number')
    .map(([name]) => ({ group, name, path: `${group}.${name}` })),
);

function changed(group: string, name: string, value: unknown): Document {
  const document = copy();
  document[group] = { ...document[group], [name]: value };
  return document;
}

describe('a policy document', () => {
  it('may be used when it is the default', () => {
    expect(policyBreaches(DEFAULT_POLICY)).toStrictEqual([]);
  });

  it.each(settings)('is refused without $path, and only that is named', ({ group, name, path }) => {
    const document = copy();
    delete document[group]?.[name];
    expect(policyBreaches(document)).toStrictEqual([`${path}: missing`]);
  });

  it.each(settings)(
    'is refused when $path is no whole number within bounds',
    ({ group, name, path }) => {
      const wrong: unknown[] = [
        '5',
        null,
        1.5,
        -1,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        1e12,
        true,
        [5],
      ];
      for (const value of wrong) {
        const breaches = policyBreaches(changed(group, name, value));
        expect(breaches).toHaveLength(1);
        expect(breaches[0]).toContain(path);
      }
    },
  );

  it.each(settings)(
    'has bounds for $path that hold just inside and break just outside',
    ({ group, name, path }) => {
      const [breach = ''] = policyBreaches(changed(group, name, -1));
      const [, minimum, maximum] = /from (\d+) to (\d+)$/.exec(breach)?.map(Number) ?? [];
      expect(minimum).toBeDefined();
      expect(maximum).toBeGreaterThan(minimum ?? Number.NaN);
      const ofBounds = (value: number) =>
        policyBreaches(changed(group, name, value)).filter((line) =>
          line.startsWith(`${path}: must be a whole`),
        );
      expect(ofBounds(minimum ?? 0)).toStrictEqual([]);
      expect(ofBounds(maximum ?? 0)).toStrictEqual([]);
      expect(ofBounds((minimum ?? 0) - 1)).toHaveLength(1);
      expect(ofBounds((maximum ?? 0) + 1)).toHaveLength(1);
    },
  );

  it('is refused with members that mean nothing here', () => {
    expect(policyBreaches(changed('otp', 'colour', 5))).toStrictEqual([
      'otp.colour: not a policy setting',
    ]);
    expect(policyBreaches({ ...copy(), lucky: 7 })).toStrictEqual(['lucky: not a policy setting']);
  });

  it('is refused when idle outlasts absolute, and not when they are equal', () => {
    const document = changed('session', 'idleSeconds', 3601);
    document['session'] = { ...document['session'], absoluteSeconds: 3600 };
    expect(policyBreaches(document)).toStrictEqual([
      'session.idleSeconds: must not exceed session.absoluteSeconds',
    ]);
    document['session'] = { ...document['session'], idleSeconds: 3600 };
    expect(policyBreaches(document)).toStrictEqual([]);
  });

  it('is refused when the reminder comes with or after the end', () => {
    const document = changed('enrollment', 'reminderSeconds', 7200);
    document['enrollment'] = { ...document['enrollment'], abandonSeconds: 7200 };
    expect(policyBreaches(document)).toStrictEqual([
      'enrollment.reminderSeconds: must be below enrollment.abandonSeconds',
    ]);
    document['enrollment'] = { ...document['enrollment'], reminderSeconds: 7199 };
    expect(policyBreaches(document)).toStrictEqual([]);
  });

  it('takes no name of every object for a setting', () => {
    expect(policyBreaches({ toString: 0 })).toContain('toString: not a policy setting');
  });

  it('is judged, never thrown at, whatever it is', () => {
    fc.assert(
      fc.property(fc.anything(), (document) => {
        expect(policyBreaches(document).length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('the amounts of a policy', () => {
  const usd = { ...DEFAULT_POLICY.stepUp.thresholds['USD'] };
  const breachesOf = (thresholds: unknown) =>
    policyBreaches(changed('stepUp', 'thresholds', thresholds));

  it('may be none: then everything needs all there is', () => {
    expect(breachesOf({})).toStrictEqual([]);
  });

  it.each([
    ['missing', undefined, 'stepUp.thresholds: must be amounts by currency'],
    ['one number', 5, 'stepUp.thresholds: must be amounts by currency'],
    ['for no currency', { XYZ: usd }, 'stepUp.thresholds.XYZ: not a currency of ISO 4217'],
    [
      'a number and no text',
      { USD: { ...usd, passkeyFrom: 100 } },
      'stepUp.thresholds.USD.passkeyFrom: must be an amount of USD as text',
    ],
    [
      'of more digits than the currency has',
      { JPY: { ...usd } },
      'stepUp.thresholds.JPY.passkeyFrom: must be an amount of JPY as text',
    ],
    [
      'upside down',
      { USD: { ...usd, secondChannelFrom: '99.99' } },
      'stepUp.thresholds.USD: a second channel must not be asked for before a passkey',
    ],
    [
      'with a stranger among them',
      { USD: { ...usd, colour: '5.00' } },
      'stepUp.thresholds.USD.colour: not a policy setting',
    ],
  ])('are refused when they are %s', (_, thresholds, breach) => {
    expect(breachesOf(thresholds)).toContain(breach);
  });

  it('are refused when the document has none', () => {
    const document = copy();
    delete document['stepUp']?.['thresholds'];
    expect(policyBreaches(document)).toStrictEqual(['stepUp.thresholds: missing']);
  });
});
