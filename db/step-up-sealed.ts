/** What only the customer's key opens of a step-up: what was asked for, and the exact text that was sent to be shown. */
import type { Action } from '../domain/action.ts';
import type { Tx } from './connection.ts';
import type { StepUpRecord, StepUpTools } from './step-up.ts';

/** What was asked for, as it is sealed. */
export interface StepUpRequest {
  readonly action: Action;
  /** The text that is compared and hashed. */
  readonly canonical: string;
  readonly reference: string;
  readonly requesterName: string;
}

const REQUEST_PURPOSE = 'step_up.request';
const PREIMAGE_PURPOSE = 'step_up.preimage';

/** Opens what was asked for from under the customer's key. */
export async function openRequest(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, stepUpId, customerId }: Pick<StepUpRecord, 'tenantId' | 'stepUpId' | 'customerId'>,
): Promise<StepUpRequest> {
  const [row] = await tx<{ sealedRequest: Uint8Array }[]>`
    select sealed_request from step_up where tenant_id = ${tenantId} and step_up_id = ${stepUpId}`;
  if (row === undefined) throw new TypeError('a step-up has what was asked for');
  const target = { tenantId, customerId, purpose: REQUEST_PURPOSE };
  // Sealed by sealRequest.
  return JSON.parse(await personalData.open(tx, target, row.sealedRequest)) as StepUpRequest;
}

export async function sealRequest(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
  request: StepUpRequest,
): Promise<Uint8Array> {
  const target = { tenantId, customerId, purpose: REQUEST_PURPOSE };
  return await personalData.seal(tx, target, JSON.stringify(request));
}

/** The exact text whose SHA-256 is the challenge; undefined until it was opened. */
export async function openPreimage(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, stepUpId, customerId }: Pick<StepUpRecord, 'tenantId' | 'stepUpId' | 'customerId'>,
): Promise<string | undefined> {
  const [row] = await tx<{ sealedPreimage: Uint8Array | null }[]>`
    select sealed_preimage from step_up where tenant_id = ${tenantId} and step_up_id = ${stepUpId}`;
  if (row === undefined || row.sealedPreimage === null) return undefined;
  const target = { tenantId, customerId, purpose: PREIMAGE_PURPOSE };
  return await personalData.open(tx, target, row.sealedPreimage);
}

export async function sealPreimage(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
  preimage: string,
): Promise<Uint8Array> {
  return await personalData.seal(tx, { tenantId, customerId, purpose: PREIMAGE_PURPOSE }, preimage);
}
