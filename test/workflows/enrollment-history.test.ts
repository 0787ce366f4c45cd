import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import { EnrollmentBed } from '../setup/beds/enrollment-bed.ts';
import { SOMEBODY } from '../setup/somebody.ts';
import type { Enrollee } from '../setup/beds/enrollment-bed.ts';
import { historyText } from '../setup/temporal/history-text.ts';
import { recordHistory } from '../setup/temporal/recorded-history.ts';
import { TIME_SKIPPING_NAMESPACE } from '../setup/temporal/time-skipping.ts';

const HOUR_MS = 3_600_000;

let bed: EnrollmentBed;
beforeAll(async () => {
  bed = await EnrollmentBed.create();
});
afterAll(async () => {
  await bed?.close();
});

async function keep(enrollee: Enrollee, name: string): Promise<string> {
  const execution = { workflowId: workflowId('enrollment', bed.tenantId, enrollee.enrollmentId) };
  const namespace = TIME_SKIPPING_NAMESPACE;
  await recordHistory(bed.env.connection, { name: `enrollment.${name}`, namespace, ...execution });
  return await historyText(bed.env.connection, { namespace, ...execution });
}

describe('the history of an enrollment', () => {
  test('of a customer who gets through holds ids and codes of ours, nothing about a person', async () => {
    const enrollee = await bed.start();
    const code = await bed.codeOf(enrollee, 'phone');
    await bed.to(enrollee, 'ended');
    await bed.closes(enrollee);
    const text = await keep(enrollee, 'completed');
    // Stands in a byte field: the search sees those too.
    expect(text).toContain('binary/encrypted');
    expect(text).toContain(enrollee.enrollmentId);
    for (const secret of [enrollee.phone, code, ...Object.values(SOMEBODY)]) {
      expect(text).not.toContain(secret);
    }
  });

  test('of a customer who never comes back ends by its timers', async () => {
    const enrollee = await bed.start();
    await bed.advanceTo((await bed.row(enrollee)).createdAtMs + 73 * HOUR_MS);
    await bed.closes(enrollee);
    expect(await keep(enrollee, 'expired')).toContain(enrollee.enrollmentId);
  });

  test('of a customer who mistypes and asks again shows refusals by their codes', async () => {
    const enrollee = await bed.start();
    const code = await bed.codeOf(enrollee, 'phone');
    const wrong = code === '000000' ? '111111' : '000000';
    await expect(bed.step(enrollee, 'phone', { code: wrong })).rejects.toMatchObject({
      code: 'wrong_code',
    });
    await bed.to(enrollee, 'identity_check');
    await bed.advanceTo((await bed.row(enrollee)).createdAtMs + 73 * HOUR_MS);
    await bed.closes(enrollee);
    expect(await keep(enrollee, 'vendor-silent')).toContain('wrong_code');
  });
});
