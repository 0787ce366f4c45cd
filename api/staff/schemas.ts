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

export const NoInput = Type.Object({}, { additionalProperties: false });

export const StaffLogoutAnswer = Type.Object({ ended: Type.Boolean() });
