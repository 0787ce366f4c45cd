/**
 * Events to an Amazon EventBridge bus: `detail-type` is the event's type, `detail` the whole CloudEvent. PutEvents judges each entry by itself,
 * and so does this sink. It must never retry inside a call for longer than a lease lasts: the relay does that.
 */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import type { DomainEvent, EventSink, Publication } from '../../domain/ports.ts';
import { cloudEvent } from './cloud-event.ts';
import type { TellFault } from './faults.ts';

export interface EventBridgeOptions {
  /** Name or ARN of the bus. */
  readonly bus: string;
  readonly region: string;
  /** Of a server that speaks the protocol; AWS's own when left out. */
  readonly endpoint?: string | undefined;
  readonly tellFault: TellFault;
  /** Ten seconds when left out; tests shorten it. */
  readonly timeoutMs?: number;
}

/** `source` of every entry, for rules to match on. */
export const EVENTBRIDGE_SOURCE = 'latchkey';
/** PutEvents takes no more. */
const ENTRIES_A_CALL = 10;
const TIMEOUT_MS = 10_000;
/** Faults of the entry itself (PutEvents, "Failure types"): no repetition cures them. */
const REFUSALS = new Set(['MalformedDetail', 'InvalidArgument', 'ValidationException']);

/** Credentials come from where the SDK looks for them: the environment, the task's or the machine's role. */
export function createEventBridgeSink(options: EventBridgeOptions): EventSink {
  const client = new EventBridgeClient({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    maxAttempts: 2,
  });
  return {
    publish: async (events) => {
      const calls: Promise<readonly Publication[]>[] = [];
      for (let first = 0; first < events.length; first += ENTRIES_A_CALL)
        calls.push(putEvents(client, options, events.slice(first, first + ENTRIES_A_CALL)));
      return (await Promise.all(calls)).flat();
    },
  };
}

async function putEvents(
  client: EventBridgeClient,
  { bus, tellFault, timeoutMs = TIMEOUT_MS }: EventBridgeOptions,
  events: readonly DomainEvent[],
): Promise<readonly Publication[]> {
  const command = new PutEventsCommand({
    Entries: events.map((event) => ({
      EventBusName: bus,
      Source: EVENTBRIDGE_SOURCE,
      DetailType: event.type,
      Detail: JSON.stringify(cloudEvent(event)),
      Resources: [event.subject],
      Time: new Date(event.time),
    })),
  });
  try {
    const { Entries = [] } = await client.send(command, {
      abortSignal: AbortSignal.timeout(timeoutMs),
    });
    return events.map((_, index) => judged(Entries[index], tellFault));
  } catch (error) {
    // No answer, no permission, no bus: all of it is cured outside, and none of it by giving up the events.
    tellFault(error instanceof Error ? error.name : 'unknown');
    return events.map(() => 'unavailable');
  }
}

function judged(entry: PutEventsResultEntry | undefined, tellFault: TellFault): Publication {
  if (entry?.EventId !== undefined) return 'published';
  tellFault(entry?.ErrorCode ?? 'no verdict');
  return REFUSALS.has(entry?.ErrorCode ?? '') ? 'refused' : 'unavailable';
}
