/**
 * What the workflow of a step-up from before the outbox did it may do about the receipt: have it sealed, once. What it says comes from rows that the approving transactions wrote;
 * an id that has no approved step-up does nothing.
 */
import type { StepUpSubject } from '../domain/step-up.ts';

export interface ReceiptStore {
  /** Idempotent: a second call answers the first one's id. null: nothing to prove here (a login, or not approved). */
  seal(subject: StepUpSubject): Promise<string | null>;
}

export function createReceiptActivities({ store }: { readonly store: ReceiptStore }) {
  return {
    sealReceipt: async (
      subject: StepUpSubject,
    ): Promise<{ readonly receiptId: string | null }> => ({
      receiptId: await store.seal(subject),
    }),
  };
}
