/** Holds at the operations door: what the roles see, and a release by two people over HTTP. The rules' every case is test/contract/database/approvals.test.ts's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createEnrolledPhone } from '../setup/callers.ts';
import { cutOffCustomer } from '../setup/customer.ts';
import { createStaff } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';

let api: TestApi;
let agent: Staff;
let supervisor: Staff;
let elsewhere: string;
beforeAll(async () => {
  // Temporal is down in all of these: a release asks PostgreSQL alone.
  api = await startTestApi();
  elsewhere = await api.addTenant('elsewhere');
  agent = await createStaff(api, ['agent'], { name: 'Ana Agent' });
  supervisor = await createStaff(api, ['supervisor'], { name: 'Sione Supervisor' });
});
afterAll(async () => {
  await api?.close();
});

async function heldCustomer() {
  const phone = await createEnrolledPhone(api);
  const subject = { tenantId: api.tenantId, customerId: phone.customerId };
  await api.inTenant((tx) => cutOffCustomer(tx, subject));
  const [hold] = await api.inTenant(
    (tx) => tx<{ holdId: string }[]>`
      select hold_id from hold where customer_id = ${phone.customerId} and status = 'active'`,
  );
  return { phone, subject, holdId: hold?.holdId ?? '' };
}

const ask = (holdId: string, by = agent, idempotencyKey?: string) =>
  by.post(
    `/staff/holds/${holdId}/release-requests`,
    { reason: 'customer_verified' },
    idempotencyKey === undefined ? {} : { idempotencyKey },
  );
const approve = (approvalId: unknown, by = supervisor, idempotencyKey?: string) =>
  by.post(
    `/staff/approvals/${String(approvalId)}/approve`,
    {},
    idempotencyKey === undefined ? {} : { idempotencyKey },
  );
const decline = (approvalId: unknown, by = supervisor) =>
  by.post(`/staff/approvals/${String(approvalId)}/decline`, {});

describe('holds', () => {
  it('are listed in pages, the youngest first, with the request that waits', async () => {
    const made = [];
    for (let count = 0; count < 3; count += 1) made.push(await heldCustomer());
    const newest = made.at(-1)?.holdId ?? '';
    const { body: approval } = await ask(newest);
    const first = await agent.get('/staff/holds?limit=2');
    expect(first.body.holds).toMatchObject([
      { holdId: newest, approvalId: approval.approvalId, epoch: 2, reason: 'account_takeover' },
      { holdId: made[1]?.holdId, approvalId: null },
    ]);
    const second = await agent.get(`/staff/holds?limit=1&cursor=${String(first.body.next)}`);
    expect(second.body.holds).toMatchObject([{ holdId: made[0]?.holdId }]);
  });

  it.each(['limit=0', 'limit=101', 'cursor=bm9uZQ', 'cursor=..', 'status=all'])(
    'with %s are refused',
    async (query) => {
      expect(await agent.get(`/staff/holds?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
    },
  );

  it('of another tenant are nobody’s business here', async () => {
    const { holdId } = await heldCustomer();
    const tenant = { tenantId: elsewhere, slug: 'elsewhere' };
    const stranger = await createStaff(api, ['agent'], { tenant });
    expect((await stranger.get('/staff/holds')).body).toEqual({ holds: [], next: null });
    expect((await ask(holdId, stranger)).body.code).toBe('hold_not_found');
    expect(await stranger.get('/staff/holds', { prefix: api.prefix })).toMatchObject({
      status: 401,
      body: { code: 'staff_login_required' },
    });
  });
});

describe('a release', () => {
  it('is asked for by one and approved by another; the customer logs in again, the old session stays dead', async () => {
    const { phone, holdId } = await heldCustomer();
    const asked = await ask(holdId);
    expect(asked).toMatchObject({
      status: 201,
      body: { holdId, status: 'pending', preparedByName: 'Ana Agent', decidedBy: null },
    });
    const { approvalId } = asked.body;
    expect((await supervisor.get('/staff/approvals?status=pending')).body.approvals).toContainEqual(
      asked.body,
    );
    expect(await approve(approvalId)).toMatchObject({
      status: 200,
      body: { approvalId, holdId, devices: 1, credentials: 1 },
    });
    expect((await supervisor.get('/staff/approvals?limit=1')).body.approvals).toMatchObject([
      { approvalId, status: 'approved', decidedByName: 'Sione Supervisor' },
    ]);
    expect((await phone.get('/auth/me')).body.code).toBe('session_ended');
    expect((await ask(holdId)).body.code).toBe('hold_released');
  });

  it('asked for, approved and declined again under the same Idempotency-Keys says the same and does nothing more', async () => {
    const { holdId, subject } = await heldCustomer();
    const first = await ask(holdId, agent, 'ask-1');
    expect(await ask(holdId, agent, 'ask-1')).toMatchObject({ status: 201, body: first.body });
    const { approvalId } = first.body;
    const approved = await approve(approvalId, supervisor, 'approve-1');
    expect((await approve(approvalId, supervisor, 'approve-1')).body).toEqual(approved.body);
    const releases = await api.inTenant(
      (tx) =>
        tx`select 1 from audit where customer_id = ${subject.customerId} and action = 'fraud.released'`,
    );
    expect(releases).toHaveLength(1);
    expect((await approve(approvalId)).body.code).toBe('approval_decided');
  });

  it('is refused to whoever asked, under whatever account', async () => {
    const { holdId } = await heldCustomer();
    const own = await createStaff(api, ['supervisor'], { employeeId: 'E-77' });
    const second = await createStaff(api, ['supervisor'], { employeeId: 'e-77' });
    const { approvalId } = (await ask(holdId, own)).body;
    for (const by of [own, second])
      expect(await approve(approvalId, by)).toMatchObject({
        status: 403,
        body: { code: 'four_eyes_required' },
      });
    expect((await approve(approvalId)).status).toBe(200);
  });

  it('needs a login of the last minutes', async () => {
    const { approvalId } = (await ask((await heldCustomer()).holdId)).body;
    const tired = await createStaff(api, ['supervisor'], { loggedInMsAgo: 5 * 60_000 + 1_000 });
    expect(await approve(approvalId, tired)).toMatchObject({
      status: 401,
      body: { code: 'reauthentication_required' },
    });
    expect((await decline(approvalId, tired)).status).toBe(200);
  });

  it('can be declined; then it can be asked for anew', async () => {
    const { holdId } = await heldCustomer();
    const { approvalId } = (await ask(holdId)).body;
    expect((await ask(holdId)).body.code).toBe('approval_pending');
    expect(await decline(approvalId)).toMatchObject({
      status: 200,
      body: { status: 'declined', decidedByName: 'Sione Supervisor' },
    });
    expect((await decline(approvalId)).body.code).toBe('approval_decided');
    expect((await ask(holdId)).status).toBe(201);
  });

  it('falls with a further cut-off', async () => {
    const { holdId, subject } = await heldCustomer();
    const { approvalId } = (await ask(holdId)).body;
    await api.inTenant((tx) => cutOffCustomer(tx, subject));
    expect(await approve(approvalId)).toMatchObject({
      status: 409,
      body: { code: 'approval_void' },
    });
  });

  it('cannot be approved after an hour', async () => {
    const { approvalId } = (await ask((await heldCustomer()).holdId)).body;
    api.clock.advance(3_600_000);
    const awake = await createStaff(api, ['supervisor']);
    expect(await approve(approvalId, awake)).toMatchObject({
      status: 410,
      body: { code: 'approval_expired' },
    });
    agent = await createStaff(api, ['agent'], { name: 'Ana Agent' });
    supervisor = await createStaff(api, ['supervisor'], { name: 'Sione Supervisor' });
  });

  it('of what does not exist is not found', async () => {
    expect((await ask(newId('hold'))).body.code).toBe('hold_not_found');
    expect((await approve(newId('approval'))).body.code).toBe('approval_not_found');
    expect((await decline(newId('approval'))).body.code).toBe('approval_not_found');
  });

  it.each([{}, { reason: 'because' }, { reason: 'false_alarm', note: 'x' }])(
    'with the body %j is refused',
    async (body) => {
      const { holdId } = await heldCustomer();
      const answer = await agent.post(`/staff/holds/${holdId}/release-requests`, body);
      expect(answer.body.code).toBe('invalid_request');
    },
  );
});
