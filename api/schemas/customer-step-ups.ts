/** What an app reads of the actions that its customer is asked for, and how he answers. Texts are rendered by the server and shown as they are. */
import { Type, type Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';
import { STEP_UP_STATUSES } from '../../domain/step-up-status.ts';
import { STEP_UP_REASONS } from '../../domain/step-up.ts';
import { AuthenticationResponse } from './login.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });
const Count = (description: string) => Type.Integer({ minimum: 0, description });
const OneOf = <const T extends readonly string[]>(words: T, description: string) =>
  Type.Enum([...words] as T[number][], { description });
const Base64url = (maxLength: number, description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength, description });

export const StepUpParams = Type.Object({
  stepUpId: Type.String({ pattern: idPattern('ceremony') }),
});

export const SentCodeView = Type.Object(
  {
    sentTo: Type.String({ description: 'Masked.' }),
    digits: Count('Length of the code.'),
    expiresAt: Time('After that a new one is needed.'),
    resendAt: Time('Not before that.'),
    attemptsLeft: Count('Guesses at this code.'),
    resendsLeft: Count('Codes that can still be sent.'),
  },
  closed,
);
export type SentCodeView = Static<typeof SentCodeView>;

export const DisplayView = Type.Object(
  {
    locale: Type.String(),
    template: Type.String(),
    version: Type.Integer({ minimum: 1 }),
    text: Type.String({ description: 'What is signed: show it, and nothing else, as it is.' }),
    fields: Type.Array(Type.Object({ label: Type.String(), value: Type.String() }, closed), {
      description: 'The same in parts, for a page.',
    }),
  },
  closed,
);

const stepUpMembers = {
  stepUpId: Type.String({ pattern: idPattern('ceremony') }),
  status: OneOf(STEP_UP_STATUSES, 'pending: to be opened and approved, or refused.'),
  reason: Type.Optional(OneOf(STEP_UP_REASONS, 'Why it ended as it did.')),
  type: Type.String({ description: 'Of the action.' }),
  requester: Type.Object(
    {
      kind: OneOf(['client', 'staff', 'login'], 'Who asks: a service, a member of staff, a login.'),
      name: Type.String(),
    },
    closed,
  ),
  required: OneOf(['latchkey:3', 'latchkey:4'], 'latchkey:4: a code by SMS follows the keys.'),
  display: Type.Union([DisplayView, Type.Null()], {
    description: 'null for a session that may only read: it names whom the customer pays.',
  }),
  createdAt: Time('When it was asked for.'),
  approveBy: Time('After that it expires.'),
  approvedAt: Type.Union([Time('When it was approved.'), Type.Null()]),
  code: Type.Optional(SentCodeView),
} as const;

export const CustomerStepUp = Type.Object(stepUpMembers, closed);
export type CustomerStepUp = Static<typeof CustomerStepUp>;

export const CustomerStepUps = Type.Object(
  {
    stepUps: Type.Array(CustomerStepUp, {
      maxItems: 50,
      description: 'The youngest first: what waits for an answer, and what was lately answered.',
    }),
  },
  closed,
);

export const OpenStepUpBody = Type.Object(
  {
    locale: Type.String({
      pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$',
      maxLength: 35,
      description: 'BCP 47; the language the text is shown in.',
    }),
    context: Type.Object(
      {
        onCall: Type.Boolean({ description: 'A phone call goes on.' }),
        screenShared: Type.Boolean({ description: 'The screen is shared or recorded.' }),
        accessibilityService: Type.Boolean({
          description: 'A service that may read the screen and press buttons is active.',
        }),
      },
      { ...closed, description: 'What the app notices; it becomes part of what is signed.' },
    ),
  },
  closed,
);
export type OpenStepUpBody = Static<typeof OpenStepUpBody>;

export const OpenedStepUp = Type.Object(
  {
    ...stepUpMembers,
    display: DisplayView,
    preimage: Type.String({ description: 'Canonical JSON (RFC 8785) of everything signed.' }),
    challenge: Base64url(
      43,
      'SHA-256 of "latchkey/step-up/1", a zero byte, and the preimage in UTF-8: the WebAuthn challenge, and what the approval key signs.',
    ),
    rpId: Type.String(),
    allowCredentials: Type.Array(
      Type.Object(
        {
          id: Base64url(1400, 'Credential id.'),
          type: Type.Literal('public-key'),
          transports: Type.Array(Type.String()),
        },
        closed,
      ),
      { description: 'For navigator.credentials.get(): the customer’s passkeys.' },
    ),
    delaySeconds: Count('So long after the approval the requester cannot use it yet.'),
  },
  closed,
);
export type OpenedStepUp = Static<typeof OpenedStepUp>;

export const ApproveStepUpBody = Type.Object(
  {
    assertion: AuthenticationResponse,
    approvalSignature: Type.String({
      maxLength: 2048,
      description:
        'Compact JWS (ES256) by the device’s approval key, typ latchkey-approval+jwt, over the canonical JSON of {challenge, iss, stepUpId}.',
    }),
  },
  closed,
);
export type ApproveStepUpBody = Static<typeof ApproveStepUpBody>;

export const StepUpCodeBody = Type.Object(
  { code: Type.String({ pattern: '^[0-9]{6,10}$', description: 'As the message says it.' }) },
  closed,
);

export const DenyStepUpBody = Type.Object(
  {
    reason: OneOf(
      ['not_me', 'declined'],
      'not_me: somebody else asked; a sign of fraud. declined: changed one’s mind.',
    ),
  },
  closed,
);
