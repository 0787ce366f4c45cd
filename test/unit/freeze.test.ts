/** How long a freeze lasts, whoever asks how often: it always ends, and what nobody proved is bounded in all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_FREEZE_POLICY as policy } from '../../domain/freeze-policy.ts';
import { isStoppedByFreeze, judgeFreeze } from '../../domain/freeze.ts';
import { ACTION_TYPES } from '../../domain/action-types.ts';

const START_MS = Date.parse('2027-03-01T10:00:00Z');

interface Ask {
  readonly isProved: boolean;
  readonly afterSeconds: number;
}

/** Plays them one after the other, as db/freeze.ts keeps them; answers each time until when he is frozen. */
function play(asks: readonly Ask[]) {
  let nowMs = START_MS;
  let frozenUntilMs: number | null = null;
  let unprovedSeconds = 0;
  return asks.map(({ isProved, afterSeconds }) => {
    nowMs += afterSeconds * 1000;
    const judged = judgeFreeze({ isProved, nowMs, frozenUntilMs, unprovedSeconds }, policy);
    if ('untilMs' in judged) {
      frozenUntilMs = judged.untilMs;
      if (!isProved) unprovedSeconds += judged.addedSeconds;
    }
    return { judged, nowMs, frozenUntilMs, unprovedSeconds };
  });
}

const asks = (isProved: fc.Arbitrary<boolean>) =>
  fc.array(fc.record({ isProved, afterSeconds: fc.integer({ min: 0, max: 200_000 }) }), {
    maxLength: 40,
  });

describe('a freeze', () => {
  it('never lasts longer than a whole one from the moment that somebody asked', () => {
    fc.assert(
      fc.property(asks(fc.boolean()), (list) => {
        for (const { nowMs, frozenUntilMs } of play(list))
          expect(frozenUntilMs ?? 0).toBeLessThanOrEqual(nowMs + policy.seconds * 1000);
      }),
    );
  });

  it('that nobody proved adds up to the longest and no further, in whatever order', () => {
    fc.assert(
      fc.property(asks(fc.boolean()), (list) => {
        for (const { unprovedSeconds } of play(list))
          expect(unprovedSeconds).toBeLessThanOrEqual(policy.longestUnprovedSeconds);
      }),
    );
  });

  it('that is proved is never refused, and never made shorter by one that is not', () => {
    fc.assert(
      fc.property(asks(fc.boolean()), (list) => {
        let beforeMs = 0;
        for (const [place, { judged, frozenUntilMs }] of play(list).entries()) {
          expect(list[place]?.isProved === true && 'refused' in judged).toBe(false);
          expect(frozenUntilMs ?? 0).toBeGreaterThanOrEqual(beforeMs);
          beforeMs = frozenUntilMs ?? 0;
        }
      }),
    );
  });

  it('leaves logging in and proving oneself to the bank, and stops every other action', () => {
    const stopped = Object.keys(ACTION_TYPES).filter(isStoppedByFreeze);
    expect(stopped.toSorted()).toEqual(
      Object.keys(ACTION_TYPES)
        .filter((type) => !['log_in', 'verified_call'].includes(type))
        .toSorted(),
    );
    expect(isStoppedByFreeze('loan_payout')).toBe(true);
  });
});
