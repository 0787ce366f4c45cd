/**
 * A payment as the demo bank's own workflow: it asks Latchkey through Nexus, awaits the customer's answer and pays once, only for what was approved.
 * Started by the stage; it runs on the bank's queue, knows none of Latchkey's keys and never decides that something was approved.
 */
import { createNexusServiceClient, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import { latchkeyService } from '../../temporal/nexus-service.ts';
import type {
  StepUpOperationInput,
  StepUpOperationResult,
  StepUpOrder,
} from '../../temporal/nexus-service.ts';
import type { PaymentActivities } from './payment-activities.ts';

export interface PaymentInput {
  /** Where Latchkey is reached. */
  readonly endpoint: string;
  readonly request: StepUpOrder;
}

export interface PaymentResult {
  readonly status: 'paid' | 'refused';
  /** How the step-up stands, or what the use of it was refused with. */
  readonly because: string;
  readonly stepUpId: string | null;
}

const { signRequest, useApproval } = proxyActivities<PaymentActivities>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds', maximumAttempts: 30 },
});

export async function demoPayment({ endpoint, request }: PaymentInput): Promise<PaymentResult> {
  const latchkey = createNexusServiceClient({ endpoint, service: latchkeyService });
  const jws = await signRequest(request);
  setCurrentDetails('### Waits for the customer to approve this payment at Latchkey.');
  const answer = await latchkey.executeOperation(
    'stepUp',
    { request, jws },
    // Latchkey's own limits end it far sooner.
    { scheduleToCloseTimeout: '30 minutes', summary: "the customer's approval" },
  );
  const { status, stepUpId } = answer;
  if (status === 'not_required') return { status: 'paid', because: status, stepUpId };
  if (status !== 'approved' || stepUpId === null)
    return { status: 'refused', because: status, stepUpId };
  const { isUsed, because } = await useApproval({ stepUpId, action: request.action });
  return { status: isUsed ? 'paid' : 'refused', because, stepUpId };
}

/** The operation alone: for whoever tries it out. */
export async function askLatchkey({
  endpoint,
  input,
}: {
  readonly endpoint: string;
  readonly input: StepUpOperationInput;
}): Promise<StepUpOperationResult> {
  const latchkey = createNexusServiceClient({ endpoint, service: latchkeyService });
  return await latchkey.executeOperation('stepUp', input, { scheduleToCloseTimeout: '30 minutes' });
}
