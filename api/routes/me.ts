/** What a customer is told about himself: masked, and for a session that may only read also without his name. */
import { provedContacts } from '../../db/contacts.ts';
import { proofedGivenName } from '../../db/enrollment-binding.ts';
import { readSession } from '../../db/sessions.ts';
import type { SessionRecord } from '../../db/sessions.ts';
import { isReadOnly } from '../../domain/auth-strength.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { maskEmail, maskPhone } from '../enrollment/contacts.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { MeAnswer } from '../schemas/sessions.ts';
import { standingOf } from '../tokens/session-tokens.ts';
import { callerOf } from '../types.ts';
import type { CustomerCaller, LatchkeyApp, RequestTenant } from '../types.ts';

export function registerMeRoutes(app: LatchkeyApp, { database, personalData }: ApiServices): void {
  const config = { operationId: 'me' } as const;
  const schema = {
    summary: 'Who is logged in',
    tags: ['session'],
    response: { 200: MeAnswer },
  };
  app.get('/auth/me', { config, schema }, async (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const caller = callerOf(request, 'customer');
    const { customerId, sessionId } = caller;
    const { session, givenName, contacts } = await database.tenant(tenantId, async (tx) => ({
      session: await readSession(tx, tenantId, sessionId),
      givenName: await proofedGivenName(tx, personalData, { tenantId, customerId }),
      contacts: await provedContacts(tx, personalData, { tenantId, customerId }),
    }));
    if (session === undefined) throw new LatchkeyError('session_ended');
    const isMasked = isReadOnly(caller.acr);
    return {
      customerId,
      givenName: givenName === undefined ? null : isMasked ? initialOf(givenName) : givenName,
      phone: contacts.phone === undefined ? null : maskPhone(contacts.phone),
      email: contacts.email === undefined ? null : maskEmail(contacts.email),
      frozenUntil: frozenUntil(session),
      device: deviceView(session),
      session: sessionView(session, caller, tenant),
      claims: { ...caller.claims },
    };
  });
}

function frozenUntil({ frozenUntilMs, nowMs }: SessionRecord): string | null {
  return frozenUntilMs !== null && frozenUntilMs > nowMs ? isoTime(frozenUntilMs) : null;
}

function initialOf(name: string): string {
  return `${Array.from(name)[0] ?? ''}•••`;
}

function deviceView({ deviceId, deviceName, devicePlatform, device }: SessionRecord) {
  if (deviceId === null || deviceName === null || devicePlatform === null || device === undefined)
    return null;
  return { deviceId, name: deviceName, platform: devicePlatform, ...device };
}

function sessionView(
  session: SessionRecord,
  { acr }: CustomerCaller,
  tenant: RequestTenant,
): MeAnswer['session'] {
  const { idleMs, absoluteMs } = standingOf(session, tenant);
  return {
    sessionId: session.sessionId,
    acr,
    amr: [...session.amr],
    authTime: new Date(session.authTimeMs).toISOString(),
    epoch: session.epoch,
    idleExpiresAt: new Date(idleMs).toISOString(),
    absoluteExpiresAt: new Date(absoluteMs).toISOString(),
  };
}
