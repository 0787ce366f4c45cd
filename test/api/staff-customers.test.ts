/** Customers at the operations door: found and shown masked, every look audited, sessions ended row first. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import { createBanker, logIn, refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { createStaff } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';

const UNKNOWN = '+44 7911 123999';

let api: TestApi;
let agent: Staff;
let customers = 0;
beforeAll(async () => {
  api = await startTestApi();
  agent = await createStaff(api, ['agent']);
});
afterAll(async () => {
  await api?.close();
});

/** A customer whose number a search finds. */
async function knownCustomer(): Promise<{ banker: Banker; number: string }> {
  customers += 1;
  const banker = await createBanker(api);
  const number = `+447911123${String(customers).padStart(3, '0')}`;
  const { tenantId, deps } = api;
  const { customerId } = banker;
  await api.inTenant(async (tx) => {
    const target = { tenantId, customerId, purpose: 'contact.phone' };
    await tx`update contact set blind_index = ${deps.personalData.blindIndex(tenantId, 'phone', number)},
      sealed_value = ${await deps.personalData.seal(tx, target, number)}
      where customer_id = ${customerId} and kind = 'phone'`;
  });
  return { banker, number };
}

const search = (phone: string, by = agent) => by.post('/staff/customers/search', { phone });
const auditOf = (staffId: string, action: string) =>
  api.inTenant(
    (tx) => tx`select subject_id, customer_id, detail from audit
      where actor_kind = 'staff' and actor_id = ${staffId} and action = ${action} order by position`,
  );

describe('a search by phone number', () => {
  it('finds whose proved number it is, however it is written, masked', async () => {
    const { banker, number } = await knownCustomer();
    const written = `${number.slice(0, 3)} ${number.slice(3, 7)} ${number.slice(7)}`;
    const { status, body } = await search(written);
    expect([status, body]).toEqual([
      200,
      {
        customers: [
          {
            customerId: banker.customerId,
            status: 'active',
            epoch: 1,
            createdAt: expect.any(String),
            givenName: null,
            phone: `+44 ··· ${number.slice(-3)}`,
            email: 'a···@…',
            liveSessions: 0,
            hold: null,
            frozenUntil: null,
            devices: [
              {
                deviceId: banker.deviceId,
                name: 'Ada’s phone',
                platform: 'test',
                status: 'trusted',
                reportedAs: null,
                attestationLevel: 'software',
              },
            ],
          },
        ],
      },
    ]);
    expect(JSON.stringify(body)).not.toMatch(/7911123|ada@|example\.test/);
  });

  it('of a number that is nobody’s has the same shape, and both are in the audit without the number', async () => {
    const searcher = await createStaff(api, ['agent']);
    const { banker, number } = await knownCustomer();
    const found = await search(number, searcher);
    const nobody = await search(UNKNOWN, searcher);
    expect(nobody).toMatchObject({ status: 200, body: { customers: [] } });
    expect(Object.keys(nobody.body)).toEqual(Object.keys(found.body));
    const rows = await auditOf(searcher.staffId, 'staff.customer_searched');
    expect([...rows]).toEqual([
      { subjectId: banker.customerId, customerId: banker.customerId, detail: { found: true } },
      { subjectId: searcher.staffId, customerId: null, detail: { found: false } },
    ]);
  });

  it('that is repeated under its key shows the customer as of now, and is a look like any other', async () => {
    const searcher = await createStaff(api, ['agent']);
    const { number } = await knownCustomer();
    const again = () =>
      searcher.post('/staff/customers/search', { phone: number }, { idempotencyKey: 'again' });
    expect((await again()).body.customers).toHaveLength(1);
    expect((await again()).body.customers).toHaveLength(1);
    expect(await auditOf(searcher.staffId, 'staff.customer_searched')).toHaveLength(2);
  });

  it('is bounded in rate, hit or miss, and a new login brings no new budget', async () => {
    const identity = { employeeId: 'E-900' };
    const curious = await createStaff(api, ['agent'], identity);
    const { searchesAtOnce, intervalSeconds } = (await api.tenant()).policy.staffSearch;
    for (let count = 0; count < searchesAtOnce; count += 1)
      expect((await search(UNKNOWN, curious)).status).toBe(200);
    expect(await search(UNKNOWN, curious)).toMatchObject({
      status: 429,
      body: { code: 'too_many_requests' },
      headers: { 'retry-after': String(intervalSeconds) },
    });
    const { number } = await knownCustomer();
    expect((await search(number, curious)).status).toBe(429);
    api.clock.advance(intervalSeconds * 1000);
    expect((await search(number, curious)).status).toBe(200);
    expect((await search(number, curious)).status).toBe(429);
  });

  it.each(['abc', '12345', '+44 20 7946 0000'])('with the number %s is refused', async (phone) => {
    expect(await search(phone)).toMatchObject({ status: 422, body: { code: 'phone_invalid' } });
  });

  it('never takes the number in the address', async () => {
    const answer = await agent.get('/staff/customers/search?phone=%2B447911123001');
    expect(answer.status).toBe(400);
  });
});

