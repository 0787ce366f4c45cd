/** What staff read beside the customer's page: a contact in clear for a reason, ceremonies, the audit trail, and what works now. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';
import { NextCursor, PAGE_PARAMETERS } from '../page-cursor.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });
const TimeOrNull = (description: string) => Type.Union([Time(description), Type.Null()]);
const TextOrNull = Type.Union([Type.String(), Type.Null()]);

const contact = Type.Union([Type.Literal('phone'), Type.Literal('email')]);

export const RevealBody = Type.Object(
  {
    contact,
    reason: Type.Union(
      [Type.Literal('call_back'), Type.Literal('confirm_with_caller'), Type.Literal('complaint')],
      { description: 'Why, as a code: it stands in the audit.' },
    ),
  },
  closed,
);

export const RevealedAnswer = Type.Object(
  {
    contact,
    value: Type.String({ description: 'In clear. To be shown once, and not to be kept.' }),
    hideAfterSeconds: Type.Integer({ description: 'For how long it may stand on a screen.' }),
  },
  closed,
);

export const CeremoniesAnswer = Type.Object(
  {
    ceremonies: Type.Array(
      Type.Object(
        {
          ceremonyId: Type.String(),
          kind: Type.Union([
            Type.Literal('enrollment'),
            Type.Literal('step_up'),
            Type.Literal('recovery'),
          ]),
          state: Type.String(),
          outcome: TextOrNull,
          reason: TextOrNull,
          createdAt: Time('When it began.'),
          endedAt: TimeOrNull('When it ended.'),
        },
        closed,
      ),
      { maxItems: 40 },
    ),
  },
  closed,
);

const filters = {
  customerId: Type.Optional(Type.String({ pattern: idPattern('customer') })),
  ceremonyId: Type.Optional(Type.String({ pattern: idPattern('ceremony') })),
  staffId: Type.Optional(Type.String({ pattern: idPattern('staff') })),
  action: Type.Optional(
    Type.String({ pattern: '^[a-z_]{1,40}\\.[a-z_]{1,60}$', description: 'One kind of entry.' }),
  ),
  from: Type.Optional(Time('The first moment.')),
  to: Type.Optional(Time('The first moment after it.')),
};

export const AuditQuery = Type.Object({ ...filters, ...PAGE_PARAMETERS }, closed);
export type AuditQuery = Static<typeof AuditQuery>;
export const AuditExportQuery = Type.Object(filters, closed);
export type AuditExportQuery = Static<typeof AuditExportQuery>;

export const AuditEntry = Type.Object(
  {
    position: Type.String({ description: 'Its place in the trail.' }),
    at: Time('When it happened.'),
    action: Type.String(),
    actor: Type.Object({ kind: Type.String(), id: Type.String() }, closed),
    subject: Type.Object({ kind: Type.String(), id: Type.String() }, closed),
    customerId: TextOrNull,
    ceremonyId: TextOrNull,
    detail: Type.Record(
      Type.String(),
      Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
      { description: 'Codes and ids; no personal data.' },
    ),
  },
  closed,
);
export type AuditEntry = Static<typeof AuditEntry>;

export const AuditAnswer = Type.Object(
  { entries: Type.Array(AuditEntry, { maxItems: 100 }), next: NextCursor },
  closed,
);

/** What one file holds at most. */
export const MOST_EXPORTED = 1_000;

export const AuditExportAnswer = Type.Object(
  {
    iss: Type.String(),
    tenant: Type.String(),
    exportedAt: Time('When it was made.'),
    exportedBy: Type.String(),
    query: Type.Object(
      {
        customerId: TextOrNull,
        ceremonyId: TextOrNull,
        staffId: TextOrNull,
        action: TextOrNull,
        from: TextOrNull,
        to: TextOrNull,
      },
      closed,
    ),
    isComplete: Type.Boolean({ description: 'Whether everything asked for is in it.' }),
    entries: Type.Array(AuditEntry, { maxItems: MOST_EXPORTED }),
    signature: Type.String({
      description:
        'A compact JWS: its payload holds the SHA-256 of the canonical form (RFC 8785) of everything else.',
    }),
  },
  closed,
);

export const WorksNowAnswer = Type.Object(
  {
    at: Time('When it was looked at.'),
    parts: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          standing: Type.Union([Type.Literal('works'), Type.Literal('slow'), Type.Literal('down')]),
          waiting: Type.Integer({ minimum: 0, description: 'What waits for it.' }),
          oldestSeconds: Type.Integer({ minimum: 0, description: 'How long the oldest waits.' }),
          undelivered: Type.Integer({ minimum: 0, description: 'What it was given up on.' }),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type WorksNowAnswer = Static<typeof WorksNowAnswer>;
