/** What a service of the bank asks of a customer, and what it is told. */
import { Type, type Static } from 'typebox';
import { ACTION_TYPES } from '../../domain/action-types.ts';
import { idPattern } from '../../domain/ids.ts';
import { STEP_UP_STATUSES } from '../../domain/step-up-status.ts';
import { STEP_UP_REASONS } from '../../domain/step-up.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });
const MaybeTime = (description: string) => Type.Union([Time(description), Type.Null()]);
const OneOf = <const T extends readonly string[]>(words: T, description: string) =>
  Type.Enum([...words] as T[number][], { description });
const STRENGTHS = ['latchkey:3', 'latchkey:4'] as const;

export const RequestedParams = Type.Object({
  stepUpId: Type.String({ pattern: idPattern('ceremony') }),
});

/** The longest that one question waits, in seconds. */
export const LONGEST_WAIT_SECONDS = 30;

export const WaitQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.String({
        pattern: '^([0-9]|[12][0-9]|30)$',
        description: `Seconds, at most ${String(LONGEST_WAIT_SECONDS)}: the answer comes when the customer has answered or it has ended, or after that time as it stands then.`,
      }),
    ),
  },
  closed,
);

/** Closed and judged member by member by domain/action.ts, which says what is wrong; docs/actions/ has the JSON Schema of each built-in type. */
const ActionBody = Type.Object(
  { type: Type.String({ minLength: 1, maxLength: 64 }) },
  {
    additionalProperties: true,
    description: `The action, by the JSON Schema of its type (${Object.keys(ACTION_TYPES).join(', ')}). Amounts are decimals as text.`,
  },
);

export const RequestStepUpBody = Type.Object(
  {
    customerId: Type.String({ pattern: idPattern('customer') }),
    action: ActionBody,
    reference: Type.String({
      pattern: '^[A-Za-z0-9_.:-]{1,100}$',
      description:
        'Your own name for it. A newer request with the same one takes the place of the older.',
    }),
    sessionId: Type.Optional(
      Type.String({
        pattern: idPattern('session'),
        description: 'The session it came from: it must be alive.',
      }),
    ),
    deviceId: Type.Optional(
      Type.String({
        pattern: idPattern('device'),
        description: 'The only device that may answer.',
      }),
    ),
    atLeast: Type.Optional(OneOf(STRENGTHS, 'Ask for more than the policy would.')),
    locale: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$',
        maxLength: 35,
        description: 'BCP 47; the customer’s own when left out.',
      }),
    ),
  },
  closed,
);
export type RequestStepUpBody = Static<typeof RequestStepUpBody>;

export const NotRequired = Type.Object(
  {
    status: Type.Literal('not_required'),
    required: Type.Literal('none', {
      description: 'Below every threshold, counted into the customer’s day.',
    }),
  },
  closed,
);

export const StepUpView = Type.Object(
  {
    stepUpId: Type.String({ pattern: idPattern('ceremony') }),
    status: OneOf(STEP_UP_STATUSES, 'pending and second_factor wait for the customer.'),
    reason: Type.Optional(OneOf(STEP_UP_REASONS, 'Why it ended as it did.')),
    type: Type.String({ description: 'Of the action.' }),
    required: OneOf(STRENGTHS, 'latchkey:3: passkey and approval key. latchkey:4: a code too.'),
    createdAt: Time('When it was asked for.'),
    approveBy: Time('After that it expires.'),
    acr: Type.Optional(OneOf(STRENGTHS, 'What was proved.')),
    risk: Type.Optional(Type.String({ description: 'As the risk engine said at the approval.' })),
    approvedAt: MaybeTime('When the last factor was proved.'),
    consumableAt: MaybeTime('Not before that.'),
    consumeBy: MaybeTime('Not after that.'),
    consumedAt: MaybeTime('When it was used.'),
    endedAt: MaybeTime('When it ended, however.'),
    receiptId: Type.Union([Type.String(), Type.Null()], {
      description: 'Of the signed receipt; null until it is made.',
    }),
  },
  closed,
);
export type StepUpView = Static<typeof StepUpView>;

export type RequestedStepUp = StepUpView | Static<typeof NotRequired>;

export const ConsumeBody = Type.Object({ action: ActionBody }, closed);

export const ConsumedView = Type.Object(
  {
    stepUpId: Type.String({ pattern: idPattern('ceremony') }),
    status: Type.Literal('consumed'),
    consumedAt: Time('When it was used: the first time.'),
    approvedAt: Time('When it was approved.'),
    acr: OneOf(STRENGTHS, 'What was proved.'),
    receiptId: Type.Union([Type.String(), Type.Null()]),
    isRepeat: Type.Boolean({
      description: 'It was used before, by you: this is the old fact. Do not carry it out again.',
    }),
    revokedSince: Type.Optional(Time('The first cut-off of the customer since it was used.')),
  },
  closed,
);
export type ConsumedView = Static<typeof ConsumedView>;
