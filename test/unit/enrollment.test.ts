import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CEREMONY_OUTCOMES,
  dueEvent,
  ENROLLMENT_EVENTS,
  ENROLLMENT_STATES,
  nextDueMs,
  transition,
  type Enrollment,
  type EnrollmentEvent,
  type EnrollmentState,
} from '../../domain/enrollment.ts';
import { readCeremonyArrows } from '../setup/documents/flow-diagram.ts';

const HOUR = 3_600_000;
const START = 1_800_000_000_000;

function enrollment(changes: Partial<Enrollment> = {}): Enrollment {
  return {
    state: 'starting',
    outcome: null,
    deadlineMs: START + 72 * HOUR,
    stepDeadlineMs: null,
    reminderAtMs: START + 24 * HOUR,
    stepMs: HOUR / 2,
    identityCheckMs: 24 * HOUR,
    ...changes,
  };
}

function follow(from: Enrollment, event: EnrollmentEvent, nowMs: number): Enrollment {
  const answer = transition(from, event, nowMs);
  return 'move' in answer ? { ...from, ...answer.move } : from;
}

/** Every arrow of the table, found by asking: `from --> to: event (outcome)`. */
function arrowsOfCode(): string[] {
  const arrows: string[] = [];
  for (const state of ENROLLMENT_STATES) {
    for (const event of ENROLLMENT_EVENTS) {
      const due = event === 'deadline_passed' ? { deadlineMs: START } : {};
      const timers = {
        ...due,
        stepDeadlineMs: event === 'step_expired' ? START : null,
        reminderAtMs: START,
      };
      const answer = transition(
        enrollment({ state, ...timers, outcome: state === 'ended' ? 'denied' : null }),
        event,
        START,
      );
      if ('stay' in answer) arrows.push(`${state} --> ${state}: ${event}`);
      if ('move' in answer) {
        const outcome = answer.move.outcome === null ? '' : ` (${answer.move.outcome})`;
        arrows.push(`${state} --> ${answer.move.state}: ${event}${outcome}`);
      }
    }
  }
  return arrows.sort();
}

describe('the diagram', () => {
  test('docs/flows/enrollment.mermaid draws exactly the arrows of the code.', () => {
    expect(readCeremonyArrows('enrollment')).toEqual(arrowsOfCode());
  });
});

describe('the schema', () => {
  test('PostgreSQL accepts exactly the states and outcomes of the code.', async () => {
    const schema = await readFile(
      new URL('../../db/migrations/001.do.schema.sql', import.meta.url),
      'utf8',
    );
    const listOf = (pattern: RegExp) =>
      [...(pattern.exec(schema)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(([, word]) => word);
    expect(listOf(/kind <> 'enrollment' or state in \(([^)]*)\)/)).toEqual([...ENROLLMENT_STATES]);
    expect(listOf(/outcome\s+text check \(outcome in \(([^)]*)\)\)/)).toEqual([
      ...CEREMONY_OUTCOMES,
    ]);
  });
});

