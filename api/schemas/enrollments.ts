/** What an app sends and is told while a new customer enrolls. The same for a known and an unknown number until its code was right. */
import { Type, type Static } from 'typebox';
import {
  CEREMONY_OUTCOMES,
  ENROLLMENT_REASONS,
  ENROLLMENT_STATES,
} from '../../domain/enrollment.ts';
import { idPattern } from '../../domain/ids.ts';

const closed = { additionalProperties: false } as const;
const Time = (description: string) => Type.String({ format: 'date-time', description });
const Count = (description: string) => Type.Integer({ minimum: 0, description });
const OneOf = <const T extends readonly string[]>(words: T, description: string) =>
  Type.Enum([...words] as T[number][], { description });
const Base64url = (maxLength: number, description: string) =>
  Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength, description });

export const StartEnrollmentBody = Type.Object(
  {
    clientId: Type.String({ minLength: 1, maxLength: 100, description: 'The app.' }),
    phone: Type.String({
      minLength: 4,
      maxLength: 40,
      description: 'With its country code; spaces and hyphens may stand in it.',
    }),
    locale: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$',
        maxLength: 35,
        description: 'BCP 47; English when left out.',
      }),
    ),
  },
  closed,
);
export type StartEnrollmentBody = Static<typeof StartEnrollmentBody>;

export const EnrollmentParams = Type.Object({
  enrollmentId: Type.String({
    pattern: idPattern('ceremony'),
    description: 'From the answer to the start.',
  }),
});
export type EnrollmentParams = Static<typeof EnrollmentParams>;

export const CodeBody = Type.Object(
  { code: Type.String({ pattern: '^[0-9]{6,10}$', description: 'As the message says it.' }) },
  closed,
);

export const IdentityBody = Type.Object(
  {
    givenName: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }),
    familyName: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }),
    birthDate: Type.String({ format: 'date', description: 'ISO 8601.' }),
    documentNumber: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9 -]{2,38}[A-Za-z0-9]$',
      description: 'Passport or identity card.',
    }),
  },
  closed,
);
export type IdentityBody = Static<typeof IdentityBody>;

export const EmailBody = Type.Object(
  { email: Type.String({ minLength: 3, maxLength: 254 }) },
  closed,
);

const PublicKey = Type.Object(
  {
    kty: Type.Literal('EC'),
    crv: Type.Literal('P-256'),
    x: Base64url(43, 'Coordinate.'),
    y: Base64url(43, 'Coordinate.'),
  },
  { ...closed, description: 'A public key; P-256 only.' },
);

/** WebAuthn's RegistrationResponseJSON. Browsers add members over the years: those of `response` beyond ours are let through unread. */
const RegistrationResponse = Type.Object(
  {
    id: Base64url(1400, 'Credential id.'),
    rawId: Base64url(1400, 'The same.'),
    type: Type.Literal('public-key'),
    authenticatorAttachment: Type.Optional(
      Type.Union([Type.Literal('platform'), Type.Literal('cross-platform')]),
    ),
    clientExtensionResults: Type.Object({
      credProps: Type.Optional(Type.Object({ rk: Type.Optional(Type.Boolean()) })),
    }),
    response: Type.Object({
      clientDataJSON: Base64url(8192, 'WebAuthn client data.'),
      attestationObject: Base64url(32768, 'WebAuthn attestation object.'),
      authenticatorData: Type.Optional(Base64url(16384, 'Unread.')),
      publicKey: Type.Optional(Base64url(4096, 'Unread.')),
      publicKeyAlgorithm: Type.Optional(Type.Integer()),
      transports: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 10 })),
    }),
  },
  closed,
);

export const BindPasskeyBody = Type.Object(
  {
    credential: RegistrationResponse,
    approvalKey: Type.Object(
      {
        jwk: PublicKey,
        proof: Type.String({
          maxLength: 2048,
          description:
            'Compact JWS (ES256) by the approval key, typ latchkey-approval-key+jwt, over {challenge, sessionJkt}.',
        }),
      },
      closed,
    ),
    device: Type.Object(
      {
        name: Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' }),
        platform: Type.String({ pattern: '^[a-z][a-z0-9._-]{0,31}$' }),
      },
      closed,
    ),
  },
  closed,
);
export type BindPasskeyBody = Static<typeof BindPasskeyBody>;

export const EnrollmentView = Type.Object(
  {
    enrollmentId: Type.String({ pattern: idPattern('ceremony') }),
    state: OneOf(ENROLLMENT_STATES, 'What it waits for.'),
    outcome: Type.Optional(OneOf(CEREMONY_OUTCOMES, 'Once it has ended.')),
    reason: Type.Optional(OneOf(ENROLLMENT_REASONS, 'Why it ended as it did.')),
    nextSteps: Type.Optional(
      Type.Array(Type.String(), { description: 'What the customer can do now.', maxItems: 4 }),
    ),
    customerId: Type.Optional(Type.String({ pattern: idPattern('customer') })),
    deviceId: Type.Optional(Type.String({ pattern: idPattern('device') })),
    locale: Type.String(),
    createdAt: Time('When it began.'),
    expiresAt: Time('When it ends by itself.'),
    stepExpiresAt: Type.Optional(Time('When it ends unless this step is done.')),
    code: Type.Optional(
      Type.Object(
        {
          sentTo: Type.String({ description: 'Masked.' }),
          digits: Count('Length of the code.'),
          expiresAt: Time('After that a new one is needed.'),
          resendAt: Time('Not before that.'),
          attemptsLeft: Count('Guesses at this code.'),
          resendsLeft: Count('Codes that can still be sent.'),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type EnrollmentView = Static<typeof EnrollmentView>;

export const PasskeyOptionsAnswer = Type.Object(
  {
    options: Type.Unsafe<object>(
      Type.Object(
        {},
        {
          additionalProperties: true,
          description: 'PublicKeyCredentialCreationOptionsJSON (WebAuthn Level 3).',
        },
      ),
    ),
    approvalChallenge: Base64url(512, 'What the approval key signs; single use.'),
  },
  closed,
);

export const IdentityResultBody = Type.Object(
  {
    reference: Type.String({ pattern: idPattern('attempt'), description: 'Ours, from the call.' }),
    vendorReference: Type.String({ minLength: 1, maxLength: 200 }),
    verdict: Type.Union([Type.Literal('verified'), Type.Literal('refused')]),
    reason: Type.Optional(
      Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$', description: 'A code, nothing personal.' }),
    ),
    evidenceId: Type.String({ pattern: '^[\\x21-\\x7e]{1,200}$' }),
  },
  closed,
);
export type IdentityResultBody = Static<typeof IdentityResultBody>;
