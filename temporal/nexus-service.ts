/**
 * The service that other workflows of the bank call: ask for a step-up and wait for the customer's answer. A requester defines the same in its
 * own code; names and members are literals for ever.
 */
import { operation, service } from 'nexus-rpc';

export const NEXUS_SERVICE = 'latchkey';

/** The members of `POST /step-ups`. */
export interface StepUpOrder {
  readonly customerId: string;
  readonly action: { readonly type: string; readonly [member: string]: unknown };
  readonly reference: string;
  readonly sessionId?: string;
  readonly deviceId?: string;
  readonly atLeast?: 'latchkey:3' | 'latchkey:4';
  readonly locale?: string;
}

export interface StepUpOperationInput {
  readonly request: StepUpOrder;
  /** By the requester's registered key, over the digest of the canonical request (api/proofs/requester-jws.ts). */
  readonly jws: string;
}

export interface StepUpOperationResult {
  /** `not_required`: below every threshold; else as the step-up stands. Only `approved` may be used, by `POST /step-ups/{id}/consume`. */
  readonly status:
    | 'not_required'
    | 'approved'
    | 'consumed'
    | 'denied'
    | 'expired'
    | 'cancelled'
    | 'superseded'
    | 'revoked';
  readonly stepUpId: string | null;
  readonly acr: string | null;
  readonly receiptId: string | null;
}

export const latchkeyService = service(NEXUS_SERVICE, {
  stepUp: operation<StepUpOperationInput, StepUpOperationResult>({ name: 'stepUp' }),
});