describe('walks through the states', () => {
  const walk = fc.array(
    fc.record({
      event: fc.constantFrom(...ENROLLMENT_EVENTS),
      passMs: fc.integer({ min: 0, max: 2 * HOUR }),
    }),
    { minLength: 12, maxLength: 60 },
  );
  /** Mostly the right next event, so that walks get far. */
  const RIGHT: Partial<Record<EnrollmentState, EnrollmentEvent>> = {
    starting: 'opened',
    phone: 'code_matched',
    identity: 'identity_submitted',
    identity_check: 'identity_verified',
    email: 'email_submitted',
    email_code: 'code_matched',
    passkey: 'passkey_bound',
  };
  const PROOFS: Partial<Record<EnrollmentState, string>> = {
    phone: 'phone',
    identity_check: 'identity',
    email_code: 'email',
    passkey: 'passkey',
  };

  test('None completes without phone, identity, e-mail and passkey proved in that order.', () => {
    let completed = 0;
    fc.assert(
      fc.property(walk, fc.infiniteStream(fc.integer({ min: 0, max: 9 })), (steps, dice) => {
        let current = enrollment();
        let nowMs = START;
        let proofs: string[] = [];
        for (const { event: anyEvent, passMs } of steps) {
          nowMs += passMs;
          const right = RIGHT[current.state];
          const event = right !== undefined && (dice.next().value ?? 0) < 7 ? right : anyEvent;
          const next = follow(current, event, nowMs);
          const proof = PROOFS[current.state];
          if (event === RIGHT[current.state] && proof !== undefined && next.state !== current.state)
            proofs.push(proof);
          if (next.state === 'email') proofs = proofs.filter((name) => name !== 'email');
          current = next;
          if (current.outcome === 'completed') {
            completed += 1;
            break;
          }
        }
        const isInOrder = proofs.join() === 'phone,identity,email,passkey';
        expect(current.outcome === 'completed' ? isInOrder : true).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(completed).toBeGreaterThan(100);
  });

  test('What has ended stays ended, and each end has its outcome.', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        let current = enrollment();
        let nowMs = START;
        for (const { event, passMs } of steps) {
          nowMs += passMs;
          const next = follow(current, event, nowMs);
          expect(current.state === 'ended' && next !== current).toBe(false);
          expect(next.state === 'ended').toBe(next.outcome !== null);
          current = next;
        }
      }),
    );
  });

  test('A timer that is said to be next is due exactly then, and not a millisecond earlier.', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        let current = enrollment();
        let nowMs = START;
        for (const { event, passMs } of steps) {
          nowMs += passMs;
          current = follow(current, event, nowMs);
          if (current.state === 'ended') return;
          const dueMs = nextDueMs(current);
          expect(dueEvent(current, dueMs)).toBeDefined();
          expect(dueEvent(current, dueMs - 1)).toBeUndefined();
        }
      }),
    );
  });
});

describe('refusals', () => {
  test.each([
    ['phone', 'identity_submitted'],
    ['identity', 'code_matched'],
    ['identity', 'passkey_bound'],
    ['identity_check', 'identity_submitted'],
    ['email', 'code_matched'],
    ['passkey', 'email_submitted'],
  ] as const)('In %s the fact %s is the wrong step.', (state, event) => {
    expect(transition(enrollment({ state }), event, START)).toEqual({ refused: 'wrong_step' });
  });

  test.each([
    ['completed', 'ceremony_ended'],
    ['denied', 'ceremony_ended'],
    ['cancelled', 'ceremony_ended'],
    ['expired', 'ceremony_expired'],
    ['revoked', 'revoked'],
  ] as const)('A ceremony that ended %s answers %s.', (outcome, code) => {
    expect(transition(enrollment({ state: 'ended', outcome }), 'code_matched', START)).toEqual({
      refused: code,
    });
  });

  test('A right code is accepted one millisecond before the step runs out and refused from then on.', () => {
    const phone = enrollment({ state: 'phone', stepDeadlineMs: START + 1000 });
    expect(transition(phone, 'code_matched', START + 999)).toMatchObject({
      move: { state: 'identity' },
    });
    expect(transition(phone, 'code_matched', START + 1000)).toEqual({
      refused: 'ceremony_expired',
    });
  });

  test('A timer that fires early changes nothing.', () => {
    const phone = enrollment({ state: 'phone', stepDeadlineMs: START + 1000 });
    expect(transition(phone, 'step_expired', START + 999)).toEqual({ refused: 'conflict' });
    expect(transition(phone, 'deadline_passed', START + 999)).toEqual({ refused: 'conflict' });
  });
});

describe('effects', () => {
  test('Every end but completion and a cut-off erases the prospect.', () => {
    const ends: [EnrollmentState, EnrollmentEvent][] = [
      ['phone', 'code_exhausted'],
      ['phone', 'known_customer'],
      ['identity_check', 'identity_refused'],
      ['email', 'cancelled'],
    ];
    for (const [state, event] of ends) {
      expect(transition(enrollment({ state }), event, START)).toMatchObject({
        move: { effects: ['erase_prospect'] },
      });
    }
    expect(transition(enrollment({ state: 'passkey' }), 'revoked', START)).toMatchObject({
      move: { effects: [] },
    });
  });

  test('Nobody is reminded while only the vendor can go on.', () => {
    const due = { reminderAtMs: START };
    expect(
      transition(enrollment({ state: 'identity_check', ...due }), 'reminder_due', START),
    ).toMatchObject({
      move: { effects: [], reminderAtMs: null },
    });
    expect(transition(enrollment({ state: 'email', ...due }), 'reminder_due', START)).toMatchObject(
      {
        move: { effects: ['send_reminder'], reminderAtMs: null },
      },
    );
  });
});
