/** Clients: the apps (public, known by their origins) and machines (known by their public keys) that may call for a tenant. */
import type { Tx } from './connection.ts';

export interface Client {
  readonly clientId: string;
  readonly kind: 'app' | 'machine';
  readonly name: string;
  readonly status: 'active' | 'disabled';
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly nativeAppIds: readonly string[];
  /** A JWK set; machines only. */
  readonly jwks: ClientJwks | null;
}

export interface ClientJwks {
  readonly keys: readonly { readonly [member: string]: unknown }[];
}

/** Disabled ones too: the caller judges `status`. */
export async function getClient(
  tx: Tx,
  tenantId: string,
  clientId: string,
): Promise<Client | undefined> {
  const [client] = await tx<Client[]>`
    select client_id, kind, name, status, scopes, roles, allowed_origins, native_app_ids, jwks from client
    where tenant_id = ${tenantId} and client_id = ${clientId}`;
  return client;
}
