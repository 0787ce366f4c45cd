/** Idempotency-Key through a real operation: the fraud engine's signal, which must cut a customer off once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createEnrolledPhone } from '../setup/callers.ts';
import { createMachine } from '../setup/machine.ts';
import type { TestApi } from '../setup/api.ts';
import type { Caller } from '../setup/callers.ts';

let api: TestApi;
let machine: Caller;
beforeAll(async () => {
  api = await startTestApi();
  machine = await createMachine(api);
});
afterAll(async () => {
  await api.close();
});

const signal = (customerId: string) => ({ customerId, reason: 'account_takeover' });
const SIGNALS = '/fraud/signals';

async function epochOf(customerId: string): Promise<number> {
  const [row] = await api.inTenant(
    (tx) =>
      tx<
        { securityEpoch: number }[]
      >`select security_epoch from customer where customer_id = ${customerId}`,
  );
  return row?.securityEpoch ?? 0;
}

describe('an Idempotency-Key', () => {
  it('is needed to change anything, and is 1 to 128 visible characters', async () => {
    const { customerId } = await createEnrolledPhone(api);
    for (const idempotencyKey of ['', ' ', 'a b', 'ä', 'x'.repeat(129)]) {
      expect(await machine.post(SIGNALS, signal(customerId), { idempotencyKey })).toMatchObject({
        status: 400,
        body: { code: 'idempotency_key_missing' },
      });
    }
    expect(await epochOf(customerId)).toBe(1);
    const answer = await machine.post(SIGNALS, signal(customerId), {
      idempotencyKey: 'x'.repeat(128),
    });
    expect(answer.status).toBe(202);
  });

  it('does the work once and answers its outcome again', async () => {
    const { customerId } = await createEnrolledPhone(api);
    const first = await machine.post(SIGNALS, signal(customerId), { idempotencyKey: 'again' });
    const second = await machine.post(SIGNALS, signal(customerId), { idempotencyKey: 'again' });
    expect(first.status).toBe(202);
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect(await epochOf(customerId)).toBe(2);
  });

  it('refuses another request under the same key', async () => {
    const { customerId } = await createEnrolledPhone(api);
    await machine.post(SIGNALS, signal(customerId), { idempotencyKey: 'mine' });
    const other = { ...signal(customerId), reason: 'other' };
    expect(await machine.post(SIGNALS, other, { idempotencyKey: 'mine' })).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
  });

  it('takes the same members in another order for the same request', async () => {
    const { customerId } = await createEnrolledPhone(api);
    const first = await machine.post(SIGNALS, signal(customerId), { idempotencyKey: 'order' });
    const turned = { reason: 'account_takeover', customerId };
    expect(await machine.post(SIGNALS, turned, { idempotencyKey: 'order' })).toMatchObject({
      status: 202,
      body: first.body,
    });
  });

  it('belongs to its caller and its operation', async () => {
    const { customerId } = await createEnrolledPhone(api);
    const phone = await createEnrolledPhone(api);
    await machine.post(SIGNALS, signal(customerId), { idempotencyKey: 'shared' });
    expect(
      (await phone.post('/auth/logout', { scope: 'this' }, { idempotencyKey: 'shared' })).status,
    ).toBe(200);
    const release = { customerId, reason: 'false_alarm' };
    expect(
      (await machine.post('/fraud/releases', release, { idempotencyKey: 'shared' })).status,
    ).toBe(200);
  });

  it('cuts off once when the signal comes eight times at once', async () => {
    const { customerId } = await createEnrolledPhone(api);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        machine.post(SIGNALS, signal(customerId), { idempotencyKey: 'race' }),
      ),
    );
    const done = answers.filter(({ status }) => status === 202);
    expect(done.length).toBeGreaterThan(0);
    expect(new Set(done.map(({ body }) => String(body.revocationId))).size).toBe(1);
    for (const { status, body } of answers) {
      expect(status === 202 || body.code === 'idempotency_in_progress').toBe(true);
    }
    expect(await epochOf(customerId)).toBe(2);
  });

  it('is free again after a refusal, for the same request alone', async () => {
    const unknown = signal(`cus_${'0'.repeat(32)}`);
    const options = { idempotencyKey: 'refused' };
    expect((await machine.post(SIGNALS, unknown, options)).status).toBe(404);
    expect((await machine.post(SIGNALS, unknown, options)).status).toBe(404);
    const { customerId } = await createEnrolledPhone(api);
    expect(await machine.post(SIGNALS, signal(customerId), options)).toMatchObject({ status: 422 });
  });

  it('is held while its request is under way, and taken over when that has died', async () => {
    const { customerId } = await createEnrolledPhone(api);
    const options = { idempotencyKey: 'crashed' };
    await machine.post(SIGNALS, signal(customerId), options);
    // As a process leaves it that died in between: claimed, never settled.
    await api.inTenant(
      (tx) => tx`update idempotency set reference = null, status = null, created_at = latchkey_now()
        where operation = 'fraudSignal' and reference in (select revocation_id from revocation where customer_id = ${customerId})`,
    );
    expect(await machine.post(SIGNALS, signal(customerId), options)).toMatchObject({
      status: 409,
      body: { code: 'idempotency_in_progress' },
    });
    api.clock.advance(29_000);
    expect((await machine.post(SIGNALS, signal(customerId), options)).status).toBe(409);
    api.clock.advance(2_000);
    expect((await machine.post(SIGNALS, signal(customerId), options)).status).toBe(202);
  });

  it('is forgotten when its time is over', async () => {
    const own = await startTestApi();
    try {
      const { customerId } = await createEnrolledPhone(own);
      const first = await createMachine(own);
      const before = await first.post(SIGNALS, signal(customerId), { idempotencyKey: 'old' });
      own.clock.advance(86_401_000);
      const later = await createMachine(own);
      const after = await later.post(SIGNALS, signal(customerId), { idempotencyKey: 'old' });
      expect(after.status).toBe(202);
      expect(after.body.revocationId).not.toBe(before.body.revocationId);
    } finally {
      await own.close();
    }
  });

  it('keeps no answer, only a digest and a reference', async () => {
    const rows = await api.inTenant((tx) => tx`select * from idempotency`);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(String(row['reference'] ?? 'rev_')).toMatch(/^(?:rev_|hld_|ses_|\d)/);
      expect(JSON.stringify(row)).not.toContain('account_takeover');
    }
  });
});
