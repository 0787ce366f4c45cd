/** What a fraud engine sends and is told. Ids only: a fraud signal never carries personal data. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';

const Id = (kind: Parameters<typeof idPattern>[0], description: string) =>
  Type.String({ pattern: idPattern(kind), description });
const Time = (description: string) => Type.String({ format: 'date-time', description });
const Count = (description: string) => Type.Integer({ minimum: 0, description });

export const FraudSignalBody = Type.Object(
  {
    customerId: Id('customer', 'Whom to cut off.'),
    reason: Type.Union(
      [
        Type.Literal('account_takeover'),
        Type.Literal('stolen_device'),
        Type.Literal('suspicious_payment'),
        Type.Literal('other'),
      ],
      { description: 'Why, as a code: it stands in the audit and in the receipt.' },
    ),
  },
  { additionalProperties: false },
);
export type FraudSignalBody = Static<typeof FraudSignalBody>;

export const CutOffAnswer = Type.Object(
  {
    revocationId: Id('revocation', 'Ask for its receipt under this id.'),
    effectiveAt: Time('From this moment nothing begun before succeeds.'),
    oldEpoch: Type.Integer({ minimum: 1 }),
    newEpoch: Type.Integer({ minimum: 2 }),
    devices: Count('Devices suspended.'),
    credentials: Count('Passkeys suspended.'),
  },
  { additionalProperties: false },
);

export const RevocationParams = Type.Object(
  { revocationId: Id('revocation', 'From the answer to the fraud signal.') },
  { additionalProperties: false },
);

export const RevocationReceiptView = Type.Object(
  {
    type: Type.Optional(Type.Literal('latchkey-revocation-receipt')),
    version: Type.Number({ enum: [1, 2], description: '2 is signed.' }),
    iss: Type.Optional(Type.String({ description: 'Whose receipt keys verify it.' })),
    tenant: Type.Optional(Type.String()),
    revocationId: Type.String(),
    customerId: Type.String(),
    reason: Type.String(),
    requestedBy: Type.String(),
    oldEpoch: Type.Integer(),
    newEpoch: Type.Integer(),
    effectiveAt: Time('When the cut-off was committed.'),
    rowsEndedAt: Time('When the last row that had begun before was ended.'),
    secondListingEmptyAt: Time(
      'When a second look, after every transaction in flight had to end, found nothing.',
    ),
    lastTokenDiesAt: Time(
      'When the last access token that a service checks by itself has expired.',
    ),
    stopped: Type.Object(
      {
        devices: Type.Integer(),
        credentials: Type.Integer(),
        sessions: Type.Integer(),
        ceremonies: Type.Integer(),
      },
      { additionalProperties: false },
    ),
    signature: Type.Optional(
      Type.String({ description: 'The bank’s, over all the rest (docs/receipts.md).' }),
    ),
  },
  { additionalProperties: false },
);

export const RevocationView = Type.Object(
  {
    revocationId: Type.String(),
    customerId: Type.String(),
    status: Type.Union([Type.Literal('running'), Type.Literal('sealed')]),
    effectiveAt: Time('When the cut-off was committed.'),
    oldEpoch: Type.Integer(),
    newEpoch: Type.Integer(),
    devices: Count('Devices suspended.'),
    credentials: Count('Passkeys suspended.'),
    sessionsEnded: Type.Optional(Count('Sessions ended so far.')),
    ceremoniesEnded: Type.Optional(Count('Ceremonies ended so far.')),
    lastTokenDiesAt: Time(
      'When the last access token that a service checks by itself has expired.',
    ),
    sealedAt: Type.Optional(Time('When the receipt was sealed.')),
    workflowsClosedAt: Type.Optional(Time('When the last workflow reported itself closed.')),
    receipt: Type.Optional(RevocationReceiptView),
  },
  { additionalProperties: false },
);
export type RevocationView = Static<typeof RevocationView>;

export const ReleaseBody = Type.Object(
  {
    customerId: Id('customer', 'Whose hold to lift.'),
    reason: Type.Union([Type.Literal('false_alarm'), Type.Literal('customer_verified')]),
  },
  { additionalProperties: false },
);

export const ReleaseAnswer = Type.Object(
  {
    holdId: Id('hold', 'The hold that was lifted.'),
    releasedAt: Time('When it was lifted.'),
    devices: Count('Devices reinstated.'),
    credentials: Count('Passkeys reinstated.'),
  },
  { additionalProperties: false },
);
