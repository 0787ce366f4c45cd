/**
 * Follows what waits for the customer while the app is looked at. The stream tells ids and statuses only, and comes back by itself; a session that
 * has ended meanwhile is told to the session, so that a cut-off shows at once.
 */
import type { Dpop } from './dpop.ts';
import { LatchkeyProblem, problemOf } from './problem.ts';
import type { Session } from './session.ts';
import type { StepUpStatus } from './types.ts';
import { EventStreamReader } from './verifier/event-stream.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

export interface StepUpStanding {
  readonly stepUpId: string;
  readonly status: StepUpStatus;
}

export interface StepUpStreamOptions {
  readonly issuer: string;
  readonly dpop: Dpop;
  readonly session: Session;
  readonly pause: (ms: number) => Promise<void>;
}

/** Until `signal` says so or the session is over. */
export async function followStepUps(
  options: StepUpStreamOptions,
  onStanding: (standing: StepUpStanding) => void,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted && options.session.state().status === 'active') {
    try {
      const stream = await open(options, signal);
      pauseMs = FIRST_PAUSE_MS;
      await read(stream, onStanding);
    } catch (error) {
      if (!isExpected(error, signal)) throw error;
    }
    if (signal.aborted) return;
    await options.pause(pauseMs);
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  }
}

function open(
  { issuer, dpop, session }: StepUpStreamOptions,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  return session.withToken(async (accessToken) => {
    const response = await dpop.send({
      method: 'GET',
      url: `${issuer}/auth/stream`,
      headers: { accept: 'text/event-stream' },
      accessToken,
      signal,
    });
    if (!response.ok) throw await problemOf(response);
    return response.body ?? new ReadableStream<Uint8Array>();
  });
}

async function read(
  stream: ReadableStream<Uint8Array>,
  onStanding: (standing: StepUpStanding) => void,
): Promise<void> {
  const events = new EventStreamReader();
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const { event, data } of events.read(value)) {
      const standing: unknown = event === 'step_up' ? JSON.parse(data) : undefined;
      if (isStanding(standing)) onStanding(standing);
    }
  }
}

/** A line that breaks and a server that refuses are both part of following; anything else is a mistake of ours. */
function isExpected(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || error instanceof LatchkeyProblem || error instanceof TypeError;
}

function isStanding(value: unknown): value is StepUpStanding {
  return typeof value === 'object' && value !== null && 'stepUpId' in value && 'status' in value;
}
