/** The signed identification record of a recovery, as it is downloaded. */
import { Type } from 'typebox';
import { CEREMONY_OUTCOMES } from '../../domain/enrollment.ts';
import { FACTOR_CHANNELS, FACTOR_KINDS, FACTOR_METHODS } from '../../domain/factor-ledger.ts';
import { RECOVERY_REASONS, RECOVERY_REPORTS, RECOVERY_STATES } from '../../domain/recovery.ts';

const closed = { additionalProperties: false } as const;
const Time = Type.String({ format: 'date-time' });
const Count = Type.Integer({ minimum: 0 });
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) =>
  Type.Union([of, Type.Null()]);
const OneOf = <const V extends string>(values: readonly V[]) => Type.Enum([...values] as V[]);
const METHODS = Object.keys(FACTOR_METHODS) as (keyof typeof FACTOR_METHODS)[];

const Evidence = Type.Object(
  {
    factorId: Type.String(),
    method: OneOf(METHODS),
    kind: OneOf(FACTOR_KINDS),
    channel: OneOf(FACTOR_CHANNELS),
    strength: Count,
    evidenceId: Type.String(),
    epoch: Count,
    isOnReportedHandset: Type.Boolean(),
    recordedBy: Type.Object(
      { kind: OneOf(['customer', 'vendor', 'staff']), id: Type.String() },
      closed,
    ),
    employee: OrNull(Type.String()),
    recordedAt: Time,
    confirmedBy: OrNull(Type.String()),
    isVoid: Type.Boolean(),
  },
  closed,
);

const Decision = Type.Object(
  {
    decisionId: Type.String(),
    kind: OneOf(['approve', 'refuse', 'send_back', 'release']),
    revision: Count,
    reason: Type.String(),
    staff: Type.String(),
    employee: Type.String(),
    decidedAt: Time,
    voidedAt: OrNull(Time),
  },
  closed,
);

export const RecoveryRecordView = Type.Object(
  {
    type: Type.Literal('latchkey-recovery-record'),
    version: Type.Literal(1),
    iss: Type.String(),
    tenant: Type.String(),
    recoveryId: Type.String(),
    customer: Type.String(),
    policy: Type.String(),
    epoch: Count,
    report: OneOf(RECOVERY_REPORTS),
    reportedDevice: OrNull(Type.String()),
    openedBy: Type.Object({ kind: OneOf(['customer', 'staff']), id: Type.String() }, closed),
    risk: OneOf(['not_evaluated', 'low', 'medium', 'high']),
    required: Type.Object(
      { identityStrength: Count, contacts: Count, people: Count, coolingSeconds: Count },
      closed,
    ),
    revision: Count,
    state: OneOf(RECOVERY_STATES),
    outcome: OrNull(OneOf(CEREMONY_OUTCOMES)),
    reason: OrNull(OneOf(RECOVERY_REASONS)),
    newDevice: OrNull(Type.String()),
    times: Type.Object(
      {
        openedAt: Time,
        coolingFrom: OrNull(Time),
        endedAt: OrNull(Time),
        keptUntil: OrNull(Time),
        sealedAt: Time,
      },
      closed,
    ),
    evidence: Type.Array(Evidence, { maxItems: 1000 }),
    decisions: Type.Array(Decision, { maxItems: 1000 }),
    signature: Type.String({
      description:
        'Compact JWS of the bank’s receipt key over {iss, sha256, sub}: the SHA-256 of the canonical form (RFC 8785) of everything else here.',
    }),
  },
  closed,
);
