/**
 * The search attributes: pseudonymous ids, kind, state, outcome and deadline, never anything about a person: Temporal keeps them in clear.
 * The server must know them (namespace.ts registers them).
 */
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import type { WorkflowKind } from '../domain/ids.ts';

export const TENANT_ATTRIBUTE = defineSearchAttributeKey('LatchkeyTenant', 'KEYWORD');
export const KIND_ATTRIBUTE = defineSearchAttributeKey('LatchkeyKind', 'KEYWORD');
export const STATE_ATTRIBUTE = defineSearchAttributeKey('LatchkeyState', 'KEYWORD');
export const CUSTOMER_ATTRIBUTE = defineSearchAttributeKey('LatchkeyCustomer', 'KEYWORD');
/** When what it waits for must have happened; not of sessions, which could not keep it true without one more event at each renewal. */
export const DEADLINE_ATTRIBUTE = defineSearchAttributeKey('LatchkeyDeadline', 'DATETIME');
export const OUTCOME_ATTRIBUTE = defineSearchAttributeKey('LatchkeyOutcome', 'KEYWORD');

/** All of them, for whoever makes a namespace. */
export const SEARCH_ATTRIBUTES = [
  TENANT_ATTRIBUTE,
  KIND_ATTRIBUTE,
  STATE_ATTRIBUTE,
  CUSTOMER_ATTRIBUTE,
  DEADLINE_ATTRIBUTE,
  OUTCOME_ATTRIBUTE,
] as const;

export interface WorkflowAttributes {
  readonly kind: WorkflowKind;
  readonly tenantId: string;
  readonly state?: string | undefined;
  readonly customerId?: string | undefined;
}

export function searchAttributes({
  kind,
  tenantId,
  state,
  customerId,
}: WorkflowAttributes): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: TENANT_ATTRIBUTE, value: tenantId },
    { key: KIND_ATTRIBUTE, value: kind },
    ...(state === undefined ? [] : [{ key: STATE_ATTRIBUTE, value: state }]),
    ...(customerId === undefined ? [] : [{ key: CUSTOMER_ATTRIBUTE, value: customerId }]),
  ]);
}
