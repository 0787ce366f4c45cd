import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MissingFactor } from '../../domain/factor-ledger.ts';
import {
  coolingOverMs,
  dueEvent,
  nextDueMs,
  RECOVERY_EVENTS,
  RECOVERY_STATES,
  transition,
  type Recovery,
  type RecoveryEvent,
  type RecoveryState,
} from '../../domain/recovery.ts';
import { readCeremonyArrows } from '../setup/documents/flow-diagram.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = 1_800_000_000_000;

const times = {
  contactMs: DAY,
  identityMs: 3 * DAY,
  reviewMs: 7 * DAY,
  reviewSlaMs: 4 * HOUR,
  coolingMs: 3 * DAY,
  coolingFloorMs: DAY,
  rebindMs: 3 * DAY,
};

function recovery(changes: Partial<Recovery> = {}): Recovery {
  return {
    state: 'starting',
    outcome: null,
    reason: null,
    missing: [],
    people: 2,
    deadlineMs: START + 21 * DAY,
    stepDeadlineMs: null,
    reviewDueMs: null,
    coolingFromMs: null,
    heldAtMs: null,
    times,
    ...changes,
  };
}

function follow(from: Recovery, event: RecoveryEvent, nowMs: number): Recovery {
  const answer = transition(from, event, nowMs);
  return 'move' in answer ? { ...from, ...answer.move } : from;
}

const refusal = (from: Recovery, event: RecoveryEvent, nowMs = START) => {
  const answer = transition(from, event, nowMs);
  return 'refused' in answer ? answer.refused : undefined;
};

const MISSING: readonly (readonly MissingFactor[])[] = [[], ['identity'], ['contact', 'identity']];

/** Every arrow of the table, found by asking whatever the ledger holds and whoever has to look. */
function arrowsOfCode(): string[] {
  const arrows = new Set<string>();
  for (const state of RECOVERY_STATES)
    for (const event of RECOVERY_EVENTS)
      for (const missing of MISSING)
        for (const people of [0, 2] as const) {
          const isDeadline = event === 'deadline_passed';
          const from = recovery({
            state,
            missing,
            people,
            outcome: state === 'ended' ? 'denied' : null,
            deadlineMs: isDeadline ? START : START + DAY,
            stepDeadlineMs: event === 'step_expired' ? START : null,
            reviewDueMs: START,
            coolingFromMs: state === 'cooling' ? START - 3 * DAY : null,
            heldAtMs: state === 'held' ? START : null,
          });
          const answer = transition(from, event, START);
          if ('stay' in answer) arrows.add(`${state} --> ${state}: ${event}`);
          if (!('move' in answer)) continue;
          const { state: to, outcome } = answer.move;
          arrows.add(`${state} --> ${to}: ${event}${outcome === null ? '' : ` (${outcome})`}`);
        }
  return [...arrows].sort();
}

describe('the diagram', () => {
  test('docs/flows/recovery.mermaid draws exactly the arrows of the code.', () => {
    expect(readCeremonyArrows('recovery')).toEqual(arrowsOfCode());
  });
});

describe('the schema', () => {
  test('PostgreSQL accepts exactly the states of the code.', async () => {
    const schema = await readFile(
      new URL('../../db/migrations/024.do.recovery.sql', import.meta.url),
      'utf8',
    );
    const listed = /kind <> 'recovery' or state in \(([^)]*)\)/.exec(schema)?.[1] ?? '';
    expect([...listed.matchAll(/'(\w+)'/g)].map(([, word]) => word)).toEqual([...RECOVERY_STATES]);
  });
});

