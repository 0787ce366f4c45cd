/** What may happen around one customer's approvals, drawn at random: rounds of things that happen at once, with time between them. */
import fc from 'fast-check';
import type { RoundOf } from '../rounds.ts';

/** Two services that ask, two things they ask for, two amounts: one needs keys, the other a code too. */
export type Requester = 'payments' | 'cards';
export type Reference = 'one' | 'two';
export type Amount = '400.00' | '40000.00';

/** Counted back from the youngest: of step-ups, openings, or approvals that were signed. */
interface Back {
  readonly back: number;
}

export type Action =
  | {
      readonly kind: 'ask';
      readonly requester: Requester;
      readonly reference: Reference;
      readonly amount: Amount;
    }
  | (Back & { readonly kind: 'open'; readonly locale: 'en' | 'de' })
  /** Signs what an opening showed and hands it in; nobody rings the workflow yet. */
  | (Back & { readonly kind: 'sign' })
  /** Rings the workflow for what was handed in, now or long after: a zombie, when much has happened since. */
  | (Back & { readonly kind: 'ring'; readonly times: 1 | 2 })
  | (Back & { readonly kind: 'code'; readonly code: 'right' | 'wrong' | 'of another' })
  | (Back & { readonly kind: 'deny'; readonly reason: 'not_me' | 'declined' })
  | (Back & { readonly kind: 'cancel'; readonly isOther: boolean })
  | (Back & {
      readonly kind: 'consume';
      readonly isOther: boolean;
      readonly amount: 'right' | Amount;
    })
  | { readonly kind: 'cut off' | 'end rows' | 'release' }
  /** What an undisturbed approval takes, one after the other, so far. */
  | {
      readonly kind: 'go through';
      readonly requester: Requester;
      readonly amount: Amount;
      readonly upTo: 'signed' | 'proved' | 'approved';
    };

export interface Round extends RoundOf<Action, 'ceremony' | 'customer'> {
  /** Afterwards, when nothing else is under way: it leaves alone what others hold. */
  readonly isSwept: boolean;
}

const back = fc.constantFrom(0, 0, 0, 0, 0, 1, 1, 2);
const requester = fc.constantFrom<Requester[]>('payments', 'payments', 'cards');
const amount = fc.constantFrom<Amount[]>('400.00', '400.00', '40000.00');

const ask = fc.record({
  kind: fc.constant('ask' as const),
  requester,
  reference: fc.constantFrom<Reference[]>('one', 'two'),
  amount,
});
const open = fc.record({
  kind: fc.constant('open' as const),
  back,
  locale: fc.constantFrom('en' as const, 'de' as const),
});
const sign = fc.record({ kind: fc.constant('sign' as const), back });
const ring = fc.record({
  kind: fc.constant('ring' as const),
  back,
  times: fc.constantFrom<(1 | 2)[]>(1, 1, 2),
});
const code = fc.record({
  kind: fc.constant('code' as const),
  back,
  code: fc.constantFrom(...(['right', 'right', 'right', 'wrong', 'of another'] as const)),
});
const deny = fc.record({
  kind: fc.constant('deny' as const),
  back,
  reason: fc.constantFrom(...(['declined', 'declined', 'declined', 'not_me'] as const)),
});
const cancel = fc.record({
  kind: fc.constant('cancel' as const),
  back,
  isOther: fc.constantFrom(false, false, true),
});
const consume = fc.record({
  kind: fc.constant('consume' as const),
  back,
  isOther: fc.constantFrom(false, false, false, false, true),
  amount: fc.constantFrom<('right' | Amount)[]>('right', 'right', 'right', '400.00', '40000.00'),
});
const goThrough = fc.record({
  kind: fc.constant('go through' as const),
  requester,
  amount,
  upTo: fc.constantFrom(...(['signed', 'proved', 'approved', 'approved'] as const)),
});
const only = <Kind extends string>(kind: Kind) => fc.constant({ kind });

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: ask },
  { weight: 4, arbitrary: open },
  { weight: 4, arbitrary: sign },
  { weight: 5, arbitrary: ring },
  { weight: 4, arbitrary: code },
  { weight: 2, arbitrary: deny },
  { weight: 2, arbitrary: cancel },
  { weight: 9, arbitrary: consume },
  { weight: 4, arbitrary: goThrough },
  { weight: 3, arbitrary: only('cut off') },
  { weight: 1, arbitrary: only('end rows') },
  { weight: 2, arbitrary: only('release') },
);

const stall = fc.constantFrom<Round['stall'][]>('none', 'ceremony', 'customer');
const isSwept = fc.constantFrom(false, false, true);

const round: fc.Arbitrary<Round> = fc.record({
  waitMs: fc.constantFrom(0, 0, 0, 0, 0, 29_999, 30_000, 299_999, 300_000, 599_999, 600_000),
  isSwept,
  stall,
  lanes: fc.array(fc.array(action, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 4 }),
});

/** Everybody wants the same step-up at the same moment, in whatever state it had come to in peace. */
const duel: fc.Arbitrary<Round[]> = fc
  .record({
    first: goThrough,
    waitMs: fc.constantFrom(0, 0, 0, 0, 299_999, 599_999, 600_000),
    isSwept,
    stall,
    lanes: fc.array(fc.oneof(consume, ring, code, deny, cancel, open, only('cut off')), {
      minLength: 2,
      maxLength: 4,
    }),
  })
  .map(({ first, lanes, ...then }) => [
    { waitMs: 0, isSwept: false, stall: 'none', lanes: [[{ kind: 'release' }, first]] },
    { ...then, lanes: lanes.map((one) => [{ ...one, ...('back' in one ? { back: 0 } : {}) }]) },
  ]);

/** After one approval that nobody disturbs but may use: each life begins with it. */
export const lives = fc
  .array(
    fc.oneof(
      round.map((one) => [one]),
      duel,
    ),
    { minLength: 1, maxLength: 4, size: 'max' },
  )
  .map((parts) => parts.flat());

const calmly = (...lane: readonly Action[]): Round => ({
  waitMs: 0,
  isSwept: false,
  stall: 'none',
  lanes: [lane],
});
const use: Action = { kind: 'consume', back: 0, isOther: false, amount: 'right' };
const approveHigh: Action = {
  kind: 'go through',
  requester: 'cards',
  amount: '40000.00',
  upTo: 'approved',
};

/** Where the dangers are, so that every run comes there: used, used again, and after a cut-off; a code; an answer to a former opening. */
export const CERTAIN_LIVES: readonly [Round[]][] = [
  [[calmly(approveHigh), { ...calmly(), stall: 'ceremony', lanes: [[use], [use]] }, calmly(use)]],
  [[calmly(approveHigh), calmly({ kind: 'cut off' }), calmly(use)]],
  [
    [
      calmly({ ...approveHigh, upTo: 'signed' }),
      calmly({ kind: 'open', back: 0, locale: 'de' }, { kind: 'ring', back: 0, times: 2 }),
    ],
  ],
];

export function describeAction(one: Action): string {
  return Object.values(one).join(' ');
}
