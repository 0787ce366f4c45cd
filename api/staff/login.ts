/**
 * A staff login from its first redirect to a proved person: what was begun here is what may end here, in the browser that began it. Between
 * the two nothing is kept on this side; the sealed cookie holds it. What becomes of the person is api/staff/entry.ts's.
 */
import { randomBytes } from 'node:crypto';
import type { StaffIdentity } from '../../db/staff.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { STAFF_SESSION, staffRolesOf } from '../../domain/staff.ts';
import type { AppDependencies, StaffDirectory } from '../dependencies.ts';
import type { RequestTenant } from '../types.ts';
import { createStaffProvider } from './provider.ts';
import type { ProviderAnswer, ProviderRequest, StaffProvider } from './provider.ts';
import type { CommandLine } from './return-to.ts';
import { createSeal } from './seal.ts';

/** To find a password, or a second factor in a drawer. */
export const LOGIN_SECONDS = 10 * 60;
/** Between the provider's clock and ours. */
const SKEW_MS = 60_000;
const EMPLOYEE_ID = /^[A-Za-z0-9._-]{1,64}$/;
const MAX_NAME = 128;

export interface BegunLogin extends Omit<ProviderRequest, 'redirectUri' | 'maxAgeSeconds'> {
  readonly startedAtMs: number;
  /** An address of the operations origin. */
  readonly returnTo: string;
  readonly commandLine?: CommandLine;
}

/** Somebody whom the provider vouched for, on the way to a session. */
export interface ProvedLogin {
  readonly identity: StaffIdentity;
  readonly authTimeMs: number;
  readonly acr?: string;
  /** The login's state: spent with the session that it makes. */
  readonly mark: string;
}

export interface StaffLogins {
  /** @throws LatchkeyError not_found where staff have no directory, staff_login_unavailable */
  begin(
    tenant: RequestTenant,
    wish: Pick<BegunLogin, 'returnTo' | 'isFresh'> & {
      readonly commandLine?: CommandLine | undefined;
    },
  ): Promise<{ readonly location: string; readonly cookie: string }>;
  /** What the cookie of a callback holds; undefined for none, another tenant's, an old one. */
  open(tenant: RequestTenant, cookie: string | undefined): Promise<BegunLogin | undefined>;
  /** @throws LatchkeyError staff_login_failed, staff_login_unavailable */
  prove(tenant: RequestTenant, begun: BegunLogin, query: string): Promise<ProvedLogin>;
}

export function createStaffLogins({
  kms,
  clock,
  configuration,
  logger,
}: Pick<AppDependencies, 'kms' | 'clock' | 'configuration' | 'logger'>): StaffLogins {
  const seal = createSeal<BegunLogin>(kms, 'staff-login');
  const providers = new Map<string, StaffProvider>();

  const directoryOf = ({ slug }: RequestTenant): StaffDirectory => {
    const { staff = {}, operations } = configuration;
    const directory = Object.hasOwn(staff, slug) ? staff[slug] : undefined;
    if (directory === undefined || operations === undefined) throw new LatchkeyError('not_found');
    return directory;
  };
  const providerOf = (tenant: RequestTenant): StaffProvider => {
    const known = providers.get(tenant.slug);
    if (known !== undefined) return known;
    const provider = createStaffProvider(directoryOf(tenant), { logger, clock });
    providers.set(tenant.slug, provider);
    return provider;
  };
  const requestOf = ({ slug }: RequestTenant, begun: BegunLogin): ProviderRequest => ({
    ...begun,
    redirectUri: `${configuration.operations?.url ?? ''}/t/${slug}/staff/callback`,
    // A session of the provider that is older than any of ours may be is not enough.
    maxAgeSeconds: STAFF_SESSION.absoluteSeconds,
  });

  return {
    begin: async (tenant, { returnTo, isFresh, commandLine }) => {
      const begun: BegunLogin = {
        state: randomValue(),
        nonce: randomValue(),
        verifier: randomValue(),
        isFresh,
        returnTo,
        startedAtMs: clock.nowMs(),
        ...(commandLine === undefined ? {} : { commandLine }),
      };
      const location = await providerOf(tenant).authorizationUrl(requestOf(tenant, begun));
      return { location, cookie: await seal.close(tenant.tenantId, begun) };
    },
    open: async (tenant, cookie) => {
      const begun = cookie === undefined ? undefined : await seal.open(tenant.tenantId, cookie);
      const ageMs = clock.nowMs() - (begun?.startedAtMs ?? 0);
      return ageMs < LOGIN_SECONDS * 1000 ? begun : undefined;
    },
    prove: async (tenant, begun, query) => {
      const directory = directoryOf(tenant);
      const answer = await providerOf(tenant).complete(requestOf(tenant, begun), query);
      requireStrength(answer, { directory, begun, nowMs: clock.nowMs() });
      return {
        identity: identityOf(answer, directory),
        authTimeMs: answer.authTimeMs,
        ...(answer.acr === undefined ? {} : { acr: answer.acr }),
        mark: begun.state,
      };
    },
  };
}

/** 256 bits; as a verifier RFC 7636 section 4.1's 43 characters. */
function randomValue(): string {
  return randomBytes(32).toString('base64url');
}

/** OpenID Connect Core 1.0 section 3.1.3.7, points 12 and 13. */
function requireStrength(
  { acr, authTimeMs }: ProviderAnswer,
  {
    directory: { acrValues },
    begun,
    nowMs,
  }: {
    readonly directory: StaffDirectory;
    readonly begun: BegunLogin;
    readonly nowMs: number;
  },
): void {
  const isStrong = acrValues === undefined || (acr !== undefined && acrValues.includes(acr));
  if (!isStrong) throw new LatchkeyError('staff_login_failed', { detail: 'acr' });
  const isFuture = authTimeMs > nowMs + SKEW_MS;
  const isStale = begun.isFresh && authTimeMs < begun.startedAtMs - SKEW_MS;
  if (isFuture || isStale) throw new LatchkeyError('staff_login_failed', { detail: 'auth_time' });
}

function identityOf(
  { issuer, subject, claims }: ProviderAnswer,
  { rolesClaim, employeeClaim, roles }: StaffDirectory,
): StaffIdentity {
  const own = (name: string): unknown => (Object.hasOwn(claims, name) ? claims[name] : undefined);
  const employeeId = own(employeeClaim);
  // Without it nobody could say that two approvals are two people's.
  if (typeof employeeId !== 'string' || !EMPLOYEE_ID.test(employeeId))
    throw new LatchkeyError('staff_login_failed', { detail: 'employee id' });
  const name = own('name');
  return {
    issuer,
    subject,
    employeeId,
    name: typeof name === 'string' && name !== '' ? name.slice(0, MAX_NAME) : employeeId,
    roles: staffRolesOf(own(rolesClaim), roles),
  };
}
