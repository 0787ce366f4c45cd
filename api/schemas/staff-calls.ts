/** A verified call as the member of staff sees it: whether the person on the line has proved in the app to be the customer, and with what. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';
import { STEP_UP_STATUSES } from '../../domain/step-up-status.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) =>
  Type.Union([of, Type.Null()]);

export const CallCustomerParams = Type.Object({
  customerId: Type.String({ pattern: idPattern('customer') }),
});

export const CallParams = Type.Object({
  stepUpId: Type.String({ pattern: idPattern('ceremony') }),
});

export const StartCallBody = Type.Object(
  {
    caseReference: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}$',
      description: 'Shown to the customer beside the agent.',
    }),
  },
  closed,
);
export type StartCallBody = Static<typeof StartCallBody>;

export const CallView = Type.Object(
  {
    stepUpId: Type.String({ pattern: idPattern('ceremony') }),
    customerId: Type.String({ pattern: idPattern('customer') }),
    caseReference: Type.String(),
    status: Type.Enum([...STEP_UP_STATUSES] as (typeof STEP_UP_STATUSES)[number][], {
      description: 'approved: the customer has proved himself.',
    }),
    createdAt: Time('When it was asked for.'),
    approveBy: Time('After that it expires.'),
    approvedAt: OrNull(Time('When the customer proved himself.')),
    provedSecondsAgo: OrNull(Type.Integer({ minimum: 0 })),
    method: OrNull(Type.Literal('passkey')),
    deviceName: OrNull(Type.String()),
    deviceTrustedSince: OrNull(Time('Of the device he used.')),
  },
  closed,
);
export type CallView = Static<typeof CallView>;
