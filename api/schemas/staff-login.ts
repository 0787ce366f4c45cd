/** What staff are told about themselves, and what a command line trades for a session. */
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { idPattern } from '../../domain/ids.ts';

/** The members of domain/staff.ts's union; a test compares them. */
export const StaffRoleName = Type.Union([
  Type.Literal('agent'),
  Type.Literal('supervisor'),
  Type.Literal('auditor'),
  Type.Literal('administrator'),
]);

export const StaffMeAnswer = Type.Object({
  staffId: Type.String({ pattern: idPattern('staff') }),
  name: Type.String(),
  employeeId: Type.String(),
  roles: Type.Array(StaffRoleName),
  /** When the identity provider last saw them prove themselves. */
  authTime: Type.String({ format: 'date-time' }),
  tenant: Type.Object({ slug: Type.String(), name: Type.String() }),
});
export type StaffMeAnswer = Static<typeof StaffMeAnswer>;

export const StaffLogoutAnswer = Type.Object({ ended: Type.Boolean() });

export const LoginQuery = Type.Object(
  {
    returnTo: Type.Optional(
      Type.String({
        maxLength: 512,
        description: 'A path of this origin, where the browser goes then.',
      }),
    ),
    fresh: Type.Optional(
      Type.Literal('true', {
        description: 'Prove yourself again, whatever session the provider has.',
      }),
    ),
    cli: Type.Optional(
      Type.String({
        maxLength: 128,
        description:
          "A command line's own listener, `http://127.0.0.1:<port>` (RFC 8252). It gets a one-time `code`, or an `error`.",
      }),
    ),
    challenge: Type.Optional(
      Type.String({
        maxLength: 64,
        description: "With `cli`: S256 of the command line's verifier.",
      }),
    ),
  },
  { additionalProperties: false },
);

export const NewCliSession = Type.Object(
  {
    code: Type.String({ minLength: 1, maxLength: 4000 }),
    verifier: Type.String({ pattern: '^[A-Za-z0-9._~-]{43,128}$' }),
  },
  { additionalProperties: false },
);

export const CliSessionAnswer = Type.Object({
  token: Type.String({ description: 'Sent as the cookie `__Host-latchkey-staff` from now on.' }),
  /** At the latest; unused it ends sooner. */
  expiresAt: Type.String({ format: 'date-time' }),
});
