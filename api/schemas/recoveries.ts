/**
 * What is sent and told while an account is recovered: by the new phone, by the page behind a link, by the owner's old phones, by the liveness vendor.
 * No answer tells whether a number or an address is a customer's, and none holds a contact.
 */
import { Type, type Static, type TSchema } from 'typebox';
import { REQUEST_STATUSES } from '../../db/recovery-request-standing.ts';
import { CEREMONY_OUTCOMES } from '../../domain/enrollment.ts';
import { FACTOR_METHODS, MISSING_FACTORS } from '../../domain/factor-ledger.ts';
import { idPattern } from '../../domain/ids.ts';
import { LIVENESS_OUTCOMES } from '../../domain/liveness.ts';
import { RECOVERY_REASONS, RECOVERY_REPORTS, RECOVERY_STATES } from '../../domain/recovery.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });
const Id = (kind: Parameters<typeof idPattern>[0]) => Type.String({ pattern: idPattern(kind) });
const OneOf = <const T extends readonly string[]>(words: T, description: string) =>
  Type.Enum([...words] as T[number][], { description });
const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

const ASKED = {
  clientId: Type.String({ minLength: 1, maxLength: 100, description: 'The app.' }),
  report: OneOf(RECOVERY_REPORTS, 'What happened to the old phone.'),
  locale: Type.Optional(Type.String({ pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$' })),
};

export const RecoveryRequestBody = Type.Union([
  Type.Object(
    {
      ...ASKED,
      phone: Type.String({ minLength: 4, maxLength: 40, description: 'With its country code.' }),
    },
    closed,
  ),
  Type.Object({ ...ASKED, email: Type.String({ minLength: 3, maxLength: 254 }) }, closed),
]);
export type RecoveryRequestBody = Static<typeof RecoveryRequestBody>;

export const RecoveryRequestAnswer = Type.Object(
  {
    requestId: Id('recoveryRequest'),
    checkNumber: Type.String({
      description: 'To be shown here, and typed into the page that the link opens.',
    }),
    expiresAt: Time('Until when link and code are good, if any were sent: no answer tells.'),
  },
  closed,
);
export type RecoveryRequestAnswer = Static<typeof RecoveryRequestAnswer>;

export const RecoveryRequestParams = Type.Object({ requestId: Id('recoveryRequest') }, closed);

export const RecoveryRequestView = Type.Object(
  {
    requestId: Id('recoveryRequest'),
    status: OneOf(REQUEST_STATUSES, 'Whether the contact has answered.'),
    recoveryId: Type.Optional(Id('ceremony')),
    checkNumber: Type.String(),
    expiresAt: Time('Until when link and code are good.'),
  },
  closed,
);
export type RecoveryRequestView = Static<typeof RecoveryRequestView>;

const Token = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,200}$',
  description: 'What stood in the fragment of the link.',
});

export const RecoveryLinkBody = Type.Object(
  {
    token: Token,
    checkNumber: Type.String({
      pattern: '^[0-9]{4}$',
      description: 'Shown on the phone that asked, and nowhere else.',
    }),
  },
  closed,
);

export const RecoveryLinkAnswer = Type.Object({ status: Type.Literal('proved') }, closed);

export const RecoveryParams = Type.Object({ recoveryId: Id('ceremony') }, closed);

const STANDING = {
  recoveryId: Id('ceremony'),
  state: OneOf(RECOVERY_STATES, 'What it waits for.'),
  outcome: Type.Optional(OneOf(CEREMONY_OUTCOMES, 'Once it has ended.')),
  reason: Type.Optional(OneOf(RECOVERY_REASONS, 'Why it ended as it did.')),
};

