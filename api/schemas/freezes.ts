/** What is sent and told when an account is frozen, and when the freeze is lifted. Nothing here names a customer to whoever does not know him. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';
import { EndSessionBody } from './staff-customers.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });

export const FrozenAnswer = Type.Object(
  { frozenUntil: Time('When it ends by itself, unless it is lifted before.') },
  closed,
);
export type FrozenAnswer = Static<typeof FrozenAnswer>;

export const FreezeLiftedAnswer = Type.Object({ frozenUntil: Type.Null() }, closed);

export const FreezeLinkBody = Type.Object(
  {
    token: Type.String({
      pattern: '^[A-Za-z0-9_-]{1,200}$',
      description: 'What stood in the fragment of the link.',
    }),
  },
  closed,
);

export const FreezeRequestBody = Type.Object(
  {
    clientId: Type.String({ minLength: 1, maxLength: 100, description: 'The app.' }),
    phone: Type.String({
      minLength: 4,
      maxLength: 40,
      description: 'The number that the bank knows, with its country code.',
    }),
  },
  closed,
);

export const FreezeRequestAnswer = Type.Object(
  {
    requestId: Type.String(),
    expiresAt: Time('Until when a code is good, if one was sent: the answer never tells.'),
  },
  closed,
);
export type FreezeRequestAnswer = Static<typeof FreezeRequestAnswer>;

export const FreezeRequestParams = Type.Object(
  { requestId: Type.String({ pattern: idPattern('freezeRequest') }) },
  closed,
);

/** The reasons that staff pick everywhere. */
export const StaffFreezeBody = EndSessionBody;
