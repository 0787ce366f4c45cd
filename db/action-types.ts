/**
 * A tenant's own types of action as rows: read for the action that names one, added by the owner from the tenant's file. A version that was written
 * is never changed or taken away.
 */
import type postgres from 'postgres';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { JsonValue } from '../domain/canonical-json.ts';
import { ACTION_TYPES } from '../domain/action-types.ts';
import type { ActionType, ActionTypes } from '../domain/action-types.ts';
import { readAction } from '../domain/action.ts';
import type { Action } from '../domain/action.ts';
import { ownTypeOf, readOwnAction, typesOfAction } from '../domain/own-action-types.ts';
import type { ActionTypeDefinition } from '../domain/own-action-types.ts';
import type { Tx } from './connection.ts';

/** Older ones than these read nothing any more. */
const VERSIONS_READ = 10;

export interface NamedActionType extends ActionTypeDefinition {
  readonly name: string;
}

/** readAction() with the tenant's own types beside the built-in ones. @throws LatchkeyError action_invalid */
export async function readTenantAction(tx: Tx, tenantId: string, value: unknown): Promise<Action> {
  const name = ownTypeOf(value);
  if (name === undefined) return readAction(value);
  return readOwnAction(value, name, await versionsOf(tx, tenantId, name));
}

/** For displayOf(): the type by whose text this action is shown. */
export async function actionTypesFor(
  tx: Tx,
  tenantId: string,
  action: Action,
): Promise<ActionTypes> {
  if (Object.hasOwn(ACTION_TYPES, action.type)) return ACTION_TYPES;
  return typesOfAction(action, await versionsOf(tx, tenantId, action.type));
}

/** From the newest on. */
async function versionsOf(tx: Tx, tenantId: string, name: string): Promise<readonly ActionType[]> {
  const rows = await tx<{ version: number; definition: ActionTypeDefinition }[]>`
    select version, definition from action_type where tenant_id = ${tenantId} and name = ${name}
    order by version desc limit ${VERSIONS_READ}`;
  return rows.map(({ version, definition }) => ({ version, ...definition }));
}

/** By the owner: a new version where the definition has changed, nothing where it has not. What the file no longer names stays. */
export async function applyActionType(
  tx: postgres.TransactionSql,
  tenantId: string,
  { name, members, templates }: NamedActionType,
): Promise<void> {
  const [newest] = await tx<{ version: number; definition: JsonValue }[]>`
    select version, definition from action_type where tenant_id = ${tenantId} and name = ${name} order by version desc limit 1`;
  // JSON by construction: read from the tenant's file or from the column.
  const definition = { members, templates } as unknown as JsonValue;
  if (newest !== undefined && canonicalJson(newest.definition) === canonicalJson(definition))
    return;
  await tx`
    insert into action_type (tenant_id, name, version, definition)
    values (${tenantId}, ${name}, ${(newest?.version ?? 0) + 1}, ${JSON.stringify(definition)}::text::jsonb)`;
}
