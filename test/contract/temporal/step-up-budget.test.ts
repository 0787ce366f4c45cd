/** How much history a step-up leaves on the real server. The figures are printed: a change of them is a change of what Temporal costs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NexusBed } from '../../setup/beds/nexus-bed.ts';

const MOST_EVENTS = 40;
const MOST_BYTES = 20_480;

let bed: NexusBed;
beforeAll(async () => {
  bed = await NexusBed.start();
});
afterAll(() => bed?.close());

describe('the history of a step-up on the real server', () => {
  test.each([
    ['passkey and key', '400.00', false],
    ['passkey, key and code', '40000.00', true],
  ] as const)('that took %s stays within its budget', async (what, amount, needsCode) => {
    const customer = await bed.customer();
    const stepUpId = await bed.begin(customer, amount);
    await bed.approve(customer, stepUpId);
    if (needsCode) await bed.guess(customer, stepUpId);
    await bed.consume(stepUpId, amount);
    const { events, bytes } = await bed.historySize(stepUpId);
    process.stdout.write(`step-up, ${what}: ${String(events)} events, ${String(bytes)} bytes\n`);
    expect(events).toBeLessThanOrEqual(MOST_EVENTS);
    expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  });
});
