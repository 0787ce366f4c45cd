/**
 * What Temporal's UI says of a workflow before it has run at all: one line and a few sentences in Markdown, the same for every workflow of a
 * kind. Never an id, never anything about a person. Links lead to the runbook at the operations door, which the UI stands behind.
 */
import type { WorkflowKind } from '../domain/ids.ts';

export interface WorkflowTexts {
  readonly summary: string;
  readonly details?: string;
}

export const WORKFLOW_TEXTS: Readonly<Record<WorkflowKind, WorkflowTexts>> = {
  enrollment: {
    summary: 'Enrollment of a new customer',
    details:
      'Proves phone, identity, e-mail and passkey, in that order. The customer acts in the app; the identity vendor may take hours. ' +
      'Ends completed, expired, cancelled, denied or revoked; only its row in PostgreSQL says which.\n\n[Runbook](/runbook#enrollment)',
  },
  step_up: {
    summary: 'Step-up: one action to approve',
    details:
      'The customer approves one action in the app with passkey and approval key, and a code by SMS where the value is high; the requester uses it once. ' +
      'Nobody needs to act here. Ends completed, expired, cancelled, denied or revoked; only its row in PostgreSQL says which.\n\n[Runbook](/runbook#step_up)',
  },
  recovery: {
    summary: 'Recovery of an account',
    details:
      'Proves a contact and the person, has staff look at it where policy asks, gives the owner time to object, then binds a new phone. ' +
      'Ends completed, expired, cancelled or denied; only its row in PostgreSQL says which.\n\n[Runbook](/runbook#recovery)',
  },
  // Every login keeps one for months, within 6 KiB (TEMPORAL.md): one short line, and its activity has none.
  session: { summary: 'Session, asleep until it ends' },
  revocation: {
    summary: 'Revocation after a cut-off',
    details:
      'The cut-off is already effective. This ends the rows, wakes their workflows, lists once more and seals the receipt. ' +
      'Nobody needs to act unless the alarm is raised.\n\n[Runbook](/runbook#revocation)',
  },
};
