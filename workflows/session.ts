/**
 * A session, asleep from its login to its first deadline and woken early only to end. Started with a delay by the outbox relay; woken
 * by the `revoked` signal of signalWithStart without a delay, the only way to reach a sleeper. Ends `ended`, whatever ended its row:
 * expiry, logout, supersession or a cut-off. It must never decide by itself: on every waking it asks the row, which may have moved.
 * Diagram: docs/flows/session.mermaid.
 */
import {
  condition,
  defineSignal,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { createSessionActivities } from '../activities/session.ts';
import { sessionTransition } from '../domain/session.ts';
import type { SessionEvent, SessionState } from '../domain/session.ts';
import { describeNow, utcTime } from './current-details.ts';

export interface SessionInput {
  readonly tenantId: string;
  /** The session's id. */
  readonly id: string;
}

/** The row was ended, or may have been: look. */
export const revokedSignal = defineSignal<[{ readonly signalId: string }]>('revoked');

// One short transaction: tried again for as long as the database needs to come back.
const { askRow } = proxyLocalActivities<ReturnType<typeof createSessionActivities>>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds' },
});

export async function session(input: SessionInput): Promise<'ended'> {
  let state: SessionState = 'asleep';
  let isWoken = false;
  const move = (event: SessionEvent): void => {
    const next = sessionTransition(state, event);
    if (next === undefined) throw new Error(`${event} cannot happen in ${state}`);
    state = next;
  };
  setHandler(revokedSignal, () => {
    isWoken = true;
  });

  let reached: SessionEvent = 'start_delay_over';
  for (;;) {
    move(isWoken ? 'woken' : reached);
    isWoken = false;
    const answer = await askRow({ tenantId: input.tenantId, sessionId: input.id });
    if (answer.state === 'ended') {
      move('row_ended');
      return 'ended';
    }
    move('row_live');
    const { dueAtMs } = answer;
    setCurrentDetails(
      describeNow({
        now: 'The session is live and waits for its end.',
        whoActs: 'nobody: it is used, or it expires',
        untilMs: dueAtMs,
        otherwise: 'it asks its row again, which may have been renewed',
        done: [],
        next: [],
        runbook: 'session',
      }),
    );
    await condition(() => isWoken, Math.max(dueAtMs - Date.now(), 1), {
      summary: `its row's end, or ${utcTime(dueAtMs)}`,
    });
    reached = 'deadline_reached';
  }
}
