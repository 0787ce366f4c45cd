/**
 * What a login is verified against, before anything is granted: the app that calls and the passkey it shows, in one round trip. It decides
 * nothing: both are judged by whoever asks, the passkey again by the grant.
 */
import type { Client } from './clients.ts';
import type { Database } from './connection.ts';
import type { Credential } from './credentials.ts';

type NullsOf<Row> = { readonly [Member in keyof Row]: null };
type LookupRow = (Client | NullsOf<Client>) &
  (
    | ({ readonly credentialStatus: Credential['status'] } & Omit<Credential, 'status'>)
    | ({ readonly credentialStatus: null } & NullsOf<Omit<Credential, 'status'>>)
  );

export interface LoginLookup {
  /** Whatever their status. */
  readonly client: Client | undefined;
  readonly credential: Credential | undefined;
}

export async function lookUpLogin(
  database: Pick<Database, 'statement'>,
  asked: { readonly tenantId: string; readonly clientId: string; readonly webauthnId: string },
): Promise<LoginLookup> {
  const { tenantId, clientId, webauthnId } = asked;
  const [row] = await database.statement<LookupRow>({
    tenantId,
    build: ({ sql, bound, isBound }) => sql<LookupRow[]>`
      with ${bound}
      select a.client_id, a.kind, a.name, a.status, a.scopes, a.roles, a.allowed_origins, a.native_app_ids, a.jwks,
        k.credential_id, k.customer_id, k.device_id, k.webauthn_id, k.public_key, k.user_handle, k.transports, k.status as credential_status
      from bound
      left join lateral (select * from client where ${isBound} and tenant_id = ${tenantId} and client_id = ${clientId}) a on true
      left join lateral (select * from credential where ${isBound} and tenant_id = ${tenantId} and webauthn_id = ${webauthnId}) k on true`,
  });
  if (row === undefined) throw new TypeError('a lookup answers one row');
  return { client: clientOf(row), credential: credentialOf(row) };
}

function clientOf(row: LookupRow): Client | undefined {
  if (row.clientId === null) return undefined;
  const { clientId, kind, name, status, scopes, roles, allowedOrigins, nativeAppIds, jwks } = row;
  return { clientId, kind, name, status, scopes, roles, allowedOrigins, nativeAppIds, jwks };
}

function credentialOf(row: LookupRow): Credential | undefined {
  if (row.credentialStatus === null) return undefined;
  const { credentialId, customerId, deviceId, webauthnId } = row;
  const { publicKey, userHandle, transports, credentialStatus: status } = row;
  return {
    credentialId,
    customerId,
    deviceId,
    webauthnId,
    publicKey,
    userHandle,
    transports,
    status,
  };
}
