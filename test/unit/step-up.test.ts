import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { statusOf, STEP_UP_STATUSES } from '../../domain/step-up-status.ts';
import {
  dueEvent,
  nextDueMs,
  STEP_UP_EVENTS,
  STEP_UP_STATES,
  transition,
  type StepUp,
  type StepUpEvent,
  type StepUpState,
} from '../../domain/step-up.ts';
import { readCeremonyArrows } from '../setup/documents/flow-diagram.ts';

const MINUTE = 60_000;
const START = 1_800_000_000_000;

function stepUp(changes: Partial<StepUp> = {}): StepUp {
  return {
    state: 'starting',
    outcome: null,
    reason: null,
    required: 'latchkey:3',
    isLogin: false,
    approveByMs: START + 5 * MINUTE,
    consumableAtMs: null,
    consumeByMs: null,
    consumeMs: 10 * MINUTE,
    delayMs: 0,
    ...changes,
  };
}

const approved = (changes: Partial<StepUp> = {}) =>
  stepUp({
    state: 'approved',
    consumableAtMs: START,
    consumeByMs: START + 10 * MINUTE,
    ...changes,
  });

function follow(from: StepUp, event: StepUpEvent, nowMs: number): StepUp {
  const answer = transition(from, event, nowMs);
  return 'move' in answer ? { ...from, ...answer.move } : from;
}

/** Every kind of step-up that goes another way than the rest, as the diagram marks its arrows. */
const KINDS = {
  latchkey_3: {},
  latchkey_4: { required: 'latchkey:4' },
  login: { required: 'latchkey:4', isLogin: true },
} as const satisfies Record<string, Partial<StepUp>>;

/** Every arrow of the table, found by asking: `from --> to: event (outcome or kind)`. */
function arrowsOfCode(): string[] {
  const arrows = new Set<string>();
  for (const state of STEP_UP_STATES) {
    for (const event of STEP_UP_EVENTS) {
      const isDue = event === 'deadline_passed';
      const times = isDue ? { approveByMs: START, consumeByMs: START } : {};
      for (const [kind, members] of Object.entries(KINDS)) {
        const base = state === 'approved' ? approved(members) : stepUp({ ...members, state });
        const outcome = state === 'ended' ? ('denied' as const) : null;
        const answer = transition({ ...base, ...times, outcome }, event, START);
        if ('stay' in answer) arrows.add(`${state} --> ${state}: ${event}`);
        if (!('move' in answer)) continue;
        const { state: to, outcome: end } = answer.move;
        const isOwnWay =
          (event === 'opened' && to === 'second_factor') ||
          (event === 'keys_proved' && kind !== 'login');
        if (event === 'keys_proved' && kind === 'login') continue;
        const mark = end ?? (isOwnWay ? kind : undefined);
        arrows.add(`${state} --> ${to}: ${event}${mark === undefined ? '' : ` (${mark})`}`);
      }
    }
  }
  return [...arrows].sort();
}

describe('the diagram', () => {
  test('docs/flows/step-up.mermaid draws exactly the arrows of the code.', () => {
    expect(readCeremonyArrows('step-up')).toEqual(arrowsOfCode());
  });
});

describe('walks through the states', () => {
  const walk = fc.array(
    fc.record({
      event: fc.constantFrom(...STEP_UP_EVENTS),
      passMs: fc.integer({ min: 0, max: 2 * MINUTE }),
      isRight: fc.integer({ min: 0, max: 9 }).map((die) => die < 7),
    }),
    { minLength: 6, maxLength: 30 },
  );
  const kind = fc.constantFrom(...Object.values(KINDS));
  const delayMs = fc.constantFrom(0, MINUTE);
  /** Mostly the right next event, so that walks get far. */
  const RIGHT: Partial<Record<StepUpState, StepUpEvent>> = {
    starting: 'opened',
    open: 'keys_proved',
    second_factor: 'code_matched',
    approved: 'consumed',
  };

  test('None is used without the keys, without the code where that is asked for, twice, or after its end.', () => {
    let used = 0;
    fc.assert(
      fc.property(walk, kind, delayMs, (steps, members, delay) => {
        let current = stepUp({ ...members, delayMs: delay });
        let nowMs = START;
        const proofs: StepUpEvent[] = [];
        let uses = 0;
        let tooLate = 0;
        for (const step of steps) {
          nowMs += step.passMs;
          const event = (step.isRight ? RIGHT[current.state] : undefined) ?? step.event;
          const next = follow(current, event, nowMs);
          if (next === current) continue;
          expect(current.state).not.toBe('ended');
          if (event === 'keys_proved' || event === 'code_matched') {
            tooLate += nowMs < current.approveByMs ? 0 : 1;
            proofs.push(event);
          }
          if (event === 'consumed') {
            uses += 1;
            const { consumableAtMs, consumeByMs } = current;
            const isInTime = nowMs >= (consumableAtMs ?? Infinity) && nowMs < (consumeByMs ?? 0);
            tooLate += isInTime ? 0 : 1;
          }
          current = next;
        }
        expect(tooLate).toBe(0);
        expect(uses).toBe(current.outcome === 'completed' ? 1 : 0);
        if (current.outcome !== 'completed') return;
        used += 1;
        const wanted = [
          ...(current.isLogin ? [] : ['keys_proved']),
          ...(current.required === 'latchkey:4' ? ['code_matched'] : []),
        ];
        expect(proofs).toEqual(wanted);
      }),
      { numRuns: 2000 },
    );
    expect(used).toBeGreaterThan(200);
  });

  test('A timer that is said to be next is due exactly then, and not a millisecond earlier.', () => {
    fc.assert(
      fc.property(walk, kind, (steps, members) => {
        let current = stepUp(members);
        let nowMs = START;
        for (const { event, passMs } of steps) {
          nowMs += passMs;
          current = follow(current, event, nowMs);
          if (current.state === 'ended') return;
          const dueMs = nextDueMs(current);
          expect(dueEvent(current, dueMs)).toBe('deadline_passed');
          expect(dueEvent(current, dueMs - 1)).toBeUndefined();
        }
      }),
    );
  });

  test('Whatever ends unused gives its amount back and tells the requester; what was used does neither.', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STEP_UP_STATES), kind, (state, members) => {
        for (const event of STEP_UP_EVENTS) {
          const from = state === 'approved' ? approved(members) : stepUp({ ...members, state });
          const answer = transition(from, event, nextDueMs(from));
          if (!('move' in answer) || answer.move.outcome === null) continue;
          expect(answer.move.effects).toEqual(['give_back', 'call_back']);
        }
      }),
    );
    const use = transition(approved(), 'consumed', START);
    expect(use).toMatchObject({ move: { outcome: 'completed', effects: [] } });
  });
});

