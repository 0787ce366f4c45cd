/**
 * What may happen around one customer's recoveries, as data that fast-check draws and shrinks: messages of the owner, a thief, a stranger, staff, the
 * liveness vendor, the fraud engine and the clock, in any order, each followed by the case's workflow at once or left lying.
 */
import fc from 'fast-check';
import { RECOVERY_EVENTS, type RecoveryEvent } from '../../../../domain/recovery.ts';

/** Keys of phones. The first two are the owner's new ones. */
export const HANDS = ['owner', 'spare', 'thief', 'stranger'] as const;
export type Hand = (typeof HANDS)[number];

/** Accounts of the desk: Ana has two of them, and one belongs to the customer. */
export const DESK = ['ana', 'ben', 'sue', 'sam', 'ana too', 'the customer'] as const;
export type Colleague = (typeof DESK)[number];

export type Report = 'lost' | 'stolen' | 'broken' | 'replaced';
export type RiskFound = 'low' | 'medium' | 'high' | 'not_evaluated';
export type StaffEvidence = 'branch' | 'video' | 'document' | 'call_back' | 'verified_call';

export type Action =
  | {
      readonly kind: 'ask';
      readonly by: Hand;
      readonly contact: 'email' | 'phone';
      readonly report: Report;
      /** What it was sent is shown at once. */
      readonly shows: 'nothing' | 'code' | 'link';
      readonly risk: RiskFound;
    }
  | {
      readonly kind: 'prove';
      readonly back: number;
      readonly how: 'code' | 'link';
      readonly shown: 'right' | 'wrong' | 'by another';
      readonly risk: RiskFound;
    }
  | {
      readonly kind: 'staff opens';
      readonly staff: Colleague;
      readonly report: Report;
      readonly risk: RiskFound;
    }
  | { readonly kind: 'liveness'; readonly by: Hand }
  | {
      readonly kind: 'verdict';
      readonly back: number;
      readonly outcome:
        | 'passed'
        | 'failed'
        | 'low_confidence'
        | 'injection_suspected'
        | 'timed_out'
        | 'below the figures';
      readonly of: 'it' | 'another case' | 'another key' | 'another session' | 'another attempt';
    }
  | {
      readonly kind: 'evidence';
      readonly staff: Colleague;
      readonly method: StaffEvidence;
      readonly isForAnybody: boolean;
    }
  | { readonly kind: 'confirm'; readonly staff: Colleague; readonly back: number }
  | {
      readonly kind: 'decide';
      readonly staff: Colleague;
      readonly what: 'approve' | 'refuse' | 'send_back' | 'release';
      readonly saw: 'it' | 'an earlier one';
    }
  | {
      readonly kind: 'object';
      readonly from: 'link' | 'phone' | 'phone, long after its passkey' | 'nobody’s phone';
    }
  | { readonly kind: 'shorten'; readonly from: 'phone' | 'nobody’s phone' }
  | { readonly kind: 'report phone'; readonly staff: Colleague; readonly as: 'lost' | 'stolen' }
  | { readonly kind: 'cancel'; readonly by: Hand }
  | { readonly kind: 'fraud'; readonly areRowsEnded: boolean }
  | { readonly kind: 'release hold' }
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'wait for the next timer' }
  | { readonly kind: 'sweep' }
  /** Whoever can write to Temporal says that this has happened. */
  | { readonly kind: 'forge'; readonly event: RecoveryEvent; readonly hasPasskey: boolean }
  | { readonly kind: 'bind'; readonly by: Hand; readonly level: 'software' | 'hardware' }
  /** The next thing that owner and desk would do if all were well. */
  | {
      readonly kind: 'go on';
      readonly report: Report;
      readonly risk: RiskFound;
      readonly times: number;
    };

export type ActionOf<K extends Action['kind']> = Extract<Action, { kind: K }>;

export interface Step {
  readonly action: Action;
  /** The workflow is rung after it, and follows. */
  readonly isFollowed: boolean;
}

const HOUR = 60;
const DAY = 24 * HOUR;

const hand = fc.constantFrom(...HANDS);
const colleague = fc.constantFrom(...DESK);
const report = fc.constantFrom<Report>('broken', 'lost', 'stolen', 'replaced');
const risk = fc.constantFrom<RiskFound>('low', 'low', 'medium', 'not_evaluated', 'high');
const back = fc.constantFrom(0, 0, 0, 1, 2);
const is = (kind: Action['kind']) => fc.constant(kind);

/** Each kind as often as it is worth it. */
const action = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: is('go on'),
      report,
      risk,
      times: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: is('ask'),
      by: hand,
      contact: fc.constantFrom('email', 'phone'),
      report,
      shows: fc.constantFrom('nothing', 'code', 'link'),
      risk,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: is('prove'),
      back,
      how: fc.constantFrom('code', 'link'),
      shown: fc.constantFrom('right', 'right', 'right', 'wrong', 'by another'),
      risk,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: is('staff opens'), staff: colleague, report, risk }) },
  { weight: 3, arbitrary: fc.record({ kind: is('liveness'), by: hand }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: is('verdict'),
      back,
      outcome: fc.constantFrom(
        'passed',
        'passed',
        'passed',
        'failed',
        'low_confidence',
        'injection_suspected',
        'timed_out',
        'below the figures',
      ),
      of: fc.constantFrom(
        'it',
        'it',
        'it',
        'another case',
        'another key',
        'another session',
        'another attempt',
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: is('evidence'),
      staff: colleague,
      method: fc.constantFrom('branch', 'video', 'document', 'call_back', 'verified_call'),
      isForAnybody: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: is('confirm'), staff: colleague, back }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: is('decide'),
      staff: colleague,
      what: fc.constantFrom(
        'approve',
        'approve',
        'approve',
        'approve',
        'approve',
        'approve',
        'approve',
        'send_back',
        'send_back',
        'release',
        'refuse',
      ),
      saw: fc.constantFrom('it', 'it', 'it', 'an earlier one'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: is('object'),
      from: fc.constantFrom(
        'link',
        'link',
        'phone',
        'phone, long after its passkey',
        'nobody’s phone',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: is('shorten'),
      from: fc.constantFrom('phone', 'phone', 'nobody’s phone'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: is('report phone'),
      staff: colleague,
      as: fc.constantFrom('lost', 'stolen'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: is('cancel'), by: hand }) },
  { weight: 2, arbitrary: fc.record({ kind: is('fraud'), areRowsEnded: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: is('release hold') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: is('wait'),
      minutes: fc.constantFrom(
        1,
        14,
        16,
        HOUR - 1,
        HOUR + 1,
        5 * HOUR,
        DAY,
        3 * DAY + 1,
        8 * DAY,
        31 * DAY,
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: is('wait for the next timer') }) },
  { weight: 1, arbitrary: fc.record({ kind: is('sweep') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: is('forge'),
      event: fc.constantFrom(...RECOVERY_EVENTS),
      hasPasskey: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: is('bind'),
      by: hand,
      level: fc.constantFrom('software', 'hardware'),
    }),
  },
) as fc.Arbitrary<Action>; // `is` widens the literal of each kind, which the records above name one by one.

export const lives: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ action, isFollowed: fc.constantFrom(true, true, true, false) }),
  { minLength: 8, maxLength: 26, size: 'max' },
);
