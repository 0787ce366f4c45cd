/**
 * Where requesters want to be told how their step-ups stand: an address and the secrets that sign, registered with the client in the tenant's
 * file. The secrets lie sealed under a key-encryption key and are opened for one call.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { KeyManagement } from '../domain/ports.ts';
import { statusOf } from '../domain/step-up-status.ts';
import type { StepUpStatus } from '../domain/step-up-status.ts';
import type { StepUp } from '../domain/step-up.ts';
import type { Tx } from './connection.ts';

export interface CallbackTarget {
  readonly url: string;
  readonly secrets: readonly string[];
  readonly allowsPrivateAddresses: boolean;
  /** As it stands now. */
  readonly status: StepUpStatus;
}

type CallbackRow = Pick<CallbackTarget, 'url' | 'allowsPrivateAddresses'> &
  Pick<StepUp, 'state' | 'outcome' | 'reason'> & {
    readonly clientId: string;
    readonly kekId: string;
    readonly sealedSecrets: Uint8Array;
  };

/** undefined: its requester is no client, is disabled, or registered no address. */
export async function callbackTarget(
  tx: Tx,
  kms: Pick<KeyManagement, 'unwrap'>,
  { tenantId, stepUpId }: { readonly tenantId: string; readonly stepUpId: string },
): Promise<CallbackTarget | undefined> {
  const [row] = await tx<CallbackRow[]>`
    select b.client_id, b.url, b.allows_private_addresses, b.kek_id, b.sealed_secrets, c.state, c.outcome, c.reason
    from step_up s join ceremony c on c.tenant_id = s.tenant_id and c.ceremony_id = s.step_up_id
    join client on client.tenant_id = s.tenant_id and client.client_id = s.requester_id and client.status = 'active'
    join client_callback b on b.tenant_id = client.tenant_id and b.client_id = client.client_id
    where s.tenant_id = ${tenantId} and s.step_up_id = ${stepUpId} and s.requester_kind = 'client'`;
  if (row === undefined) return undefined;
  const { url, allowsPrivateAddresses, clientId, kekId, sealedSecrets } = row;
  const opened = await kms.unwrap(kekId, sealedSecrets, callbackContext(tenantId, clientId));
  return { url, allowsPrivateAddresses, secrets: secretsOf(opened), status: statusOf(row) };
}

/** What seals the secrets of one client: they open for no other. */
export function callbackContext(tenantId: string, clientId: string): string {
  return `client-callback/${tenantId}/${clientId}`;
}

function secretsOf(opened: Uint8Array): readonly string[] {
  const secrets: unknown = JSON.parse(Buffer.from(opened).toString('utf8'));
  if (!Array.isArray(secrets) || !secrets.every((secret) => typeof secret === 'string'))
    throw new LatchkeyError('internal_error', { detail: 'secrets of another form' });
  return secrets;
}
