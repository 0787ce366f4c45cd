import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { startTestApi } from '../setup/api.ts';
import { createEnrolledPhone } from '../setup/callers.ts';
import { createMachine } from '../setup/machine.ts';
import type { TestApi } from '../setup/api.ts';
import type { Caller } from '../setup/callers.ts';

let api: TestApi;
let engine: Caller;

beforeAll(async () => {
  // Temporal is down in all of these: a cut-off asks PostgreSQL alone.
  api = await startTestApi();
  await api.addTenant('other');
  engine = await createMachine(api);
});
afterAll(async () => {
  await api.close();
});

const signal = (customerId: string, idempotencyKey?: string) =>
  engine.post(
    '/fraud/signals',
    { customerId, reason: 'stolen_device' },
    idempotencyKey === undefined ? {} : { idempotencyKey },
  );

describe('a fraud signal', () => {
  it('is answered with what it did, while Temporal is down', async () => {
    const { customerId } = await createEnrolledPhone(api);
    const answer = await signal(customerId);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ oldEpoch: 1, newEpoch: 2, devices: 1, credentials: 1 });
    const revocation = await engine.get(`/fraud/revocations/${String(answer.body.revocationId)}`);
    expect(revocation.body).toMatchObject({ status: 'running', customerId, newEpoch: 2 });
    expect(revocation.body).not.toHaveProperty('receipt');
  });

  it('ends what the customer could do at once, with a token that has not expired', async () => {
    const phone = await createEnrolledPhone(api);
    expect((await phone.get('/ops/timeline')).body.code).toBe('caller_not_allowed');
    await signal(phone.customerId);
    expect((await phone.get('/ops/timeline')).body.code).toBe('customer_on_hold');
  });

  it('answers the same revocation to the same Idempotency-Key and raises the epoch once', async () => {
    const { customerId } = await createEnrolledPhone(api);
    const first = await signal(customerId, 'signal-1');
    const again = await signal(customerId, 'signal-1');
    expect(again).toMatchObject({ status: 202, body: first.body });
    expect((await signal(customerId, 'signal-2')).body.newEpoch).toBe(3);
  });

  it('sent ten times at once raises the epoch ten times and never twice the same', async () => {
    const { customerId } = await createEnrolledPhone(api);
    const answers = await Promise.all(Array.from({ length: 10 }, () => signal(customerId)));
    const epochs = answers.map(({ body }) => Number(body.newEpoch));
    expect(epochs.toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('for a customer that is not there is a 404, and nothing was written', async () => {
    const answer = await signal(newId('customer'));
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it.each([
    { body: {}, why: 'an empty body' },
    { body: { customerId: 'cus_1', reason: 'other' }, why: 'an id of another shape' },
    { body: { customerId: newId('customer'), reason: 'because' }, why: 'a reason that is no code' },
    { body: { customerId: newId('customer'), reason: 'other', note: 'x' }, why: 'an extra field' },
    { body: [newId('customer')], why: 'an array' },
  ])('with $why is refused', async ({ body }) => {
    const answer = await engine.post('/fraud/signals', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('needs its own scope', async () => {
    const { customerId } = await createEnrolledPhone(api);
    const reader = await createMachine(api, { scope: 'timeline:read' });
    const answer = await reader.post('/fraud/signals', { customerId, reason: 'other' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  });

  it('of another tenant finds nobody here', async () => {
    const { customerId } = await createEnrolledPhone(api);
    const stranger = await createMachine(api, { prefix: '/t/other' });
    const answer = await stranger.post('/fraud/signals', { customerId, reason: 'other' });
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});

describe('a release', () => {
  const release = (customerId: string, idempotencyKey?: string) =>
    engine.post(
      '/fraud/releases',
      { customerId, reason: 'false_alarm' },
      idempotencyKey === undefined ? {} : { idempotencyKey },
    );

  it('reinstates what was suspended, and says so again to the same Idempotency-Key', async () => {
    const { customerId } = await createEnrolledPhone(api);
    await signal(customerId);
    const first = await release(customerId, 'release-1');
    expect(first).toMatchObject({ status: 200, body: { devices: 1, credentials: 1 } });
    expect((await release(customerId, 'release-1')).body).toEqual(first.body);
  });

  it('does not bring a cut-off session back', async () => {
    const phone = await createEnrolledPhone(api);
    await signal(phone.customerId);
    await release(phone.customerId);
    expect((await phone.get('/ops/timeline')).body.code).toBe('session_ended');
  });

  it('without a hold is hold_not_found, a second time hold_released', async () => {
    const { customerId } = await createEnrolledPhone(api);
    expect((await release(customerId)).body.code).toBe('hold_not_found');
    await signal(customerId);
    await release(customerId);
    expect(await release(customerId)).toMatchObject({
      status: 409,
      body: { code: 'hold_released' },
    });
  });
});

describe('a revocation', () => {
  it('that is not there is a 404', async () => {
    const answer = await engine.get(`/fraud/revocations/${newId('revocation')}`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});
