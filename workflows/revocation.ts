/**
 * Revocation: what follows a customer's cut-off. The cut-off is already effective (the API's transaction raised the epoch, placed the
 * hold and suspended devices and credentials); this workflow ends the rows, wakes their workflows, lists once more after every straggling
 * transaction has had to end, seals the receipt, and watches until each woken workflow has closed.
 * Started by the outbox row of that transaction (or by the reconciler). Nobody signals it. Ends `sealed`; it never fails the cut-off.
 * Diagram: docs/flows/revocation.mermaid. It must never decide what is valid: only rows do.
 */
import {
  log,
  patched,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { createRevocationActivities } from '../activities/revocation.ts';
import {
  revocationTransition,
  type RevocationEvent,
  type RevocationState,
} from '../domain/revocation.ts';
import { explainedActivities, explainedLocalActivities } from './explained-activities.ts';
import { describeRevocation } from './revocation-details.ts';
import { STATE_ATTRIBUTE } from './search-attributes.ts';

export interface RevocationInput {
  readonly tenantId: string;
  /** The revocation's id. */
  readonly id: string;
}

export type RevocationOutcome = 'sealed';

type Activities = ReturnType<typeof createRevocationActivities>;
type LongCalls = 'wakeWorkflows' | 'confirmClosed';

// One statement each in PostgreSQL: tried again quickly, for as long as the database needs to come back.
const rows = explainedLocalActivities<Omit<Activities, LongCalls>>(
  {
    startToCloseTimeout: '10 seconds',
    retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
  },
  {
    endRows: 'ends every session and ceremony begun before the cut-off',
    endStragglers: 'lists once more and ends who slipped in',
    sealReceipt: 'seals the receipt',
    raiseAlarm: 'raises the alarm: a workflow did not close',
    markRevocationClosed: 'notes on the row that this workflow is over',
  },
);

// Walks all rows in chunks and calls Temporal for each: long, so it beats; a lost worker is noticed within 15 s.
const calls = explainedActivities<Pick<Activities, LongCalls>>(
  {
    startToCloseTimeout: '1 hour',
    heartbeatTimeout: '15 seconds',
    retry: { initialInterval: '500 milliseconds', maximumInterval: '30 seconds' },
  },
  {
    wakeWorkflows: 'wakes the workflows whose rows were ended',
    confirmClosed: 'waits until each woken workflow has closed',
  },
);

export async function revocation(input: RevocationInput): Promise<RevocationOutcome> {
  const subject = { tenantId: input.tenantId, revocationId: input.id };
  let state: RevocationState = 'ending_rows';
  // Older ones moved no search attribute.
  const isFound = patched('state-in-search');
  const move = (event: RevocationEvent): void => {
    const next = revocationTransition(state, event);
    if (next === undefined) throw new Error(`${event} cannot happen in ${state}`);
    state = next;
    const isAlarmed = event === 'alarm_raised';
    setCurrentDetails(describeRevocation(state, isAlarmed));
    if (isFound)
      upsertSearchAttributes([{ key: STATE_ATTRIBUTE, value: isAlarmed ? 'alarm' : state }]);
  };
  setCurrentDetails(describeRevocation(state, false));

  const { secondListingMs, alarmMs } = await rows.endRows(subject);
  move('rows_ended');
  for (;;) {
    await calls.wakeWorkflows(subject);
    move('workflows_woken');
    // Longer than any transaction may live: whoever was in flight at the cut-off has committed or is gone.
    await sleep(secondListingMs, {
      summary: 'the second listing, after the longest transaction has ended',
    });
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
