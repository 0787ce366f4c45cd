/** What staff see of a customer: masked, in the same shape whether he was found by his id or his number. A number never stands in an address. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';
import { NextCursor } from '../page-cursor.ts';
import { HoldView } from './staff-holds.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });
const Masked = (example: string) =>
  Type.Union([Type.String(), Type.Null()], { description: `Masked, as ${example}.` });

export const CustomerSearchBody = Type.Object(
  {
    phone: Type.String({
      minLength: 3,
      maxLength: 40,
      description: 'With its country code. Only a number that was proved finds anybody.',
    }),
  },
  closed,
);

export const CustomerParams = Type.Object(
  { customerId: Type.String({ pattern: idPattern('customer') }) },
  closed,
);

export const CustomerView = Type.Object(
  {
    customerId: Type.String(),
    status: Type.Union([Type.Literal('prospect'), Type.Literal('active'), Type.Literal('erased')]),
    epoch: Type.Integer({ minimum: 1 }),
    createdAt: Time('When the first enrollment was begun.'),
    givenName: Masked('A···'),
    phone: Masked('+64 ··· 123'),
    email: Masked('a···@…'),
    liveSessions: Type.Integer({ minimum: 0 }),
    hold: Type.Union([HoldView, Type.Null()]),
    frozenUntil: Type.Union([Time('Until when no money moves, unless it is lifted.'), Type.Null()]),
    devices: Type.Array(
      Type.Object(
        {
          deviceId: Type.String(),
          name: Type.String({ description: 'As the customer named it.' }),
          platform: Type.String(),
          status: Type.String(),
          reportedAs: Type.Union([Type.String(), Type.Null()], {
            description: '`lost` or `stolen`, when it was reported.',
          }),
          attestationLevel: Type.String(),
        },
        closed,
      ),
      { maxItems: 50 },
    ),
  },
  closed,
);
export type CustomerView = Static<typeof CustomerView>;

export const CustomersAnswer = Type.Object(
  {
    customers: Type.Array(CustomerView, {
      maxItems: 1,
      description: 'Empty when the number is nobody’s.',
    }),
  },
  closed,
);

export const CustomerSessionView = Type.Object(
  {
    sessionId: Type.String(),
    standing: Type.Union(
      [
        Type.Literal('good'),
        Type.Literal('session_ended'),
        Type.Literal('customer_on_hold'),
        Type.Literal('device_not_allowed'),
      ],
      { description: 'What its next request would be told.' },
    ),
    deviceId: Type.Union([Type.String(), Type.Null()]),
    deviceName: Type.Union([Type.String(), Type.Null()]),
    platform: Type.Union([Type.String(), Type.Null()]),
    clientId: Type.String(),
    acr: Type.String(),
    startedAt: Time('When the passkey was used.'),
    lastSeenAt: Time('When tokens were last issued.'),
    absoluteExpiresAt: Time('When it ends at the latest.'),
  },
  closed,
);
export type CustomerSessionView = Static<typeof CustomerSessionView>;

export const CustomerSessionsAnswer = Type.Object(
  { sessions: Type.Array(CustomerSessionView, { maxItems: 100 }), next: NextCursor },
  closed,
);

export const SessionParams = Type.Object(
  { sessionId: Type.String({ pattern: idPattern('session') }) },
  closed,
);

export const EndSessionBody = Type.Object(
  {
    reason: Type.Union(
      [
        Type.Literal('customer_request'),
        Type.Literal('lost_device'),
        Type.Literal('suspicious_activity'),
        Type.Literal('other'),
      ],
      { description: 'Why, as a code: it stands in the audit.' },
    ),
  },
  closed,
);

export const EndedSessionAnswer = Type.Object(
  {
    sessionId: Type.String(),
    customerId: Type.String(),
    endReason: Type.String({ description: '`ended_by_staff`, unless it had ended before.' }),
    endedAt: Time('When it ended.'),
  },
  closed,
);
