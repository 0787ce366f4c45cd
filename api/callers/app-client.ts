/**
 * Which app is calling: public clients have no secret, so a client id is a claim that is held against where the call comes from. It narrows
 * mistakes and pages of strangers; it never proves an app.
 */
import type { FastifyRequest } from 'fastify';
import { getClient } from '../../db/clients.ts';
import type { Client } from '../../db/clients.ts';
import type { Tx } from '../../db/connection.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { singleHeader } from '../frame/headers.ts';

/**
 * The app client of that id. A web page names its origin, a native app may name itself by `Latchkey-App-Id`; what is named must be the
 * client's own.
 * @throws LatchkeyError unknown_client, origin_not_allowed
 */
export async function requireAppClient(
  tx: Tx,
  request: FastifyRequest,
  clientId: string,
): Promise<Client> {
  return judgeAppClient(await getClient(tx, request.tenant.tenantId, clientId), request);
}

/** The same of a client that was read already. @throws LatchkeyError unknown_client, origin_not_allowed */
export function judgeAppClient(client: Client | undefined, request: FastifyRequest): Client {
  if (client?.kind !== 'app' || client.status !== 'active')
    throw new LatchkeyError('unknown_client');
  const origin = singleHeader(request, 'origin', 'origin_not_allowed');
  if (origin !== undefined && !client.allowedOrigins.includes(origin))
    throw new LatchkeyError('origin_not_allowed');
  const appId = singleHeader(request, 'latchkey-app-id', 'origin_not_allowed');
  if (appId !== undefined && !client.nativeAppIds.includes(appId))
    throw new LatchkeyError('origin_not_allowed');
  return client;
}
