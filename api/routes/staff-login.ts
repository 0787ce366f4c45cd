/**
 * The way in: to the identity provider, back from it, and for a command line from its listener to a session (RFC 8252). Nobody is anybody yet
 * here; what a browser brings back counts only together with the cookie it was given on the way out.
 */
import { LatchkeyError } from '../../domain/errors.ts';
import { STAFF_SESSION } from '../../domain/staff.ts';
import type { ApiServices } from '../dependencies.ts';
import { judgeError } from '../problems.ts';
import type { LatchkeyApp } from '../types.ts';
import {
  clearCookie,
  LOGIN_COOKIE,
  readCookie,
  setCookie,
  STAFF_COOKIE,
} from '../staff/cookies.ts';
import { createStaffEntry } from '../staff/entry.ts';
import type { StaffEntry } from '../staff/entry.ts';
import { createStaffLogins, LOGIN_SECONDS } from '../staff/login.ts';
import type { StaffLogins } from '../staff/login.ts';
import { sendLoginRefusal } from '../staff/refusal-page.ts';
import { commandLineOf, returnAddress } from '../staff/return-to.ts';
import { CliSessionAnswer, LoginQuery, NewCliSession } from '../schemas/staff-login.ts';

export function registerStaffLoginRoutes(app: LatchkeyApp, services: ApiServices): void {
  const logins = createStaffLogins(services);
  registerLogin(app, services, logins);
  const entry = createStaffEntry(services);
  registerCallback(app, services, { logins, entry });
  registerCliSessions(app, services, entry);
}

function registerLogin(
  app: LatchkeyApp,
  { configuration }: ApiServices,
  logins: StaffLogins,
): void {
  app.get(
    '/staff/login',
    {
      config: { operationId: 'staffLogin', problems: ['staff_login_unavailable'] },
      errorHandler: sendLoginRefusal,
      schema: {
        summary: 'Log in as staff: to the identity provider',
        tags: ['staff'],
        querystring: LoginQuery,
        response: { 302: { description: 'To the identity provider.', type: 'null' } },
      },
    },
    async (request, reply) => {
      const { returnTo: path = '/', fresh, cli, challenge } = request.query;
      const returnTo = returnAddress(configuration.operations?.url ?? '', path);
      const commandLine = cli === undefined ? undefined : commandLineOf(cli, challenge ?? '');
      if (returnTo === undefined || (cli !== undefined && commandLine === undefined))
        throw new LatchkeyError('invalid_request', { detail: 'returnTo, cli or challenge' });
      // A link alone must not give a listener on this machine a session: for a command line somebody acts at the provider.
      const isFresh = fresh === 'true' || commandLine !== undefined;
      const { location, cookie } = await logins.begin(request.tenant, {
        returnTo,
        isFresh,
        commandLine,
      });
      setCookie(reply, LOGIN_COOKIE, { value: cookie, maxAgeSeconds: LOGIN_SECONDS });
      return await reply.redirect(location, 302);
    },
  );
}

function registerCallback(
  app: LatchkeyApp,
  { staffAuthentication }: ApiServices,
  { logins, entry }: { readonly logins: StaffLogins; readonly entry: StaffEntry },
): void {
  app.get(
    '/staff/callback',
    {
      config: {
        operationId: 'staffCallback',
        problems: ['staff_login_failed', 'staff_login_unavailable', 'no_staff_role'],
      },
      errorHandler: sendLoginRefusal,
      schema: {
        summary: 'Log in as staff: back from the identity provider',
        tags: ['staff'],
        response: {
          303: { description: 'Logged in; to where the login was begun.', type: 'null' },
        },
      },
    },
    async (request, reply) => {
      const { tenant } = request;
      const begun = await logins.open(tenant, readCookie(request, LOGIN_COOKIE));
      clearCookie(reply, LOGIN_COOKIE);
      if (begun === undefined)
        throw new LatchkeyError('staff_login_failed', { detail: 'not begun in this browser' });
      const { commandLine } = begun;
      const query = queryOf(request.originalUrl);
      if (commandLine !== undefined) {
        const outcome = await outcomeOf(async () =>
          entry.codeFor(tenant, await logins.prove(tenant, begun, query), commandLine),
        );
        const address = new URL(commandLine.redirectUri);
        address.search = new URLSearchParams(outcome).toString();
        return await reply.redirect(address.href, 303);
      }
      const proved = await logins.prove(tenant, begun, query);
      const before = await staffAuthentication.visitOf(request);
      const replaces =
        before?.tenantId === tenant.tenantId ? before.caller.staffSessionId : undefined;
      const token = await entry.enter(tenant, proved, { kind: 'browser', replaces });
      setCookie(reply, STAFF_COOKIE, { value: token });
      return await reply.redirect(begun.returnTo, 303);
    },
  );
}

/** With its question mark, as it came: a parser would keep one of two `state`s. */
function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}

/** A command line waits at its listener: it is told of a refusal too. */
async function outcomeOf(
  work: () => Promise<string>,
): Promise<{ readonly code: string } | { readonly error: string }> {
  try {
    return { code: await work() };
  } catch (error) {
    const { code } = judgeError(error);
    if (code === 'internal_error') throw error;
    return { error: code };
  }
}

function registerCliSessions(app: LatchkeyApp, { clock }: ApiServices, entry: StaffEntry): void {
  app.post(
    '/staff/cli-sessions',
    {
      config: {
        operationId: 'createCliSession',
        problems: ['staff_login_failed', 'no_staff_role'],
      },
      schema: {
        summary: "Trade a command line's one-time code for a staff session",
        tags: ['staff'],
        body: NewCliSession,
        response: { 201: CliSessionAnswer },
      },
    },
    async (request, reply) => {
      const proved = await entry.redeem(request.tenant, request.body);
      const token = await entry.enter(request.tenant, proved, { kind: 'cli' });
      const expiresAt = new Date(clock.nowMs() + STAFF_SESSION.absoluteSeconds * 1000);
      return await reply.code(201).send({ token, expiresAt: expiresAt.toISOString() });
    },
  );
}
