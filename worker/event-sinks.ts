/** The sinks that the configuration names, made: each tells its faults to the log under its name. */
import type { Logger } from 'pino';
import { systemClock } from '../adapters/clock.ts';
import { createEventBridgeSink } from '../adapters/events/eventbridge.ts';
import { createStreamEventSink } from '../adapters/events/stream.ts';
import { createWebhookSink } from '../adapters/events/webhook.ts';
import type { EventSinkConfiguration } from '../configuration/events.ts';
import type { EventSink } from '../domain/ports.ts';
import type { NamedSink } from '../relay/events.ts';

export const eventSinks = (
  configured: readonly EventSinkConfiguration[],
  log: Logger,
): readonly NamedSink[] =>
  configured.map((sink) => ({
    name: sink.name,
    tenants: sink.tenants,
    sink: create(sink, (reason) => {
      log.warn({ sink: sink.name, reason }, 'a sink did not take an event');
    }),
  }));

function create(sink: EventSinkConfiguration, tellFault: (reason: string) => void): EventSink {
  switch (sink.kind) {
    case 'stdout':
      return createStreamEventSink(process.stdout);
    case 'eventbridge':
      return createEventBridgeSink({ ...sink, tellFault });
    case 'webhook':
      return createWebhookSink({ ...sink, clock: systemClock, tellFault });
  }
}
