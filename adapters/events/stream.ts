/**
 * The embedded event sink: each event is one JSON line on a stream that the wiring chooses (standard output). An event counts as published
 * when the stream has taken it.
 */
import type { Writable } from 'node:stream';
import type { EventSink, Publication } from '../../domain/ports.ts';
import { cloudEvent } from './cloud-event.ts';

export function createStreamEventSink(stream: Writable): EventSink {
  return {
    publish: (events) =>
      Promise.all(events.map((event) => written(stream, `${JSON.stringify(cloudEvent(event))}\n`))),
  };
}

function written(stream: Writable, line: string): Promise<Publication> {
  return new Promise((resolve) => {
    stream.write(line, (cause) => {
      resolve(cause === null || cause === undefined ? 'published' : 'unavailable');
    });
  });
}
