/** What a customer sees of himself and of his sessions, and how he ends them. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });

const OrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

export const LogoutBody = Type.Object(
  {
    scope: Type.Union([Type.Literal('this'), Type.Literal('others'), Type.Literal('everywhere')], {
      description: 'Which of the customer’s sessions to end.',
    }),
  },
  closed,
);
export type LogoutScope = Static<typeof LogoutBody>['scope'];

export const LogoutAnswer = Type.Object(
  { ended: Type.Integer({ minimum: 0, description: 'How many sessions this call ended.' }) },
  closed,
);

export const SessionView = Type.Object(
  {
    sessionId: Type.String(),
    current: Type.Boolean({ description: 'The session that asks.' }),
    deviceId: OrNull('null: a key that belongs to no device.'),
    deviceName: OrNull('As the customer named it; null: a key that belongs to no device.'),
    platform: OrNull('Such as `ios`.'),
    model: OrNull('As the app reported it.'),
    place: OrNull(
      'Where the login came from, coarsely; null where that is unknown, and for a session that may only read.',
    ),
    acr: Type.String(),
    amr: Type.Array(Type.String(), { description: 'How it was proved, by RFC 8176.' }),
    startedAt: Time('When the passkey was used.'),
    lastSeenAt: Time('When tokens were last issued.'),
    idleExpiresAt: Time('When it ends unless it is refreshed.'),
    absoluteExpiresAt: Time('When it ends at the latest.'),
  },
  closed,
);

export type SessionView = Static<typeof SessionView>;

export const SessionsAnswer = Type.Object(
  { sessions: Type.Array(SessionView, { maxItems: 100 }) },
  closed,
);

export const OwnSessionParams = Type.Object(
  { sessionId: Type.String({ pattern: idPattern('session') }) },
  closed,
);

export const EndedOwnSession = Type.Object(
  {
    sessionId: Type.String(),
    endReason: Type.String({ description: '`ended_by_customer`, unless it had ended before.' }),
    endedAt: Time('When it ended.'),
  },
  closed,
);

const Masked = Type.Union([Type.String(), Type.Null()], {
  description: 'Masked; null when there is none.',
});

export const MeAnswer = Type.Object(
  {
    customerId: Type.String(),
    givenName: Type.Union([Type.String(), Type.Null()], {
      description: 'An initial only, where the session is not from a trusted device.',
    }),
    phone: Masked,
    email: Masked,
    frozenUntil: Type.Union([
      Time('Until then no money moves and nothing sensitive changes.'),
      Type.Null(),
    ]),
    device: Type.Union([
      Type.Object(
        {
          deviceId: Type.String(),
          name: Type.String(),
          platform: Type.String(),
          status: Type.String(),
          attestationLevel: Type.String(),
        },
        closed,
      ),
      Type.Null(),
    ]),
    session: Type.Object(
      {
        sessionId: Type.String(),
        acr: Type.String(),
        amr: Type.Array(Type.String()),
        authTime: Time('When the passkey was used.'),
        epoch: Type.Integer(),
        idleExpiresAt: Time('When it ends unless it is refreshed.'),
        absoluteExpiresAt: Time('When it ends at the latest.'),
      },
      closed,
    ),
    claims: Type.Record(Type.String(), Type.Unknown(), {
      description: 'Of the access token that asked.',
    }),
  },
  closed,
);
export type MeAnswer = Static<typeof MeAnswer>;
