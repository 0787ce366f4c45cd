/**
 * Who of the staff is asking: the cookie's session as PostgreSQL knows it now, with the roles that count now. Nothing is remembered between
 * requests, so that an ended session is dead at its next one. Any doubt is a refusal.
 */
import type { FastifyRequest } from 'fastify';
import { readStaffSession, touchStaffSession } from '../../db/staff.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { isRecentLogin, STAFF_SESSION, standingRoles } from '../../domain/staff.ts';
import type { AccessRow } from '../access.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { RequestTenant, StaffCaller } from '../types.ts';
import { readCookie, STAFF_COOKIE } from './cookies.ts';
import { readStaffToken } from './tokens.ts';

/** A live session, found without a tenant in the path. */
export interface StaffVisit {
  readonly tenantId: string;
  readonly caller: StaffCaller;
  /** By the database's clock: the login is at most five minutes old. */
  readonly isRecent: boolean;
}

/** What a page of the console asks by itself, with nobody at it: answered, and no use of the session. It can only end one earlier. */
const UNATTENDED = 'latchkey-unattended';

export interface StaffAuthentication {
  /** Who the cookie of a request stands for, in whichever tenant; undefined when nobody who is still logged in. Pages redirect then. */
  visitOf(request: FastifyRequest): Promise<StaffVisit | undefined>;
  /** @throws LatchkeyError staff_login_required, staff_role_missing, reauthentication_required */
  authenticate(
    request: FastifyRequest,
    tenant: RequestTenant,
    row: Pick<AccessRow, 'roles' | 'recentLogin'>,
  ): Promise<StaffCaller>;
}

export function createStaffAuthentication({
  database,
  configuration,
}: Pick<AppDependencies, 'database' | 'configuration'>): StaffAuthentication {
  const { operations, staff } = configuration;
  /** Of the tenant's provider; undefined where staff are asked for none. Before any transaction: it may need a connection of its own. */
  const issuerFor = async (tenantId: string): Promise<string | undefined> => {
    if (staff === undefined) return undefined;
    const tenant = (await database.tenants()).find((one) => one.tenantId === tenantId);
    const slug = tenant?.slug ?? '';
    return (Object.hasOwn(staff, slug) ? staff[slug]?.issuer : undefined) ?? 'none:';
  };
  const visitOf: StaffAuthentication['visitOf'] = async (request) => {
    const token = readCookie(request, STAFF_COOKIE);
    const shown = token === undefined ? undefined : readStaffToken(token);
    if (shown === undefined) return undefined;
    const { tenantId, hash } = shown;
    const issuer = await issuerFor(tenantId);
    return await database.tenant(tenantId, async (tx) => {
      const session = await readStaffSession(tx, tenantId, hash);
      if (session === undefined) return undefined;
      // Whoever came from a provider that was taken out of the configuration, or replaced there, is nobody at once.
      if (issuer !== undefined && !isSameIssuer(session.issuer, issuer)) return undefined;
      const { nowMs, authTimeMs, staffSessionId, staffId, employeeId, name } = session;
      const roles = standingRoles(session, nowMs);
      if (roles.length === 0) return undefined;
      const isDue = nowMs - session.lastSeenAtMs >= STAFF_SESSION.touchSeconds * 1000;
      if (isDue && request.headers[UNATTENDED] === undefined)
        await touchStaffSession(tx, tenantId, staffSessionId);
      const kind = 'staff' as const;
      return {
        tenantId,
        caller: { kind, staffId, employeeId, roles, staffSessionId, authTimeMs, name },
        isRecent: isRecentLogin(authTimeMs, nowMs),
      };
    });
  };

  return {
    visitOf,
    authenticate: async (request, tenant, row) => {
      const loginUrl = `${operations?.url ?? ''}/t/${tenant.slug}/staff/login`;
      const visit = await visitOf(request);
      if (visit?.tenantId !== tenant.tenantId)
        throw new LatchkeyError('staff_login_required', { extra: { loginUrl } });
      const { caller } = visit;
      if (row.roles?.some((role) => caller.roles.includes(role)) !== true)
        throw new LatchkeyError('staff_role_missing', {
          extra: { roles: (row.roles ?? []).join(' ') },
        });
      if (row.recentLogin === true && !visit.isRecent)
        throw new LatchkeyError('reauthentication_required', {
          extra: { loginUrl: `${loginUrl}?fresh=true` },
        });
      return caller;
    },
  };
}

/** As discovery compares them: some providers end theirs with a slash that nobody writes into a configuration. */
function isSameIssuer(one: string, other: string): boolean {
  return new URL(one).href === new URL(other).href;
}