describe('a customer', () => {
  it('is looked at by id, with a trace in the audit', async () => {
    const { banker } = await knownCustomer();
    await logIn(banker, banker.phone);
    const answer = await agent.get(`/staff/customers/${banker.customerId}`);
    expect(answer).toMatchObject({
      status: 200,
      body: { customerId: banker.customerId, liveSessions: 1, hold: null },
    });
    expect(await auditOf(agent.staffId, 'staff.customer_viewed')).toContainEqual({
      subjectId: banker.customerId,
      customerId: banker.customerId,
      detail: { found: true },
    });
  });

  it('that does not exist is not found', async () => {
    expect((await agent.get(`/staff/customers/${newId('customer')}`)).body.code).toBe('not_found');
  });
});

describe('the sessions of a customer', () => {
  it('are listed in pages with what their next request would be told', async () => {
    const { banker } = await knownCustomer();
    for (let count = 0; count < 3; count += 1) await logIn(banker, await createPhone(api));
    await logIn(banker, banker.phone);
    const path = `/staff/customers/${banker.customerId}/sessions`;
    const first = await agent.get(`${path}?limit=3`);
    expect(first.body.sessions).toHaveLength(3);
    expect(first.body.sessions[0]).toMatchObject({
      standing: 'good',
      deviceId: banker.deviceId,
      deviceName: 'Ada’s phone',
      acr: 'latchkey:2',
    });
    const last = await agent.get(`${path}?limit=3&cursor=${String(first.body.next)}`);
    expect(last.body).toMatchObject({ sessions: [{ deviceId: null }], next: null });
    const ids = [...first.body.sessions, ...last.body.sessions].map(
      ({ sessionId }: { sessionId: string }) => sessionId,
    );
    expect(new Set(ids).size).toBe(4);
  });

  it('of a customer that does not exist are none, and the audit says so', async () => {
    const looker = await createStaff(api, ['agent']);
    const answer = await looker.get(`/staff/customers/${newId('customer')}/sessions`);
    expect(answer).toMatchObject({ status: 200, body: { sessions: [] } });
    expect([...(await auditOf(looker.staffId, 'staff.sessions_viewed'))]).toEqual([
      { subjectId: looker.staffId, customerId: null, detail: { found: false } },
    ]);
  });

  it('are ended row first: tokens are refused from the commit, the workflow is woken, the customer told', async () => {
    const { banker } = await knownCustomer();
    const { body } = await logIn(banker, banker.phone);
    const other = await createPhone(api);
    await logIn(banker, other);
    const sessionId = String(body.session_id);
    const end = `/staff/sessions/${sessionId}/end`;
    const options = { idempotencyKey: 'end-1' };
    const ended = await agent.post(end, { reason: 'lost_device' }, options);
    expect(ended).toMatchObject({
      status: 200,
      body: { sessionId, customerId: banker.customerId, endReason: 'ended_by_staff' },
    });
    expect((await agent.post(end, { reason: 'lost_device' }, options)).body).toEqual(ended.body);
    expect((await agent.post(end, { reason: 'other' })).body).toEqual(ended.body);
    expect((await banker.phone.get('/auth/me')).body.code).toBe('session_ended');
    expect(
      (await refresh(banker.phone, String(body.refresh_token), { requestId: 'r' })).body.code,
    ).toBe('session_ended');
    expect((await other.get('/auth/me')).status).toBe(200);
    const left = await api.inTenant(async (tx) => ({
      audit: await tx`select actor_kind, actor_id, detail from audit
        where action = 'session.ended' and subject_id = ${sessionId}`,
      outbox: await tx`select topic, payload->>'template' as template from outbox
        where subject = ${sessionId} and topic = 'session.wake'
          or payload->>'customerId' = ${banker.customerId} and topic like 'message.%' order by topic`,
      customer: await tx`select cut_off_seq, security_epoch from customer
        where customer_id = ${banker.customerId}`,
    }));
    expect([...left.audit]).toEqual([
      {
        actorKind: 'staff',
        actorId: agent.staffId,
        detail: { reason: 'ended_by_staff', because: 'lost_device' },
      },
    ]);
    expect([...left.outbox]).toEqual([
      { topic: 'message.email', template: 'session_ended' },
      { topic: 'message.sms', template: 'session_ended' },
      { topic: 'session.wake', template: null },
    ]);
    // Touched once more by the second call, which found nothing to end.
    expect([...left.customer]).toEqual([{ cutOffSeq: 2, securityEpoch: 1 }]);
  });

  it('that ended otherwise are answered as they ended', async () => {
    const { banker } = await knownCustomer();
    const { body } = await logIn(banker, banker.phone);
    await banker.phone.post('/auth/logout', { scope: 'this' });
    const path = `/staff/sessions/${String(body.session_id)}/end`;
    expect((await agent.post(path, { reason: 'other' })).body.endReason).toBe('logged_out');
  });

  it('that do not exist, or with a reason of one’s own words, are refused', async () => {
    const path = `/staff/sessions/${newId('session')}/end`;
    expect((await agent.post(path, { reason: 'other' })).body.code).toBe('not_found');
    expect((await agent.post(path, { reason: 'he asked' })).body.code).toBe('invalid_request');
    expect((await agent.post(path, {})).body.code).toBe('invalid_request');
  });
});
