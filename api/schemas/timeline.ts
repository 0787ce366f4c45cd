/** Which part of the audit trail a reader wants, and from where on. */
import { Type } from 'typebox';
import { idPattern } from '../../domain/ids.ts';

export const TimelineQuery = Type.Object(
  {
    customerId: Type.Optional(Type.String({ pattern: idPattern('customer') })),
    ceremonyId: Type.Optional(Type.String({ pattern: idPattern('ceremony') })),
    after: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,15}$',
        description: 'The position of the last entry that the reader has; `Last-Event-ID` wins.',
      }),
    ),
  },
  { additionalProperties: false },
);
