/** Every event that enrollments emit, made by what makes it and judged by the schema that receivers are given. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faultsOf, typesOf, typesSeen } from '../setup/emitted-events.ts';
import type { EmittedEvent } from '../setup/emitted-events.ts';
import { EnrollmentBed } from '../setup/beds/enrollment-bed.ts';

let bed: EnrollmentBed;
beforeAll(async () => {
  bed = await EnrollmentBed.create();
});
afterAll(async () => {
  await bed?.close();
});

test('Every event of enrollments is emitted and is what its schema says.', async () => {
  const completes = await bed.start();
  await bed.to(completes, 'ended');
  await bed.closes(completes);
  const expires = await bed.start();
  const { stepDeadlineMs } = await bed.row(expires);
  await bed.advanceTo((stepDeadlineMs ?? 0) + 2_000);
  await bed.closes(expires);
  const rows = await bed.sql`
    select payload ->> 'type' as type, (payload ->> 'version')::integer as version, payload -> 'data' as data
    from outbox where topic = 'event' order by position`;
  // The columns of the statement above.
  const emitted = rows.map((row) => ({ ...row }) as unknown as EmittedEvent);
  expect(emitted.flatMap(faultsOf)).toEqual([]);
  expect(typesSeen(emitted)).toEqual(typesOf('test/workflows/events.test.ts'));
});
