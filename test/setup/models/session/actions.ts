/** What may happen in a customer's life, drawn at random: rounds of things that happen at once, with time between them. */
import fc from 'fast-check';
import type { LogoutScope } from '../../../../sdk/types.ts';
import type { RoundOf } from '../rounds.ts';

/** The enrolled phone, and a second installation whose key is of no device. Whoever cloned the first has its key. */
export type Holder = 'handset' | 'tablet';

/** Which session of the holder, counted back from the youngest. */
interface OfSession {
  readonly holder: Holder;
  readonly session: number;
}

export type Action =
  | { readonly kind: 'login'; readonly holder: Holder }
  | (OfSession & {
      readonly kind: 'refresh';
      /** Counted back from the newest generation that arrived. */
      readonly back: number;
      /** `honest` and `clone` choose one id a generation and keep to it; `new` never asks twice. */
      readonly asker: 'honest' | 'clone' | 'new' | 'nameless';
      readonly how: 'once' | 'lost' | 'twice' | 'wrong key';
    })
  | (OfSession & { readonly kind: 'check'; readonly back: number; readonly isThief: boolean })
  | (OfSession & { readonly kind: 'logout'; readonly scope: LogoutScope })
  | (OfSession & { readonly kind: 'end one'; readonly target: Holder })
  | (OfSession & {
      readonly kind: 'introspect' | 'give back';
      readonly use: 'access' | 'refresh';
      readonly back: number;
    })
  | { readonly kind: 'cut off' }
  | { readonly kind: 'release' };

export type Round = RoundOf<Action, 'session' | 'customer'>;

const holder = fc.constantFrom<Holder[]>('handset', 'handset', 'handset', 'tablet');
const session = fc.constantFrom(0, 0, 0, 0, 0, 1);

const refresh = fc.record({
  kind: fc.constant('refresh' as const),
  holder,
  session,
  back: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3),
  asker: fc.constantFrom(
    ...(['honest', 'honest', 'honest', 'honest', 'clone', 'clone', 'new', 'nameless'] as const),
  ),
  how: fc.constantFrom(
    ...(['once', 'once', 'once', 'once', 'lost', 'lost', 'twice', 'wrong key'] as const),
  ),
});
const check = fc.record({
  kind: fc.constant('check' as const),
  holder,
  session,
  back: fc.constantFrom(0, 0, 0, 1),
  isThief: fc.constantFrom(false, false, false, false, false, true),
});
const logout = fc.record({
  kind: fc.constant('logout' as const),
  holder,
  session,
  scope: fc.constantFrom<LogoutScope[]>('this', 'this', 'others', 'everywhere'),
});
const endOne = fc.record({
  kind: fc.constant('end one' as const),
  holder,
  session,
  target: fc.constantFrom<Holder[]>('handset', 'tablet'),
});
const shown = fc.record({
  kind: fc.constantFrom(...(['introspect', 'introspect', 'introspect', 'give back'] as const)),
  holder,
  session,
  use: fc.constantFrom(...(['access', 'refresh'] as const)),
  back: fc.constantFrom(0, 0, 1),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: refresh },
  { weight: 5, arbitrary: check },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('login' as const), holder }) },
  { weight: 1, arbitrary: logout },
  { weight: 1, arbitrary: endOne },
  { weight: 3, arbitrary: shown },
  { weight: 1, arbitrary: fc.constant({ kind: 'cut off' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'release' as const }) },
);

const round: fc.Arbitrary<Round> = fc.record({
  waitMs: fc.constantFrom(0, 0, 0, 0, 1_000, 6_000, 299_000, 300_000, 599_000, 600_000),
  stall: fc.constantFrom('none', 'none', 'session', 'customer'),
  lanes: fc.array(fc.array(action, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
});

/** After a login of the handset, which each life begins with. */
export const lives = fc.array(round, { minLength: 3, maxLength: 12, size: 'max' });

export function describeAction(one: Action): string {
  return Object.values(one).join(' ');
}
