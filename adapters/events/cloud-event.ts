/**
 * An event as every sink writes it: a CloudEvent 1.0 in structured JSON (CloudEvents JSON format 1.0.2, sections 2 and 3), with the extensions
 * `sequence` and `partitionkey`.
 */
import type { DomainEvent } from '../../domain/ports.ts';

/** The sequence extension compares as text. */
const SEQUENCE_DIGITS = 16;

export function cloudEvent(event: DomainEvent): Readonly<Record<string, unknown>> {
  const { id, type, source, subject, time, sequence, dataSchema, data } = event;
  return {
    specversion: '1.0',
    id,
    type,
    source,
    subject,
    time,
    datacontenttype: 'application/json',
    dataschema: dataSchema,
    sequence: String(sequence).padStart(SEQUENCE_DIGITS, '0'),
    partitionkey: subject,
    data,
  };
}
