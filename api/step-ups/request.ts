/**
 * A step-up as a service of the bank asks for it, whichever way it comes (HTTP or Nexus): the action is read into its one form, the row comes first,
 * then the workflow. A repeat under the same id finds the row again and starts what is not started yet; it never asks the customer twice.
 */
import { readTenantAction } from '../../db/action-types.ts';
import { getClient, type Client } from '../../db/clients.ts';
import type { Tx } from '../../db/connection.ts';
import { createStepUp } from '../../db/step-up-create.ts';
import { stepUpOfRequester } from '../../db/step-up.ts';
import type { Action } from '../../domain/action.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { startStepUp } from './start.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { RequestStepUpBody, RequestedStepUp } from '../schemas/step-ups.ts';
import { requesterView } from './requester-view.ts';

export type RequestDependencies = Pick<
  AppDependencies,
  'database' | 'temporal' | 'personalData' | 'newId'
>;

/** Who asks, as it has proved itself. */
export interface AskingClient {
  readonly clientId: string;
  /** What it may ask for. */
  readonly scopes: readonly string[];
}

export interface StepUpAsked {
  readonly tenantId: string;
  readonly stepUpId: string;
  readonly client: AskingClient;
}

/** `step-ups:` and the action's type, with a dash for each underscore. */
export function scopeOfType(type: string): string {
  return `step-ups:${type.replaceAll('_', '-')}`;
}

/** @throws LatchkeyError insufficient_scope */
export function requireScopeOf(
  { type }: Pick<Action, 'type'>,
  { scopes }: Pick<AskingClient, 'scopes'>,
): void {
  const scope = scopeOfType(type);
  if (!scopes.includes(scope)) throw new LatchkeyError('insufficient_scope', { extra: { scope } });
}

/**
 * Both steps: for a caller that has an id of its own and no Idempotency-Key.
 * @throws LatchkeyError action_invalid, insufficient_scope, what createStepUp refuses, temporal_unavailable
 */
export async function requestStepUp(
  deps: RequestDependencies,
  asked: StepUpAsked & { readonly request: RequestStepUpBody },
): Promise<RequestedStepUp> {
  const { tenantId } = asked;
  await deps.database.tenant(tenantId, (tx) =>
    insertRequest(tx, deps, { ...asked, mayRepeat: true }),
  );
  return await startRequested(deps, asked);
}

/** In the transaction that also keeps the outcome of an Idempotency-Key. */
export async function insertRequest(
  tx: Tx,
  deps: Pick<RequestDependencies, 'personalData' | 'newId'>,
  {
    tenantId,
    stepUpId,
    client,
    request,
    mayRepeat = false,
  }: StepUpAsked & { readonly request: RequestStepUpBody; readonly mayRepeat?: boolean },
): Promise<void> {
  const requester = { kind: 'client', id: client.clientId } as const;
  const action = await readTenantAction(tx, tenantId, request.action);
  requireScopeOf(action, client);
  if ((await stepUpOfRequester(tx, { tenantId, stepUpId, requester })) !== undefined) return;
  const { name } = await askingClient(tx, tenantId, client.clientId);
  const { customerId, sessionId, deviceId, atLeast, locale, reference } = request;
  await createStepUp(tx, deps, {
    tenantId,
    stepUpId,
    requester,
    requesterName: name,
    customerId,
    sessionId,
    deviceId,
    action,
    reference,
    atLeast,
    locale,
    mayRepeat,
  });
}

/** Also the repeat after a 503. No row under the id: nothing had to be approved. */
export async function startRequested(
  deps: RequestDependencies,
  { tenantId, stepUpId, client }: StepUpAsked,
): Promise<RequestedStepUp> {
  const requester = { kind: 'client', id: client.clientId } as const;
  const record = await deps.database.tenant(tenantId, (tx) =>
    stepUpOfRequester(tx, { tenantId, stepUpId, requester }),
  );
  if (record === undefined) return { status: 'not_required', required: 'none' };
  await startStepUp(deps, record);
  return requesterView(record);
}

async function askingClient(tx: Tx, tenantId: string, clientId: string): Promise<Client> {
  const client = await getClient(tx, tenantId, clientId);
  if (client?.status !== 'active') throw new LatchkeyError('caller_not_allowed');
  return client;
}