describe('a case', () => {
  test('asks first for what is missing, then for people, then for time.', () => {
    const opened = follow(recovery({ missing: ['contact', 'identity'] }), 'opened', START);
    expect(opened.state).toBe('contact');
    const reached = follow({ ...opened, missing: ['identity'] }, 'factor_recorded', START);
    expect(reached.state).toBe('identity');
    const proved = follow({ ...reached, missing: [] }, 'factor_recorded', START);
    expect(proved).toMatchObject({ state: 'review', reviewDueMs: START + times.reviewSlaMs });
    const approved = follow(proved, 'approved', START);
    expect(approved).toMatchObject({ state: 'cooling', coolingFromMs: START });
    expect(nextDueMs(approved)).toBe(START + times.coolingMs);
    const cooled = follow(approved, 'cooling_over', START + times.coolingMs);
    expect(cooled.state).toBe('rebind');
    const bound = transition(cooled, 'rebound', START + times.coolingMs);
    expect(bound).toMatchObject({
      move: { outcome: 'completed', effects: ['bind', 'notify_ended'] },
    });
  });

  test('where policy asks for nobody goes from the ledger to the time to object.', () => {
    const proved = follow(recovery({ state: 'identity', people: 0 }), 'factor_recorded', START);
    expect(proved.state).toBe('cooling');
  });

  test.each(['approved', 'rebound'] as const)('is never %s while a factor is missing.', (event) => {
    const state = event === 'approved' ? 'review' : 'rebind';
    expect(refusal(recovery({ state, missing: ['identity'] }), event)).toBe('factors_missing');
    expect(refusal(recovery({ state, missing: ['second_contact'] }), event)).toBe(
      'factors_missing',
    );
    expect(refusal(recovery({ state }), event)).toBeUndefined();
  });

  test('waits the whole time to object, to the millisecond.', () => {
    const cooling = recovery({ state: 'cooling', coolingFromMs: START });
    const overMs = coolingOverMs(cooling);
    expect(refusal(cooling, 'cooling_over', overMs - 1)).toBe('cooling_off');
    expect(dueEvent(cooling, overMs - 1)).toBeUndefined();
    expect(dueEvent(cooling, overMs)).toBe('cooling_over');
    expect(follow(cooling, 'cooling_over', overMs).state).toBe('rebind');
  });

  test('is not shortened below its floor.', () => {
    const cooling = recovery({ state: 'cooling', coolingFromMs: START });
    const floorMs = START + times.coolingFloorMs;
    expect(refusal(cooling, 'cooling_shortened', floorMs - 1)).toBe('cooling_off');
    expect(follow(cooling, 'cooling_shortened', floorMs).state).toBe('rebind');
  });

  test.each([
    ['contact', 'step_expired'],
    ['identity', 'step_expired'],
    ['review', 'step_expired'],
    ['rebind', 'step_expired'],
    ['review', 'review_overdue'],
    ['cooling', 'deadline_passed'],
  ] as const)('in %s, %s happens when it is due and not a millisecond before.', (state, event) => {
    const due = recovery({
      state,
      coolingFromMs: START,
      deadlineMs: event === 'deadline_passed' ? START + HOUR : START + 21 * DAY,
      stepDeadlineMs: event === 'step_expired' ? START + HOUR : START + 20 * DAY,
      reviewDueMs: event === 'review_overdue' ? START + HOUR : null,
    });
    expect(dueEvent(due, START + HOUR - 1)).toBeUndefined();
    expect(refusal(due, event, START + HOUR - 1)).toBe('conflict');
    expect(dueEvent(due, START + HOUR)).toBe(event);
    expect(refusal(due, event, START + HOUR)).toBeUndefined();
  });

  test('is said to be overdue once, and its own deadline stays.', () => {
    const review = recovery({
      state: 'review',
      stepDeadlineMs: START + 7 * DAY,
      reviewDueMs: START,
    });
    const overdue = follow(review, 'review_overdue', START);
    expect(overdue).toMatchObject({
      state: 'review',
      reviewDueMs: null,
      stepDeadlineMs: START + 7 * DAY,
    });
    expect(nextDueMs(overdue)).toBe(START + 7 * DAY);
  });

  test('that is held stands still, and gets its time back.', () => {
    const cooling = recovery({ state: 'cooling', coolingFromMs: START });
    const held = follow(cooling, 'fraud_signalled', START + HOUR);
    expect(held).toMatchObject({ state: 'held', heldAtMs: START + HOUR });
    expect(nextDueMs(held)).toBe(Infinity);
    for (const event of ['factor_recorded', 'approved', 'rebound', 'cancelled'] as const)
      expect(refusal(held, event)).toBe('recovery_held');
    expect(transition(held, 'fraud_signalled', START + DAY)).toEqual({ stay: true });
    const released = transition(held, 'released', START + HOUR + 5 * DAY);
    expect(released).toMatchObject({
      move: {
        state: 'identity',
        deadlineMs: cooling.deadlineMs + 5 * DAY,
        effects: ['pin_epoch', 'void_identity', 'void_approvals'],
      },
    });
  });

  test('takes no proof and no approval after its time, though its timer was late.', () => {
    for (const [state, event] of [
      ['identity', 'factor_recorded'],
      ['review', 'approved'],
      ['rebind', 'rebound'],
    ] as const) {
      const due = recovery({ state, stepDeadlineMs: START });
      expect(refusal(due, event, START)).toBe('ceremony_expired');
      expect(refusal(due, event, START - 1)).toBeUndefined();
    }
  });
});

