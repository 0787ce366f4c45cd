/** Clients: the apps (public, known by their origins) and machines (known by their public keys) that may call for a tenant. */
import type { Database, Tx } from './connection.ts';
import { insertProof, type ProofMark } from './dpop.ts';

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

/** What a machine's call is judged by, in one round trip: whether its proof was fresh, which is spent now, and its client. */
export async function clientWithProof(
  database: Pick<Database, 'statement'>,
  tenantId: string,
  { clientId, proof }: { readonly clientId: string; readonly proof: ProofMark },
): Promise<{ readonly isFresh: boolean; readonly client: Client | undefined }> {
  type Row = { readonly isFresh: boolean } & (Client | { readonly clientId: null });
  const [row] = await database.statement<Row>({
    tenantId,
    build: ({ sql, bound, isBound }) => sql<Row[]>`
      with ${bound}, proof as (${insertProof(sql, proof, isBound)})
      select exists (select from proof) as is_fresh,
        c.client_id, c.kind, c.name, c.status, c.scopes, c.roles, c.allowed_origins, c.native_app_ids, c.jwks
      from bound left join client c on ${isBound} and c.tenant_id = ${tenantId} and c.client_id = ${clientId}`,
  });
  if (row === undefined) throw new TypeError('a question has its answer');
  const { isFresh, ...client } = row;
  return { isFresh, client: client.clientId === null ? undefined : client };
}
