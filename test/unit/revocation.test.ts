import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  revocationReceipt,
  revocationTransition,
  type RevocationEvent,
  type RevocationFacts,
  type RevocationState,
} from '../../domain/revocation.ts';
import { readFlowDiagram } from '../setup/documents/flow-diagram.ts';

const STATES: readonly RevocationState[] = [
  'ending_rows',
  'waking',
  'second_listing',
  'sealed',
  'closed',
];
const EVENTS: readonly RevocationEvent[] = [
  'rows_ended',
  'workflows_woken',
  'stragglers_found',
  'listing_empty',
  'workflows_closed',
  'alarm_raised',
];

const facts: RevocationFacts = {
  revocationId: 'rev_1',
  customerId: 'cus_1',
  status: 'running',
  reason: 'stolen_device',
  requestedBy: 'demo-fraud',
  oldEpoch: 1,
  newEpoch: 2,
  effectiveAtMs: 1_000,
  lastTokenDiesAtMs: 306_000,
  devices: 1,
  credentials: 2,
  sessionsEnded: 3,
  ceremoniesEnded: 0,
  rowsEndedAtMs: 1_200,
  sealedAtMs: null,
  workflowsClosedAtMs: null,
};

describe('a revocation', () => {
  it('moves exactly as its diagram draws it', () => {
    const drawn = readFlowDiagram('revocation').map(
      ({ from, event, to }) => `${from} ${event} ${to}`,
    );
    const coded = STATES.flatMap((from) =>
      EVENTS.flatMap((event) => {
        const to = revocationTransition(from, event);
        return to === undefined ? [] : [`${from} ${event} ${to}`];
      }),
    );
    expect(coded.toSorted()).toEqual(drawn.toSorted());
  });

  it('is never sealed unless a listing found nothing after the last straggler', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 30 }), (events) => {
        let state: RevocationState = 'ending_rows';
        let isLastListingEmpty = false;
        for (const event of events) {
          const next = revocationTransition(state, event);
          if (next === undefined) continue;
          if (event === 'stragglers_found') isLastListingEmpty = false;
          if (event === 'listing_empty') isLastListingEmpty = true;
          state = next;
        }
        return isLastListingEmpty || (state !== 'sealed' && state !== 'closed');
      }),
    );
  });

  it('has a receipt that says what was stopped, when, and when the last local token dies', () => {
    expect(revocationReceipt(facts, 31_000)).toEqual({
      version: 1,
      revocationId: 'rev_1',
      customerId: 'cus_1',
      reason: 'stolen_device',
      requestedBy: 'demo-fraud',
      oldEpoch: 1,
      newEpoch: 2,
      effectiveAt: '1970-01-01T00:00:01.000Z',
      rowsEndedAt: '1970-01-01T00:00:01.200Z',
      secondListingEmptyAt: '1970-01-01T00:00:31.000Z',
      lastTokenDiesAt: '1970-01-01T00:05:06.000Z',
      stopped: { devices: 1, credentials: 2, sessions: 3, ceremonies: 0 },
    });
  });

  it.each(['sessionsEnded', 'ceremoniesEnded', 'rowsEndedAtMs'] as const)(
    'has no receipt while %s is unknown',
    (field) => {
      expect(() => revocationReceipt({ ...facts, [field]: null }, 31_000)).toThrow(TypeError);
    },
  );
});
