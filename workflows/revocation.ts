/**
 * Revocation: what follows a customer's cut-off. The cut-off is already effective (the API's transaction raised the epoch, placed the
 * hold and suspended devices and credentials); this workflow ends the rows, wakes their workflows, lists once more after every straggling
 * transaction has had to end, seals the receipt, and watches until each woken workflow has closed.
 * Started by the outbox row of that transaction (or by the reconciler). Nobody signals it. Ends `sealed`; it never fails the cut-off.
 * Diagram: docs/flows/revocation.mermaid. It must never decide what is valid: only rows do.
 */
import {
  log,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  sleep,
} from '@temporalio/workflow';
import type { createRevocationActivities } from '../activities/revocation.ts';
import {
  revocationTransition,
  type RevocationEvent,
  type RevocationState,
} from '../domain/revocation.ts';

export interface RevocationInput {
  readonly tenantId: string;
  /** The revocation's id. */
  readonly id: string;
}

export type RevocationOutcome = 'sealed';

type Activities = ReturnType<typeof createRevocationActivities>;

// One statement each in PostgreSQL: tried again quickly, for as long as the database needs to come back.
const rows = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
});

// Walks all rows in chunks and calls Temporal for each: long, so it beats; a lost worker is noticed within 15 s.
const calls = proxyActivities<Activities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '15 seconds',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '30 seconds' },
});

export async function revocation(input: RevocationInput): Promise<RevocationOutcome> {
  const subject = { tenantId: input.tenantId, revocationId: input.id };
  let state: RevocationState = 'ending_rows';
  const move = (event: RevocationEvent): void => {
    const next = revocationTransition(state, event);
    if (next === undefined) throw new Error(`${event} cannot happen in ${state}`);
    state = next;
    setCurrentDetails(`**${state}** after ${event}`);
  };

  const { secondListingMs, alarmMs } = await rows.endRows(subject);
  move('rows_ended');
  for (;;) {
    await calls.wakeWorkflows(subject);
    move('workflows_woken');
    // Longer than any transaction may live: whoever was in flight at the cut-off has committed or is gone.
    await sleep(secondListingMs, { summary: 'second listing' });
    const { stragglers } = await rows.endStragglers(subject);
    if (stragglers === 0) break;
    log.warn('stragglers ended', { stragglers });
    move('stragglers_found');
  }
  move('listing_empty');
  await rows.sealReceipt(subject);

  const { closed } = await calls.confirmClosed({ ...subject, waitMs: alarmMs });
  if (!closed) {
    await rows.raiseAlarm(subject);
    move('alarm_raised');
    await calls.confirmClosed({ ...subject, waitMs: undefined });
  }
  move('workflows_closed');
  await rows.markRevocationClosed(subject);
  return 'sealed';
}
