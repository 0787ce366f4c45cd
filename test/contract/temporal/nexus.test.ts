/** The Nexus operation on the real server, called by the bank's own workflows from a namespace of theirs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stepUpAnswerId } from '../../../domain/ids.ts';
import { historyText } from '../../setup/temporal/history-text.ts';
import { NexusBed } from '../../setup/beds/nexus-bed.ts';
import type { Signing } from '../../setup/beds/nexus-bed.ts';
import type { StepUpCustomer } from '../../setup/step-ups.ts';

const PATIENCE = { timeout: 30_000 };

let bed: NexusBed;
beforeAll(async () => {
  bed = await NexusBed.start();
});
afterAll(() => bed?.close());

async function openedFor(customer: StepUpCustomer): Promise<string> {
  await expect.poll(() => bed.opened(customer), PATIENCE).toBeDefined();
  return (await bed.opened(customer)) ?? '';
}

async function stepUpsOf({ customerId }: StepUpCustomer) {
  return await bed.inTenant(
    (tx) => tx<{ state: string; reason: string | null }[]>`
      select state, reason from ceremony where customer_id = ${customerId} and kind = 'step_up'`,
  );
}

/** The failure's innermost message: our code. */
async function refusalOf(result: Promise<unknown>): Promise<string> {
  let found: unknown = await result.then(
    () => new Error('accepted'),
    (error: unknown) => error,
  );
  while (found instanceof Error && found.cause instanceof Error) found = found.cause;
  return found instanceof Error ? found.message : '';
}

describe('a payment that awaits the customer through Nexus', () => {
  test('pays once he approved it, and no history of ours holds the payment', async () => {
    const customer = await bed.customer();
    const order = bed.order(customer);
    const paying = await bed.pay(order);
    const stepUpId = await openedFor(customer);
    await bed.approve(customer, stepUpId);
    expect(await paying.result()).toEqual({ status: 'paid', because: 'approved', stepUpId });
    expect(await stepUpsOf(customer)).toEqual([{ state: 'ended', reason: 'consumed' }]);
    const { namespace } = bed;
    const text = await historyText(bed.connection, {
      namespace,
      workflowId: stepUpAnswerId(bed.tenantId, stepUpId),
    });
    expect(text).toContain(stepUpId);
    for (const secret of ['400.00', 'Mere Kahu', order.reference, customer.customerId])
      expect(text).not.toContain(secret);
  });

  test('is paid at once below every threshold', async () => {
    const customer = await bed.customer();
    const paying = await bed.pay(bed.order(customer, '40.00'));
    expect(await paying.result()).toMatchObject({ status: 'paid', because: 'not_required' });
    expect(await stepUpsOf(customer)).toEqual([]);
  });
});

describe('two who ask for the same', () => {
  test('wait for one step-up and hear the same answer', async () => {
    const customer = await bed.customer();
    const order = bed.order(customer);
    const jws = await bed.sign(order, 'payment-one-and-only');
    const first = await bed.ask(order, jws);
    const stepUpId = await openedFor(customer);
    const second = await bed.ask(order, await bed.sign(order, 'payment-one-and-only'));
    // Both wait: the second one's operation has been accepted too.
    const isStarted = async () =>
      (await second.fetchHistory()).events?.some(
        (event) => event.nexusOperationStartedEventAttributes,
      );
    await expect.poll(isStarted, PATIENCE).toBe(true);
    await bed.approve(customer, stepUpId);
    const answer = { status: 'approved', stepUpId, acr: 'latchkey:3' };
    expect(await first.result()).toMatchObject(answer);
    expect(await second.result()).toMatchObject(answer);
    expect(await stepUpsOf(customer)).toHaveLength(1);
  });

  test('after it was answered: who comes late hears what is stored', async () => {
    const customer = await bed.customer();
    const order = bed.order(customer);
    const first = await bed.ask(order, await bed.sign(order, 'payment-late'));
    const stepUpId = await openedFor(customer);
    await bed.approve(customer, stepUpId);
    const answer = await first.result();
    await bed.seal(stepUpId);
    const late = await bed.ask(order, await bed.sign(order, 'payment-late'));
    expect(await late.result()).toEqual({ ...Object(answer), receiptId: expect.any(String) });
    expect(await stepUpsOf(customer)).toHaveLength(1);
  });
});

