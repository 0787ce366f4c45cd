import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sessionTransition } from '../../domain/session.ts';
import type { SessionEvent, SessionState } from '../../domain/session.ts';
import { readFlowDiagram } from '../setup/documents/flow-diagram.ts';

const STATES: readonly SessionState[] = ['asleep', 'asking', 'waiting', 'closed'];
const EVENTS: readonly SessionEvent[] = [
  'start_delay_over',
  'woken',
  'row_live',
  'row_ended',
  'deadline_reached',
];

describe('the life of a session', () => {
  test('is what docs/flows/session.mermaid draws, arrow by arrow', () => {
    const inCode = STATES.flatMap((from) =>
      EVENTS.flatMap((event) => {
        const to = sessionTransition(from, event);
        return to === undefined ? [] : [`${from} --> ${to} : ${event}`];
      }),
    );
    const drawn = readFlowDiagram('session').map(
      ({ from, to, event }) => `${from} --> ${to} : ${event}`,
    );
    expect(drawn.toSorted()).toEqual(inCode.toSorted());
  });

  test('closes only by what the row says, and never leaves that state', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 30 }), (events) => {
        let state: SessionState = 'asleep';
        for (const event of events) {
          const next = sessionTransition(state, event);
          if (next === undefined) continue;
          expect(state).not.toBe('closed');
          expect(next === 'closed').toBe(event === 'row_ended');
          state = next;
        }
      }),
    );
  });
});
