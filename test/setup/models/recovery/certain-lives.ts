/** Lives that every run of the recovery model lives, whatever is drawn: each comes to where a guard is the last one. */
import type { Action, Report, RiskFound, Step } from './actions.ts';

const HOUR = 60;
const DAY = 24 * HOUR;

const followed = (...actions: readonly Action[]): Step[] =>
  actions.map((one) => ({ action: one, isFollowed: true }));
const unheard = (...actions: readonly Action[]): Step[] =>
  actions.map((one) => ({ action: one, isFollowed: false }));
const goOn = (times: number, changes: { report?: Report; risk?: RiskFound } = {}): Action => ({
  kind: 'go on',
  report: 'broken',
  risk: 'low',
  times,
  ...changes,
});

const thiefGoesOn: readonly Action[] = [
  { kind: 'decide', staff: 'ben', what: 'approve', saw: 'it' },
  { kind: 'decide', staff: 'sue', what: 'approve', saw: 'it' },
  { kind: 'wait for the next timer' },
  { kind: 'bind', by: 'thief', level: 'software' },
];

/** Where the dangers are known to lie; the last two led to faults once. */
export const CERTAIN_LIVES: readonly [Step[]][] = [
  [followed(goOn(5))],
  [
    followed(
      goOn(2),
      { kind: 'object', from: 'link' },
      { kind: 'decide', staff: 'sam', what: 'release', saw: 'it' },
      goOn(4),
    ),
  ],
  [
    followed(
      goOn(3),
      { kind: 'fraud', areRowsEnded: false },
      { kind: 'release hold' },
      goOn(1),
      goOn(5),
    ),
  ],
  [
    followed(
      goOn(5, { risk: 'medium' }),
      {
        kind: 'ask',
        by: 'owner',
        contact: 'email',
        report: 'stolen',
        shows: 'nothing',
        risk: 'low',
      },
      { kind: 'prove', back: 0, how: 'code', shown: 'right', risk: 'low' },
      { kind: 'bind', by: 'owner', level: 'software' },
    ),
  ],
  [
    followed(
      goOn(1),
      { kind: 'evidence', staff: 'ana', method: 'branch', isForAnybody: false },
      { kind: 'decide', staff: 'ana too', what: 'approve', saw: 'it' },
      { kind: 'decide', staff: 'the customer', what: 'approve', saw: 'it' },
      { kind: 'decide', staff: 'ben', what: 'approve', saw: 'it' },
      { kind: 'wait for the next timer' },
      { kind: 'bind', by: 'owner', level: 'software' },
    ),
  ],
  [
    followed(
      goOn(3),
      { kind: 'decide', staff: 'sue', what: 'send_back', saw: 'it' },
      { kind: 'wait', minutes: HOUR + 1 },
      goOn(2),
      { kind: 'bind', by: 'owner', level: 'software' },
    ),
  ],
  [
    followed(
      {
        kind: 'ask',
        by: 'thief',
        contact: 'phone',
        report: 'replaced',
        shows: 'nothing',
        risk: 'low',
      },
      { kind: 'prove', back: 0, how: 'code', shown: 'right', risk: 'low' },
      { kind: 'evidence', staff: 'ana', method: 'branch', isForAnybody: false },
      { kind: 'liveness', by: 'thief' },
      { kind: 'verdict', back: 0, outcome: 'passed', of: 'another key' },
      goOn(2),
      {
        kind: 'ask',
        by: 'thief',
        contact: 'phone',
        report: 'replaced',
        shows: 'nothing',
        risk: 'low',
      },
      { kind: 'prove', back: 0, how: 'link', shown: 'right', risk: 'low' },
    ),
  ],
  [followed(goOn(2, { report: 'lost', risk: 'high' }), { kind: 'wait', minutes: 31 * DAY })],
  [followed(goOn(4), { kind: 'object', from: 'phone' })],
  [followed(goOn(2), { kind: 'decide', staff: 'ben', what: 'refuse', saw: 'it' })],
  [followed(goOn(5), { kind: 'wait', minutes: DAY }, { kind: 'object', from: 'link' })],
  // What was seen of the owner is of no worth for the thief who joins.
  [
    [
      ...followed(goOn(1)),
      ...unheard(
        { kind: 'evidence', staff: 'ana', method: 'branch', isForAnybody: false },
        {
          kind: 'ask',
          by: 'thief',
          contact: 'email',
          report: 'replaced',
          shows: 'code',
          risk: 'low',
        },
      ),
      ...followed({ kind: 'sweep' }, ...thiefGoesOn),
    ],
  ],
  // A camera that is not sure of the thief.
  [
    followed(
      {
        kind: 'ask',
        by: 'thief',
        contact: 'email',
        report: 'replaced',
        shows: 'link',
        risk: 'low',
      },
      { kind: 'liveness', by: 'thief' },
      { kind: 'verdict', back: 0, outcome: 'below the figures', of: 'it' },
      ...thiefGoesOn,
    ),
  ],
  // A cut-off and its release before any bell is heard.
  [
    [
      ...followed(goOn(2)),
      ...unheard({ kind: 'fraud', areRowsEnded: false }, { kind: 'release hold' }),
      ...followed(goOn(3)),
    ],
  ],
  [
    followed(
      { kind: 'report phone', staff: 'sue', as: 'stolen' },
      { kind: 'ask', by: 'owner', contact: 'phone', report: 'broken', shows: 'code', risk: 'low' },
      goOn(5),
    ),
  ],
  [followed(goOn(3), { kind: 'object', from: 'phone, long after its passkey' })],
  // A proof in time whose bell came late, and a decision that the clock overtook.
  [[...followed(goOn(1)), ...unheard(goOn(1)), ...followed({ kind: 'wait', minutes: 8 * DAY })]],
  [
    [
      ...followed(goOn(3)),
      ...unheard(
        { kind: 'decide', staff: 'sue', what: 'send_back', saw: 'it' },
        { kind: 'wait', minutes: HOUR + 1 },
        { kind: 'forge', event: 'cooling_over', hasPasskey: false },
      ),
      ...followed({ kind: 'bind', by: 'owner', level: 'software' }),
    ],
  ],
];