describe('the same request below every threshold', () => {
  test('is counted once however often it comes, and never asks the customer at last', async () => {
    const customer = await bed.customer();
    const order = bed.order(customer, '80.00');
    // Of four, the last would pass the day's threshold.
    for (let time = 0; time < 4; time += 1) {
      const asking = await bed.ask(order, await bed.sign(order, 'payment-small'));
      expect(await asking.result()).toMatchObject({ status: 'not_required' });
    }
    const [day] = await bed.inTenant(
      (tx) => tx<{ total: number }[]>`
        select sum(total_minor)::integer as total from step_up_spend where customer_id = ${customer.customerId}`,
    );
    expect(day?.total).toBe(8_000);
    expect(await stepUpsOf(customer)).toEqual([]);
  });
});

describe('a requester who gives up', () => {
  test('takes the step-up back by cancelling the operation', async () => {
    const customer = await bed.customer();
    const order = bed.order(customer);
    const asking = await bed.ask(order, await bed.sign(order));
    await openedFor(customer);
    await asking.cancel();
    await expect
      .poll(() => stepUpsOf(customer), PATIENCE)
      .toEqual([{ state: 'ended', reason: 'by_requester' }]);
    expect(await refusalOf(asking.result())).not.toBe('accepted');
  });
});

describe('a request that is not proved', () => {
  const wrong: readonly (readonly [string, Signing])[] = [
    ['another client', { clientId: 'demo-fraud' }],
    ['another issuer', { issuer: 'http://localhost:1/t/other' }],
    ['a signature from yesterday', { nowMs: () => Date.now() - 86_400_000 }],
    ['a signature of tomorrow', { nowMs: () => Date.now() + 86_400_000 }],
    ['another request', { request: { amount: '1.00' } }],
  ];
  test.each(wrong)('is refused: %s', async (_what, signing) => {
    const customer = await bed.customer();
    const order = bed.order(customer);
    const asking = await bed.ask(order, await bed.sign(order, undefined, signing));
    expect(await refusalOf(asking.result())).toContain('invalid_client_assertion');
    expect(await stepUpsOf(customer)).toEqual([]);
  });

  test('is refused when what was signed is sent for more', async () => {
    const customer = await bed.customer();
    const order = bed.order(customer);
    const jws = await bed.sign(order);
    const more = { ...order, action: { ...order.action, amount: '999.00' } };
    expect(await refusalOf((await bed.ask(more, jws)).result())).toContain(
      'invalid_client_assertion',
    );
    expect(await stepUpsOf(customer)).toEqual([]);
  });

  test('is refused in any other shape, and so is an action that no scope allows', async () => {
    const customer = await bed.customer();
    const order = { ...bed.order(customer), more: true };
    const shaped = await bed.ask(order, await bed.sign(order));
    expect(await refusalOf(shaped.result())).toContain('invalid_request');
    const limits = {
      ...bed.order(customer),
      action: { type: 'change_limits', amount: '1.00', currency: 'NZD', limit: 'day' },
    };
    const scoped = await bed.ask(limits, await bed.sign(limits));
    expect(await refusalOf(scoped.result())).toMatch(/insufficient_scope|action_invalid/);
    expect(await stepUpsOf(customer)).toEqual([]);
  });

  test('is told why the domain refuses it', async () => {
    const customer = await bed.customer();
    const order = bed.order(customer, '-1.00');
    const asking = await bed.ask(order, await bed.sign(order));
    expect(await refusalOf(asking.result())).toBe('action_invalid');
  });
});
