/** A login that needs one more proof: how it stands, for the key that began it. It ends in the tokens of a login. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';
import { STEP_UP_STATUSES } from '../../domain/step-up-status.ts';
import { STEP_UP_REASONS } from '../../domain/step-up.ts';
import { SentCodeView } from './customer-step-ups.ts';

export const LoginStepUpView = Type.Object(
  {
    stepUpId: Type.String({ pattern: idPattern('ceremony') }),
    status: Type.Enum([...STEP_UP_STATUSES] as (typeof STEP_UP_STATUSES)[number][], {
      description: 'second_factor: the code is waited for. approved: finish it.',
    }),
    reason: Type.Optional(Type.Enum([...STEP_UP_REASONS] as (typeof STEP_UP_REASONS)[number][])),
    approveBy: Type.String({ format: 'date-time', description: 'After that it expires.' }),
    code: Type.Optional(SentCodeView),
  },
  { additionalProperties: false },
);
export type LoginStepUpView = Static<typeof LoginStepUpView>;