describe('walks through the states', () => {
  const step = fc.record({
    event: fc.constantFrom(...RECOVERY_EVENTS),
    passMs: fc.integer({ min: 0, max: 2 * DAY }),
    isRight: fc.integer({ min: 0, max: 9 }).map((die) => die < 7),
    proves: fc.boolean(),
  });
  const RIGHT: Partial<Record<RecoveryState, RecoveryEvent>> = {
    starting: 'opened',
    contact: 'factor_recorded',
    identity: 'factor_recorded',
    review: 'approved',
    cooling: 'cooling_over',
    rebind: 'rebound',
    held: 'released',
  };

  /** What the ledger lacks once the factor that is due has been proved. */
  const proved = (missing: readonly MissingFactor[]) => missing.slice(1);

  test('None binds a phone without every factor, without people where they are asked for, before the time to object, after a veto, or while held.', () => {
    let bound = 0;
    const people = fc.constantFrom(0 as const, 1 as const, 2 as const);
    fc.assert(
      fc.property(fc.array(step, { minLength: 8, maxLength: 40 }), people, (steps, asked) => {
        let current = recovery({ people: asked, missing: ['contact', 'identity'] });
        let nowMs = START;
        let approvals = 0;
        let coolingSinceMs = Infinity;
        let shortenedAfterMs: number | undefined;
        let isStopped = false;
        for (const { event: any, isRight, passMs, proves } of steps) {
          nowMs += passMs;
          const event = (isRight ? RIGHT[current.state] : undefined) ?? any;
          const isProof = event === 'factor_recorded' && proves;
          const asAsked = isProof ? { ...current, missing: proved(current.missing) } : current;
          const next = follow(asAsked, event, nowMs);
          const moved = next !== asAsked;
          if (isProof && !('refused' in transition(asAsked, event, nowMs)))
            current = { ...next, missing: asAsked.missing };
          else if (moved) current = next;
          if (!moved) continue;
          expect(isStopped).toBe(false);
          if (event === 'approved') approvals += 1;
          if (['sent_back', 'released'].includes(event)) {
            current = { ...current, missing: ['identity'] };
            approvals = 0;
          }
          if (next.state === 'cooling') coolingSinceMs = nowMs;
          if (event === 'cooling_shortened') shortenedAfterMs = nowMs - coolingSinceMs;
          if (event === 'vetoed' || event === 'refused') isStopped = true;
          const isBound = event === 'rebound';
          bound += isBound ? 1 : 0;
          const waitedMs = shortenedAfterMs ?? nowMs - coolingSinceMs;
          const leastMs = shortenedAfterMs === undefined ? times.coolingMs : times.coolingFloorMs;
          const flaws = [
            asAsked.missing.length > 0,
            asked > 0 && approvals === 0,
            waitedMs < leastMs,
          ];
          expect(isBound && flaws.includes(true)).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
    expect(bound).toBeGreaterThan(50);
  });

  test('Nothing follows its end, and an open one that is not held always has a timer.', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        let current = recovery();
        let nowMs = START;
        for (const { event: any, isRight, passMs } of steps) {
          nowMs += passMs;
          const before = current;
          current = follow(current, (isRight ? RIGHT[current.state] : undefined) ?? any, nowMs);
          expect(before.state === 'ended' && current !== before).toBe(false);
          const isOpen = current.state !== 'ended' && current.state !== 'held';
          expect(nextDueMs(current) < Infinity).toBe(isOpen);
        }
      }),
    );
  });
});
