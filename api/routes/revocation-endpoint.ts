/**
 * Token revocation, RFC 7009: an app gives a token back, and with it the session. It takes the key that the token is bound to, so nobody ends
 * another's session with a stolen token; to any other key a token is unknown, and what is unknown is answered as what was revoked.
 */
import { touchCustomer } from '../../db/customer-lock.ts';
import { endSessions } from '../../db/session-ends.ts';
import { readSession } from '../../db/sessions.ts';
import type { Tx } from '../../db/connection.ts';
import { requireAppClient } from '../callers/app-client.ts';
import type { ApiServices } from '../dependencies.ts';
import { openRefreshToken } from '../tokens/refresh-token.ts';
import { NoAnswer, RevocationForm } from '../schemas/revocation-endpoint.ts';
import { unlessWorthless } from '../callers/shown-tokens.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp, RequestTenant } from '../types.ts';

export function registerRevocationEndpoint(app: LatchkeyApp, services: ApiServices): void {
  const schema = {
    summary: 'Give a token back',
    description:
      'RFC 7009, for apps: the session of an access or refresh token ends at once, both tokens with it. Proved by the key that the token is bound to. A token that is unknown, or another’s, is answered alike and ends nothing.',
    tags: ['oauth'],
    consumes: ['application/x-www-form-urlencoded'],
    body: RevocationForm,
    response: { 200: NoAnswer },
  };
  const config = { operationId: 'revoke', errors: 'oauth', problems: ['unknown_client'] } as const;
  app.post('/oauth/revoke', { schema, config }, async (request, reply) => {
    const { tenant, body } = request;
    const { tenantId } = tenant;
    const { jkt } = callerOf(request, 'client');
    await services.database.tenant(tenantId, (tx) => requireAppClient(tx, request, body.client_id));
    const sessionId = await sessionOf(services, tenant, { token: body.token, jkt });
    if (sessionId !== undefined) {
      const held = { tenantId, sessionId, clientId: body.client_id, jkt };
      await services.database.tenant(tenantId, (tx) => endHeldSession(tx, held));
    }
    return await reply.code(200).send();
  });
}

/** Which session a genuine token is of; whose key that is bound to, its row says. Old generations too: whoever holds the key may log out. */
async function sessionOf(
  { kms, accessTokens }: ApiServices,
  tenant: RequestTenant,
  { token, jkt }: { readonly token: string; readonly jkt: string },
): Promise<string | undefined> {
  const opened = openRefreshToken(kms, token, { tenantId: tenant.tenantId, jkt });
  if ('token' in opened) return opened.token.family;
  const claims = await unlessWorthless(accessTokens.verifyAccessToken(tenant, token));
  return claims?.sid;
}

async function endHeldSession(
  tx: Tx,
  held: {
    readonly tenantId: string;
    readonly sessionId: string;
    readonly clientId: string;
    readonly jkt: string;
  },
): Promise<void> {
  const { tenantId, sessionId } = held;
  const session = await readSession(tx, tenantId, sessionId);
  // The same key and app as the session's: to any other its tokens are unknown.
  if (session?.jkt !== held.jkt || session.clientId !== held.clientId) return;
  const { customerId } = session;
  await touchCustomer(tx, tenantId, customerId);
  await endSessions(tx, {
    tenantId,
    customerId,
    sessions: { only: sessionId },
    reason: 'logged_out',
    actor: { kind: 'customer', id: customerId },
  });
}
