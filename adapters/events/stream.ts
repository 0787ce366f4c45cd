/**
 * The embedded event sink: each event is one JSON line, a CloudEvent 1.0 in structured mode, on a stream that the wiring chooses
 * (standard output). An event counts as published when the stream has taken it.
 */
import type { Writable } from 'node:stream';
import { LatchkeyError } from '../../domain/errors.ts';
import type { EventSink } from '../../domain/ports.ts';

/** CloudEvents' sequence extension compares as text. */
const SEQUENCE_DIGITS = 16;

export function createStreamEventSink(stream: Writable): EventSink {
  return {
    publish: async ({ sequence, ...event }) => {
      const line = JSON.stringify({
        specversion: '1.0',
        ...event,
        datacontenttype: 'application/json',
        sequence: String(sequence).padStart(SEQUENCE_DIGITS, '0'),
      });
      await new Promise<void>((resolve, reject) => {
        stream.write(`${line}\n`, (cause) => {
          if (cause === null || cause === undefined) resolve();
          else reject(new LatchkeyError('vendor_unavailable', { cause }));
        });
      });
    },
  };
}