export const RecoveryView = Type.Object(
  {
    ...STANDING,
    actor: OneOf(
      ['customer', 'bank', 'nobody'],
      'Who has to do something now; nobody: only time passes, or it is over.',
    ),
    missing: Type.Array(OneOf(MISSING_FACTORS, 'What has still to be proved.'), { maxItems: 3 }),
    factors: Type.Array(
      Type.Object(
        {
          method: OneOf(methodNames(), 'What was shown.'),
          provedAt: Time('When.'),
        },
        closed,
      ),
      { maxItems: 100, description: 'What counts so far.' },
    ),
    createdAt: Time('When it began.'),
    expiresAt: Time('When it ends by itself.'),
    stepExpiresAt: Type.Optional(Time('When it ends unless what is due is done.')),
    nextAt: Type.Optional(Time('When something happens by itself.')),
    objectUntil: Type.Optional(Time('Until when the owner may object, before the phone is bound.')),
    livenessAttemptsLeft: Type.Integer({ minimum: 0 }),
    liveness: Type.Optional(
      Type.Object(
        {
          attemptId: Id('attempt'),
          status: OneOf(
            ['starting', 'ready', 'passed', 'failed', 'superseded'],
            'ready: the vendor waits for the customer.',
          ),
          verdict: Type.Optional(OneOf(LIVENESS_OUTCOMES, 'What the vendor said.')),
          expiresAt: Type.Optional(Time('When the vendor’s session ends.')),
          clientParameters: Type.Optional(
            Type.Record(Type.String(), Type.String(), {
              description: 'For the vendor’s own part of the app.',
            }),
          ),
        },
        closed,
      ),
    ),
    limitedUntil: Type.Optional(Time('Until when more is asked for, after it has completed.')),
    customerId: Type.Optional(Id('customer')),
    deviceId: Type.Optional(Id('device')),
  },
  closed,
);
export type RecoveryView = Static<typeof RecoveryView>;

function methodNames(): (keyof typeof FACTOR_METHODS)[] {
  // An object's own names, in a constant that nobody extends.
  return Object.keys(FACTOR_METHODS) as (keyof typeof FACTOR_METHODS)[];
}

const OwnRecovery = Type.Object(
  {
    ...STANDING,
    report: OneOf(RECOVERY_REPORTS, 'What was said of the old phone.'),
    openedBy: OneOf(['customer', 'staff'], 'Who began it.'),
    createdAt: Time('When it began.'),
    endedAt: Nullable(Time('When it ended.')),
    objectUntil: Nullable(Time('Until when an objection is heard; null: it ended otherwise.')),
    coolingOverAt: Nullable(Time('When the new phone may be bound, unless somebody objects.')),
    shortenFrom: Nullable(Time('From when the owner may end that time.')),
  },
  closed,
);
export type OwnRecovery = Static<typeof OwnRecovery>;

export const OwnRecoveriesAnswer = Type.Object(
  { recoveries: Type.Array(OwnRecovery, { maxItems: 10 }) },
  closed,
);

export const ObjectionAnswer = Type.Object(
  {
    result: OneOf(
      ['ended', 'held', 'stopped', 'noted'],
      'ended: there is no such recovery any more · held: the bank looks at it · stopped: it had completed, and everything of the account was cut off · noted: the bank has looked at one like it, and nothing stops for this one.',
    ),
  },
  closed,
);
export type ObjectionAnswer = Static<typeof ObjectionAnswer>;

export const ObjectionLinkBody = Type.Object({ token: Token }, closed);

export const ShortenBody = Type.Object(
  {
    proof: Type.String({
      maxLength: 2048,
      description:
        'Compact JWS (ES256) by this phone’s approval key, typ latchkey-approval-key+jwt, over {challenge, sessionJkt}; the challenge is the recovery’s id.',
    }),
  },
  closed,
);

/** Open: what a vendor sends beside these members is dropped before anything is kept. */
export const LivenessResultBody = Type.Object({
  reference: Type.String({ pattern: idPattern('attempt'), description: 'Ours, from the call.' }),
  vendorSession: Type.String({ pattern: '^[\\x21-\\x7e]{1,200}$' }),
  caseId: Type.String({ pattern: '^[\\x21-\\x7e]{1,200}$' }),
  newJkt: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
  outcome: OneOf(LIVENESS_OUTCOMES, 'What came of it.'),
  livenessConfidence: Type.Number({ minimum: 0, maximum: 100 }),
  matchConfidence: Type.Optional(Nullable(Type.Number({ minimum: 0, maximum: 100 }))),
  evidenceId: Type.String({ pattern: '^[\\x21-\\x7e]{1,200}$' }),
  at: Time('When the vendor came to it.'),
});
