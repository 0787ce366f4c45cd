/** What could not be delivered, without what it carries. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';
import { NextCursor } from '../page-cursor.ts';

const closed = { additionalProperties: false } as const;

export const DeadLetterView = Type.Object(
  {
    outboxId: Type.String(),
    topic: Type.String(),
    subject: Type.String({ description: 'The id of what it is about.' }),
    errorCode: Type.Union([Type.String(), Type.Null()]),
    attempts: Type.Integer({ minimum: 0 }),
    createdAt: Type.String({ format: 'date-time' }),
    eventType: Type.Union([Type.String(), Type.Null()], { description: 'Of an event; else null.' }),
    sinks: Type.Array(Type.String(), {
      description: 'Which sinks an event is parked for; a retry is for all of them.',
    }),
  },
  closed,
);
export type DeadLetterView = Static<typeof DeadLetterView>;

export const DeadLettersAnswer = Type.Object(
  { deadLetters: Type.Array(DeadLetterView, { maxItems: 100 }), next: NextCursor },
  closed,
);

export const DeadLetterParams = Type.Object(
  { outboxId: Type.String({ pattern: idPattern('outbox') }) },
  closed,
);

export const RetriedAnswer = Type.Object(
  { outboxId: Type.String({ description: 'Due again, at its old place in the order.' }) },
  closed,
);
