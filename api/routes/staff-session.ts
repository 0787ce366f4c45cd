/** A staff session from inside: who I am, and its end. Both speak of the session of the cookie that was sent and of no other. */
import { endStaffSession } from '../../db/staff.ts';
import type { ApiServices } from '../dependencies.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { StaffLogoutAnswer, StaffMeAnswer } from '../schemas/staff-login.ts';
import { isoTime } from '../iso-time.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';
import { clearCookie, STAFF_COOKIE } from '../staff/cookies.ts';

export function registerStaffSessionRoutes(app: LatchkeyApp, { database }: ApiServices): void {
  app.get(
    '/staff/me',
    {
      config: { operationId: 'staffMe' },
      schema: {
        summary: 'Which member of the staff is logged in',
        tags: ['staff'],
        response: { 200: StaffMeAnswer },
      },
    },
    async (request) => {
      const { staffId, name, employeeId, roles, authTimeMs } = callerOf(request, 'staff');
      const { tenant } = request;
      return {
        staffId,
        name,
        employeeId,
        roles: [...roles],
        authTime: isoTime(authTimeMs),
        tenant: { slug: tenant.slug, name: tenant.name },
      };
    },
  );
  app.post(
    '/staff/logout',
    {
      config: { operationId: 'staffLogout' },
      schema: {
        summary: 'End this staff session',
        tags: ['staff'],
        body: EmptyBody,
        response: { 200: StaffLogoutAnswer },
      },
    },
    async (request, reply) => {
      const { staffId, staffSessionId } = callerOf(request, 'staff');
      const { tenantId } = request.tenant;
      const actor = { kind: 'staff', id: staffId } as const;
      const ended = await database.tenant(tenantId, (tx) =>
        endStaffSession(tx, { tenantId, staffSessionId, reason: 'logged_out', actor }),
      );
      clearCookie(reply, STAFF_COOKIE);
      return { ended };
    },
  );
}
