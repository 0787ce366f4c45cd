/** Dead letters at the operations door: listed without what they carry, and made due again by an administrator. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createStaff } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';

let api: TestApi;
let administrator: Staff;
beforeAll(async () => {
  api = await startTestApi();
  administrator = await createStaff(api, ['administrator']);
});
afterAll(async () => {
  await api?.close();
});

async function park(): Promise<string> {
  const outboxId = newId('outbox');
  await api.inTenant(
    (
      tx,
    ) => tx`insert into outbox (tenant_id, outbox_id, topic, subject, payload, status, attempts, error_code)
      values (${api.tenantId}, ${outboxId}, 'event', 'cus_1', '{"type":"t","data":{"secret":"kept inside"}}', 'dead', 9, 'vendor_refused')`,
  );
  return outboxId;
}

describe('dead letters', () => {
  it('are listed in order, in pages, without what they carry', async () => {
    const ids = [await park(), await park(), await park()];
    const first = await administrator.get('/ops/dead-letters?limit=2');
    expect(first.body.deadLetters).toMatchObject([{ outboxId: ids[0] }, { outboxId: ids[1] }]);
    const { createdAt, ...letter } = first.body.deadLetters[0];
    expect(letter).toEqual({
      outboxId: ids[0],
      topic: 'event',
      subject: 'cus_1',
      errorCode: 'vendor_refused',
      attempts: 9,
      eventType: 't',
      sinks: [],
    });
    expect(Date.parse(createdAt)).not.toBeNaN();
    const auditor = await createStaff(api, ['auditor']);
    const rest = await auditor.get(`/ops/dead-letters?cursor=${String(first.body.next)}`);
    expect(rest.body).toMatchObject({ deadLetters: [{ outboxId: ids[2] }], next: null });
    expect(JSON.stringify([first.body, rest.body])).not.toContain('kept inside');
  });

  it('are due again once an administrator says so, which is in the audit', async () => {
    const outboxId = await park();
    const retry = (options = {}) =>
      administrator.post(`/ops/dead-letters/${outboxId}/retry`, {}, options);
    const options = { idempotencyKey: 'retry-1' };
    expect(await retry(options)).toMatchObject({ status: 200, body: { outboxId } });
    expect(await retry(options)).toMatchObject({ status: 200, body: { outboxId } });
    expect(await retry()).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const left = await api.inTenant(async (tx) => ({
      row: await tx`select status, attempts from outbox where outbox_id = ${outboxId}`,
      audit:
        await tx`select actor_id from audit where action = 'staff.dead_letter_retried' and subject_id = ${outboxId}`,
    }));
    expect([...left.row]).toEqual([{ status: 'pending', attempts: 0 }]);
    expect([...left.audit]).toEqual([{ actorId: administrator.staffId }]);
  });
});
