/**
 * Staff as a pure rule: which roles there are, what an identity provider's claim makes of a person, and how long a session and a login count.
 * Where staff come from is configuration; what a role may do is the access matrix. A role that nobody mapped is no role.
 */

export const STAFF_ROLES = ['agent', 'supervisor', 'auditor', 'administrator'] as const;

export type StaffRole = (typeof STAFF_ROLES)[number];

export const STAFF_SESSION_KINDS = ['browser', 'cli'] as const;
export type StaffSessionKind = (typeof STAFF_SESSION_KINDS)[number];

export const STAFF_SESSION_STATUSES = ['live', 'ended'] as const;

export const STAFF_SESSION_END_REASONS = [
  'logged_out',
  /** Its idle or absolute deadline has passed; the sweeper says so. */
  'expired',
  /** The same browser logged in again, or the person has too many. */
  'superseded',
  /** A later login brought no role any more. */
  'roles_removed',
] as const;
export type StaffSessionEndReason = (typeof STAFF_SESSION_END_REASONS)[number];

/** Not a tenant's policy: what staff sessions may be is held by whoever runs Latchkey, and no administrator of a tenant may lengthen it. */
export const STAFF_SESSION = {
  /** A screen left alone in a contact centre (NIST SP 800-63B-4 section 2.2.3 allows an hour at AAL2; a desk is shared). */
  idleSeconds: 15 * 60,
  /** One shift; the roles of a session are never older than that. */
  absoluteSeconds: 10 * 3600,
  /** What a release or an approval asks for: the person and the roles as the identity provider knows them now. */
  recentLoginSeconds: 5 * 60,
  /** How often use is written down; a row that every request writes would be the slowest thing at this door. */
  touchSeconds: 60,
  /** Browsers and terminals of one person at once. */
  maxLive: 10,
} as const;

/** By our role, the provider's values that stand for it. */
export type RoleMap = Readonly<Record<StaffRole, readonly string[]>>;

/** Of a claim as the provider sent it: a list of strings or one. Anything else is no role. */
export function staffRolesOf(claim: unknown, map: RoleMap): readonly StaffRole[] {
  const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return STAFF_ROLES.filter((role) => map[role].some((name) => values.includes(name)));
}

export interface StaffSessionStanding {
  readonly status: (typeof STAFF_SESSION_STATUSES)[number];
  readonly idleDeadlineMs: number;
  readonly absoluteDeadlineMs: number;
  /** At this login. */
  readonly sessionRoles: readonly StaffRole[];
  /** At the person's latest login, anywhere. */
  readonly staffRoles: readonly StaffRole[];
}

/** The roles that count now, none when the session is over: a role that a later login no longer brought is gone here too. */
export function standingRoles(session: StaffSessionStanding, nowMs: number): readonly StaffRole[] {
  const isOver =
    session.status !== 'live' ||
    nowMs >= session.idleDeadlineMs ||
    nowMs >= session.absoluteDeadlineMs;
  if (isOver) return [];
  return session.sessionRoles.filter((role) => session.staffRoles.includes(role));
}

export function isRecentLogin(authTimeMs: number, nowMs: number): boolean {
  return nowMs - authTimeMs <= STAFF_SESSION.recentLoginSeconds * 1000;
}