test('What has ended waits for nothing.', () => {
  expect(nextDueMs(stepUp({ state: 'ended', outcome: 'denied' }))).toBe(Infinity);
});

describe('refusals', () => {
  test.each([
    ['starting', 'keys_proved', 'wrong_step'],
    ['open', 'code_matched', 'wrong_step'],
    ['second_factor', 'keys_proved', 'wrong_step'],
    ['approved', 'code_matched', 'wrong_step'],
    ['starting', 'consumed', 'step_up_not_approved'],
    ['open', 'consumed', 'step_up_not_approved'],
    ['second_factor', 'consumed', 'step_up_not_approved'],
  ] as const)('In %s the fact %s is answered %s.', (state, event, code) => {
    expect(transition(stepUp({ state }), event, START)).toEqual({ refused: code });
  });

  test.each([
    ['completed', 'step_up_ended'],
    ['denied', 'step_up_ended'],
    ['cancelled', 'step_up_ended'],
    ['expired', 'step_up_expired'],
    ['revoked', 'revoked'],
  ] as const)('A step-up that ended %s answers %s, whatever is wanted of it.', (outcome, code) => {
    const ended = stepUp({ state: 'ended', outcome });
    for (const event of STEP_UP_EVENTS)
      expect(transition(ended, event, START)).toEqual({ refused: code });
  });

  test('Keys are good one millisecond before the time to approve is over and refused from then on.', () => {
    const open = stepUp({ state: 'open' });
    const { approveByMs } = open;
    expect(transition(open, 'keys_proved', approveByMs - 1)).toMatchObject({
      move: { state: 'approved', consumableAtMs: approveByMs - 1 },
    });
    expect(transition(open, 'keys_proved', approveByMs)).toEqual({ refused: 'step_up_expired' });
  });

  test('An approval may be used one millisecond before its time is over and not from then on.', () => {
    const late = START + 10 * MINUTE;
    expect(transition(approved(), 'consumed', late - 1)).toMatchObject({
      move: { state: 'ended' },
    });
    expect(transition(approved(), 'consumed', late)).toEqual({ refused: 'step_up_expired' });
  });

  test('A delay of the policy moves the time of use and shortens nothing.', () => {
    const open = stepUp({ state: 'open', delayMs: MINUTE });
    const delayed = follow(open, 'keys_proved', START);
    expect(delayed.consumeByMs).toBe(START + 11 * MINUTE);
    expect(transition(delayed, 'consumed', START + MINUTE - 1)).toEqual({
      refused: 'step_up_delayed',
    });
    expect(transition(delayed, 'consumed', START + MINUTE)).toMatchObject({
      move: { outcome: 'completed' },
    });
  });

  test('A timer that fires early changes nothing.', () => {
    const open = stepUp({ state: 'open' });
    expect(transition(open, 'deadline_passed', open.approveByMs - 1)).toEqual({
      refused: 'conflict',
    });
    expect(transition(approved(), 'deadline_passed', START + 10 * MINUTE - 1)).toEqual({
      refused: 'conflict',
    });
  });
});

describe('the one word that is shown', () => {
  test('There is one for every state and end, and each is used.', () => {
    const ends = [
      ['completed', 'consumed', 'consumed'],
      ['denied', 'not_me', 'denied'],
      ['denied', 'wrong_codes', 'denied'],
      ['expired', 'not_approved', 'expired'],
      ['cancelled', 'by_requester', 'cancelled'],
      ['cancelled', 'superseded', 'superseded'],
      ['revoked', 'cut_off', 'revoked'],
    ] as const;
    const shown = new Set<string>();
    for (const [outcome, reason, status] of ends) {
      expect(statusOf({ state: 'ended', outcome, reason })).toBe(status);
      shown.add(status);
    }
    for (const state of STEP_UP_STATES.filter((one) => one !== 'ended'))
      shown.add(statusOf({ state, outcome: null, reason: null }));
    expect([...shown].sort()).toEqual([...STEP_UP_STATUSES].sort());
  });
});
