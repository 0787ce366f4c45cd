/**
 * The receipt of an approval, asked for by the workflows of step-ups that began before the outbox did (docs/decisions/0038-receipts-by-the-outbox.md):
 * their histories hold its commands. It must never hold up the step-up, nor end it: what was approved stands.
 */
import { ActivityFailure, ApplicationFailure, log } from '@temporalio/workflow';
import type { createReceiptActivities } from '../activities/receipt.ts';
import type { StepUpSubject } from '../domain/step-up.ts';
import { explainedActivities } from './explained-activities.ts';

// The KMS may be down for hours: the receipt is made when it is back, and holds up nobody meanwhile.
const receipts = explainedActivities<ReturnType<typeof createReceiptActivities>>(
  {
    taskQueue: 'vendors',
    startToCloseTimeout: '15 seconds',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 minutes' },
  },
  { sealReceipt: 'has the receipt of the approval signed' },
);

/** Ends when it is sealed, however long that takes. */
export async function sealReceipt(subject: StepUpSubject): Promise<void> {
  try {
    await receipts.sealReceipt(subject);
  } catch (error) {
    // Refused for good: a defect that people see here; the step-up itself stands.
    const cause = error instanceof ActivityFailure ? error.cause : undefined;
    const code = cause instanceof ApplicationFailure ? cause.type : undefined;
    log.error('the receipt could not be sealed', { code });
  }
}
