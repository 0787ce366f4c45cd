/** A case of recovery as staff see and work it. Ids, codes, masked contacts and the names of staff; never a code, a link, or a figure of a check. */
import { Type, type Static } from 'typebox';
import { CEREMONY_OUTCOMES } from '../../domain/enrollment.ts';
import { FACTOR_CHANNELS, FACTOR_METHODS } from '../../domain/factor-ledger.ts';
import { idPattern } from '../../domain/ids.ts';
import { DESK_REASONS, RECOVERY_ACTIONS, RECOVERY_DOUBTS } from '../../domain/recovery-desk.ts';
import { RECOVERY_REASONS, RECOVERY_REPORTS, RECOVERY_STATES } from '../../domain/recovery.ts';
import { NextCursor, PAGE_PARAMETERS } from '../page-cursor.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) =>
  Type.Union([of, Type.Null()]);
const OneOf = <const V extends string>(values: readonly V[], description?: string) =>
  Type.Enum([...values] as V[], description === undefined ? {} : { description });
const Count = Type.Integer({ minimum: 0 });

const METHODS = Object.keys(FACTOR_METHODS) as (keyof typeof FACTOR_METHODS)[];
const Report = OneOf(RECOVERY_REPORTS, 'What happened to the old phone.');
const Risk = OneOf(['not_evaluated', 'low', 'medium', 'high']);
const State = OneOf(RECOVERY_STATES);

const Person = Type.Object({ staffId: Type.String(), name: Type.String() }, closed);

export const RecoveryParams = Type.Object(
  { recoveryId: Type.String({ pattern: idPattern('ceremony') }) },
  closed,
);

export const FactorParams = Type.Object(
  {
    recoveryId: Type.String({ pattern: idPattern('ceremony') }),
    factorId: Type.String({ pattern: idPattern('factor') }),
  },
  closed,
);

const Yes = (description: string) => Type.Optional(Type.Literal('yes', { description }));
export const RecoveriesQuery = Type.Object(
  {
    ...PAGE_PARAMETERS,
    state: Type.Optional(
      OneOf(['contact', 'identity', 'review', 'cooling', 'rebind', 'held'], 'Only those in it.'),
    ),
    mine: Yes('Only those that the caller works on.'),
    overdue: Yes('Only those whose review should have begun, or that wait for a supervisor.'),
    secondPerson: Yes('Only those that one person approved and that wait for another.'),
    customerId: Type.Optional(Type.String({ pattern: idPattern('customer') })),
  },
  closed,
);

export const QueuedRecoveryView = Type.Object(
  {
    recoveryId: Type.String(),
    customerId: Type.String(),
    state: State,
    report: Report,
    risk: Risk,
    openedBy: OneOf(['customer', 'staff']),
    openedAt: Time('When a contact had answered, or staff opened it.'),
    people: Type.Object({ needed: Count, approved: Count }, closed),
    claimedBy: OrNull(Person),
    isMine: Type.Boolean(),
    reviewDueAt: OrNull(Time('By when somebody should have reviewed it.')),
    escalatedAt: OrNull(Time('When it was brought before a supervisor.')),
    heldAt: OrNull(Time('Since when it is held.')),
    stepEndsAt: OrNull(Time('When the step that it stands in runs out.')),
    isOverdue: Type.Boolean(),
  },
  closed,
);
export type QueuedRecoveryView = Static<typeof QueuedRecoveryView>;

export const RecoveriesAnswer = Type.Object(
  { recoveries: Type.Array(QueuedRecoveryView, { maxItems: 100 }), next: NextCursor },
  closed,
);

const FactorView = Type.Object(
  {
    factorId: Type.String(),
    method: OneOf(METHODS),
    channel: OneOf(FACTOR_CHANNELS),
    strength: Type.Integer({ minimum: 0, maximum: 3, description: 'Now; 0 counts for nothing.' }),
    recordedBy: Type.Object(
      { kind: OneOf(['customer', 'vendor', 'staff']), name: OrNull(Type.String()) },
      closed,
    ),
    recordedAt: Time('When it was recorded.'),
    confirmedBy: OrNull(Type.String({ description: 'The second person’s name.' })),
    needsSecondPerson: Type.Boolean(),
    isVoid: Type.Boolean(),
    isOnReportedPhone: Type.Boolean(),
  },
  closed,
);

const EntryView = Type.Object(
  {
    position: Count,
    at: Time('When it was committed.'),
    action: Type.String(),
    by: Type.Object({ kind: Type.String(), name: OrNull(Type.String()) }, closed),
    /** Of the detail only what is a code. */
    detail: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
  },
  closed,
);

const ActionView = Type.Object(
  {
    action: OneOf(RECOVERY_ACTIONS),
    because: OrNull(OneOf(DESK_REASONS, 'Why this person may not do it now; null: they may.')),
  },
  closed,
);

