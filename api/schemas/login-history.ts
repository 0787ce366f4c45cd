/** What a customer reads of his own logins. */
import { Type, type Static } from 'typebox';
import { HISTORY_EVENTS } from '../../db/login-history.ts';
import type { HistoryEvent } from '../../db/login-history.ts';
import { NextCursor } from '../page-cursor.ts';

const closed = { additionalProperties: false } as const;
const OrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

export const HistoryEntryView = Type.Object(
  {
    entryId: Type.String({ description: 'Opaque, and the same at every reading.' }),
    at: Type.String({ format: 'date-time' }),
    event: Type.Unsafe<HistoryEvent>({ type: 'string', enum: [...HISTORY_EVENTS] }),
    by: Type.Union([Type.Literal('you'), Type.Literal('bank')], {
      description: 'Who did it; `bank` where nobody did, as when a time ran out.',
    }),
    reason: OrNull('Why it ended or was refused, as a code.'),
    sessionId: OrNull('The session that it was about.'),
    current: Type.Boolean({ description: 'About the session that asks.' }),
    deviceName: OrNull('As the customer named it; null: a key that belongs to no device.'),
    platform: OrNull('Such as `ios`.'),
    model: OrNull('As the app reported it.'),
    place: OrNull(
      'Where the login came from; null where unknown, and for a session that may only read.',
    ),
    acr: OrNull('How strong the session was when it began.'),
  },
  closed,
);
export type HistoryEntryView = Static<typeof HistoryEntryView>;

export const LoginHistoryAnswer = Type.Object(
  { entries: Type.Array(HistoryEntryView, { maxItems: 100 }), next: NextCursor },
  closed,
);
