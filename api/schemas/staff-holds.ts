/** What staff see of holds and of requests to lift them, and how they ask and decide. Ids and codes; names are those of staff. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';
import { NextCursor, PAGE_PARAMETERS } from '../page-cursor.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });

export const HoldView = Type.Object(
  {
    holdId: Type.String(),
    customerId: Type.String(),
    reason: Type.String({ description: 'Code of whoever placed it.' }),
    placedBy: Type.String(),
    placedAt: Time('When the cut-off was committed.'),
    epoch: Type.Integer({ description: 'The customer’s security epoch now.' }),
    approvalId: Type.Union([Type.String(), Type.Null()], {
      description: 'The request for its release that waits for a second person.',
    }),
  },
  closed,
);
export type HoldView = Static<typeof HoldView>;

export const HoldsAnswer = Type.Object(
  { holds: Type.Array(HoldView, { maxItems: 100 }), next: NextCursor },
  closed,
);

export const HoldParams = Type.Object(
  { holdId: Type.String({ pattern: idPattern('hold') }) },
  closed,
);

export const ReleaseRequestBody = Type.Object(
  {
    reason: Type.Union([Type.Literal('false_alarm'), Type.Literal('customer_verified')], {
      description: 'Why, as a code: it stands in the audit.',
    }),
  },
  closed,
);

export const ApprovalView = Type.Object(
  {
    approvalId: Type.String(),
    holdId: Type.String(),
    customerId: Type.String(),
    reason: Type.String(),
    status: Type.Union(
      [
        Type.Literal('pending'),
        Type.Literal('approved'),
        Type.Literal('declined'),
        Type.Literal('expired'),
        Type.Literal('void'),
      ],
      { description: '`void`: what was to be approved has changed since.' },
    ),
    preparedBy: Type.String(),
    preparedByName: Type.String(),
    preparedAt: Time('When it was asked for.'),
    expiresAt: Time('From then on it can be approved no more.'),
    decidedBy: Type.Union([Type.String(), Type.Null()]),
    decidedByName: Type.Union([Type.String(), Type.Null()]),
    decidedAt: Type.Union([Time('When it was decided or fell.'), Type.Null()]),
  },
  closed,
);
export type ApprovalView = Static<typeof ApprovalView>;

export const ApprovalsQuery = Type.Object(
  {
    ...PAGE_PARAMETERS,
    status: Type.Optional(
      Type.Literal('pending', { description: 'Only those that wait for a second person.' }),
    ),
  },
  closed,
);

export const ApprovalsAnswer = Type.Object(
  { approvals: Type.Array(ApprovalView, { maxItems: 100 }), next: NextCursor },
  closed,
);

export const ApprovalParams = Type.Object(
  { approvalId: Type.String({ pattern: idPattern('approval') }) },
  closed,
);

export const ApprovedAnswer = Type.Object(
  {
    approvalId: Type.String(),
    holdId: Type.String({ description: 'The hold that was lifted.' }),
    releasedAt: Time('When it was lifted.'),
    devices: Type.Integer({ minimum: 0, description: 'Devices reinstated.' }),
    credentials: Type.Integer({ minimum: 0, description: 'Passkeys reinstated.' }),
  },
  closed,
);

/** Approving and declining say all they have to say by the address. */