export const RecoveryCaseView = Type.Object(
  {
    recoveryId: Type.String(),
    revision: Type.Integer({
      minimum: 0,
      description: 'What a decision has to name: an approval counts for this one alone.',
    }),
    asOf: Time('The database’s time at the reading.'),
    state: State,
    outcome: OrNull(OneOf(CEREMONY_OUTCOMES)),
    reason: OrNull(OneOf(RECOVERY_REASONS)),
    report: Report,
    risk: Risk,
    doubts: Type.Array(OneOf(RECOVERY_DOUBTS), { maxItems: RECOVERY_DOUBTS.length }),
    customer: Type.Object(
      {
        customerId: Type.String(),
        givenName: OrNull(Type.String({ description: 'Masked.' })),
        phone: OrNull(Type.String({ description: 'Masked.' })),
        email: OrNull(Type.String({ description: 'Masked.' })),
        isOnHold: Type.Boolean(),
      },
      closed,
    ),
    devices: Type.Array(
      Type.Object(
        {
          deviceId: Type.String(),
          name: Type.String(),
          platform: Type.String(),
          status: Type.String(),
          isReported: Type.Boolean(),
          isNew: Type.Boolean(),
        },
        closed,
      ),
      { maxItems: 50 },
    ),
    openedBy: Type.Object(
      { kind: OneOf(['customer', 'staff']), name: OrNull(Type.String()) },
      closed,
    ),
    openedAt: Time('When it was opened.'),
    endedAt: OrNull(Time('When it ended.')),
    endsAt: Time('When it ends at the latest.'),
    dueAt: OrNull(Time('When the next clock runs out; null while none runs.')),
    reviewDueAt: OrNull(Time('By when somebody should have reviewed it.')),
    escalatedAt: OrNull(Time('When it was brought before a supervisor.')),
    heldAt: OrNull(Time('Since when it is held.')),
    coolingOverAt: OrNull(Time('Until when the owner may object.')),
    limitedUntil: OrNull(Time('Until when limits are lowered.')),
    claimedBy: OrNull(Person),
    isMine: Type.Boolean(),
    hasPhone: Type.Boolean({ description: 'A new phone has joined the case.' }),
    needed: Type.Object(
      {
        contacts: Count,
        people: Count,
        approved: Count,
        coolingSeconds: Count,
        missing: Type.Array(OneOf(['contact', 'second_contact', 'identity']), { maxItems: 3 }),
      },
      closed,
    ),
    liveness: Type.Object(
      {
        begun: Count,
        left: Count,
        failed: Count,
        waitingSince: OrNull(Time('Since when a check waits for the vendor.')),
      },
      closed,
    ),
    ledger: Type.Array(FactorView, { maxItems: 500 }),
    timeline: Type.Array(EntryView, { maxItems: 500 }),
    actions: Type.Array(ActionView, { maxItems: RECOVERY_ACTIONS.length }),
  },
  closed,
);
export type RecoveryCaseView = Static<typeof RecoveryCaseView>;

const Reference = (description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}$', description });
const CallId = Type.String({
  pattern: idPattern('ceremony'),
  description: 'A call that the customer approved in the app within the last hour.',
});

export const OpenRecoveryBody = Type.Object(
  {
    report: Report,
    reportedDeviceId: Type.Optional(Type.String({ pattern: idPattern('device') })),
    proof: Type.Union([
      Type.Object({ method: Type.Literal('verified_call'), callId: CallId }, closed),
      Type.Object(
        {
          method: Type.Literal('call_back'),
          reference: Reference('The call to the number that the bank has, as the switch names it.'),
        },
        closed,
      ),
    ]),
  },
  closed,
);

export const OpenedRecoveryAnswer = Type.Object(
  {
    recoveryId: Type.String(),
    joined: Type.Boolean({ description: 'One was open already, and this joined it.' }),
  },
  closed,
);

export const HandOverBody = Type.Object(
  {
    to: OrNull(Type.String({ pattern: idPattern('staff'), description: 'null: to the queue.' })),
  },
  closed,
);

export const EvidenceBody = Type.Union([
  Type.Object(
    {
      method: OneOf(['branch', 'video', 'document']),
      evidenceId: Reference('As the branch, the video system or the archive names it.'),
    },
    closed,
  ),
  Type.Object({ method: Type.Literal('verified_call'), evidenceId: CallId }, closed),
]);

export const CallBackBody = Type.Object(
  { reference: Reference('The call to the number that the bank has, as the switch names it.') },
  closed,
);

export const DECISION_REASONS = [
  'person_recognised',
  'evidence_consistent',
  'customer_confirmed',
  'false_alarm',
  'person_doubtful',
  'evidence_insufficient',
  'customer_objects',
  'suspected_fraud',
  'other',
] as const;

export const RecoveryDecisionBody = Type.Object(
  {
    kind: OneOf(['approve', 'refuse', 'send_back', 'release']),
    revision: Type.Integer({ minimum: 0, description: 'Of the case as the person saw it.' }),
    reason: OneOf(DECISION_REASONS, 'Picked: it stands in the audit.'),
  },
  closed,
);

export const ChangedRecoveryAnswer = Type.Object(
  {
    recoveryId: Type.String(),
    state: State,
    revision: Type.Integer({ minimum: 0 }),
  },
  closed,
);
export type ChangedRecoveryAnswer = Static<typeof ChangedRecoveryAnswer>;
