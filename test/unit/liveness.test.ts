/** What follows from a liveness verdict, by example and for any figures; and what of a vendor's words is a result at all. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isVerdictOf, judgeLiveness, parseLivenessResult } from '../../domain/liveness.ts';
import type { LivenessOutcome } from '../../domain/liveness.ts';

const thresholds = { minLivenessConfidence: 90, minMatchConfidence: 95 };
const result = {
  reference: 'att_1',
  vendorSession: 'lvs_1',
  caseId: 'cer_1',
  newJkt: 'j'.repeat(43),
  outcome: 'passed',
  livenessConfidence: 99,
  matchConfidence: 97.5,
  evidenceId: 'evd_1',
  at: '2026-11-23T06:00:00.000Z',
} as const;

describe('a liveness verdict', () => {
  test.each([
    ['passed', 90, 95, 'matched'],
    ['passed', 89.99, 95, 'retry'],
    ['passed', 90, 94.99, 'retry'],
    ['passed', 100, null, 'retry'],
    ['low_confidence', 99, 99, 'retry'],
    ['timed_out', 0, null, 'retry'],
    ['failed', 99, 99, 'refused'],
    ['injection_suspected', 99, 99, 'refused'],
  ] as const)(
    'of %s with %s and %s is %s',
    (outcome, livenessConfidence, matchConfidence, judged) => {
      const finding = { outcome, livenessConfidence, matchConfidence };
      expect(judgeLiveness(finding, thresholds)).toBe(judged);
    },
  );

  const figure = fc.double({ min: 0, max: 100, noNaN: true });
  const finding = fc.record({
    outcome: fc.constantFrom<LivenessOutcome>(
      'passed',
      'failed',
      'low_confidence',
      'injection_suspected',
      'timed_out',
    ),
    livenessConfidence: figure,
    matchConfidence: fc.option(figure, { nil: null }),
  });
  const policy = fc.record({ minLivenessConfidence: figure, minMatchConfidence: figure });

  test('matches only what passed, was compared, and reaches both figures; never when a stricter policy would not', () => {
    fc.assert(
      fc.property(finding, policy, figure, (found, asked, more) => {
        const isMatched = judgeLiveness(found, asked) === 'matched';
        const reaches =
          found.outcome === 'passed' &&
          found.livenessConfidence >= asked.minLivenessConfidence &&
          (found.matchConfidence ?? -1) >= asked.minMatchConfidence;
        expect(isMatched).toBe(reaches);
        const stricter = {
          minLivenessConfidence: Math.max(asked.minLivenessConfidence, more),
          minMatchConfidence: Math.max(asked.minMatchConfidence, more),
        };
        const isMatchedThere = judgeLiveness(found, stricter) === 'matched';
        expect(isMatched || !isMatchedThere).toBe(true);
      }),
    );
  });

  test('is of the very check: one other name and it is none', () => {
    expect(isVerdictOf(result, { ...result })).toBe(true);
    for (const name of ['reference', 'vendorSession', 'caseId', 'newJkt'] as const)
      expect(isVerdictOf(result, { ...result, [name]: 'another' })).toBe(false);
  });
});

describe('what a vendor says', () => {
  test('is taken by its named members alone: pictures end there', () => {
    const { at, ...members } = result;
    const body = { ...result, referenceImage: 'AAAA', auditImages: ['AAAA'] };
    expect(parseLivenessResult(body)).toStrictEqual({ ...members, atMs: Date.parse(at) });
  });

  test('may leave the comparison out', () => {
    const { matchConfidence: _, ...rest } = result;
    expect(parseLivenessResult(rest)).toMatchObject({ matchConfidence: null });
  });

  test.each<readonly [string, unknown]>([
    ['nothing', undefined],
    ['a list', [result]],
    ['a text', 'passed'],
    ...Object.keys(result)
      .filter((name) => name !== 'matchConfidence')
      .map((name) => [`a missing ${name}`, { ...result, [name]: undefined }] as const),
    ['an unknown outcome', { ...result, outcome: 'verified' }],
    ['a figure above a hundred', { ...result, livenessConfidence: 100.1 }],
    ['a figure below nothing', { ...result, matchConfidence: -1 }],
    ['a figure as text', { ...result, livenessConfidence: '99' }],
    ['no number', { ...result, livenessConfidence: Number.NaN }],
    ['a thumbprint that is none', { ...result, newJkt: 'short' }],
    ['a reference with a line break', { ...result, reference: 'att\n1' }],
    ['a reference without end', { ...result, reference: 'a'.repeat(201) }],
    ['a day for a time', { ...result, at: '2026-11-23' }],
    ['no such time', { ...result, at: '2026-13-23T06:00:00Z' }],
  ])('with %s is no result', (_, body) => {
    expect(parseLivenessResult(body)).toBeUndefined();
  });
});
