/** Where a follower of the cut-off feed goes on. */
import { Type } from 'typebox';

export const CutOffFeedQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,19}-[0-9]{1,19}-[0-9]{1,15}$',
        description: '`id` of the last event; everything that still matters when left out.',
      }),
    ),
  },
  { additionalProperties: false },
);
