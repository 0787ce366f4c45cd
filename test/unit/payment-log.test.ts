/** What the demo's payment worker says while it runs inside `npm start`. */
import { expect, test } from 'vitest';
import { paymentLog } from '../../runtime/demo-payments/payment-log.ts';

function said(...messages: readonly string[]): string[] {
  const lines: string[] = [];
  const log = paymentLog((line) => lines.push(line));
  for (const message of messages) log.warn({ sdkComponent: 'core' }, message);
  return lines;
}

test('a Temporal that is away is told in plain words, once for as long as it lasts', () => {
  expect(
    said(
      'gRPC call poll_workflow_task_queue retried 6 times',
      'gRPC call poll_activity_task_queue retried 7 times',
      'error from the transport: connection refused',
    ),
  ).toEqual(["the demo bank's payment worker: cannot reach Temporal; it goes on trying"]);
});

test('what is no news is not told', () => {
  expect(said('Worker state changed')).toEqual([]);
  const lines: string[] = [];
  paymentLog((line) => lines.push(line)).info({}, 'anything');
  expect(lines).toEqual([]);
});

test('what nobody expected is told on one line of bounded length', () => {
  const [line = '', ...more] = said(`${'x'.repeat(500)}\nat somewhere`);
  expect(more).toEqual([]);
  expect(line.length).toBeLessThan(260);
  expect(line).not.toContain('\n');
});
