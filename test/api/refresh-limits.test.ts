/** When a refresh comes too late, what stops it, and which requests are none; through the real app, with Temporal down. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Policy } from '../../domain/policy.ts';
import { cutOffCustomer, releaseCustomer } from '../setup/customer.ts';
import { refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import type { TestApi } from '../setup/api.ts';
import { Refreshing, refusal, requestId, SHORT_SESSIONS } from '../setup/beds/refreshing.ts';

let bed: Refreshing;
let api: TestApi;
beforeAll(async () => {
  bed = await Refreshing.open();
  api = bed.api;
});
afterAll(async () => {
  await bed?.close();
});

describe('limits, just before and just after', () => {
  test.each([
    [-2000, 200],
    [0, 400],
  ])('idle, %i ms from the deadline: %i', async (offsetMs, status) => {
    const { phone, token0, sessionId } = await bed.loggedIn();
    api.clock.advance(600_000 + offsetMs);
    expect((await refresh(phone, token0, { requestId: requestId() })).status).toBe(status);
    expect((await bed.rowOf(sessionId)).generation).toBe(status === 200 ? 1 : 0);
  });

  test.each([
    [-2000, 200],
    [0, 400],
  ])('absolute, %i ms from the deadline: %i', async (offsetMs, status) => {
    const { phone, token0 } = await bed.loggedIn();
    let token = token0;
    for (const stepMs of [500_000, 500_000]) {
      api.clock.advance(stepMs);
      token = String((await refresh(phone, token, { requestId: requestId() })).body.refresh_token);
    }
    api.clock.advance(500_000 + offsetMs);
    expect((await refresh(phone, token, { requestId: requestId() })).status).toBe(status);
  });

  test('an answer promises no more than what is left of the session', async () => {
    const { phone, token0 } = await bed.loggedIn();
    let token = token0;
    for (const stepMs of [500_000, 500_000, 400_000]) {
      api.clock.advance(stepMs);
      token = String((await refresh(phone, token, { requestId: requestId() })).body.refresh_token);
    }
    const { body } = await refresh(phone, token, { requestId: requestId() });
    expect(body.expires_in).toBeLessThanOrEqual(100);
    expect(body.expires_in).toBeGreaterThan(90);
  });

  test('an expired family is not revived by a lost answer', async () => {
    const { phone, tokens, lastId } = await bed.refreshed(1);
    api.clock.advance(600_000);
    expect(await refresh(phone, tokens[0] ?? '', { requestId: lastId })).toMatchObject(
      refusal('session_ended'),
    );
  });

  test('a policy that became stricter holds at once', async () => {
    const { phone, token0 } = await bed.loggedIn();
    const stricter = { ...SHORT_SESSIONS, session: { ...SHORT_SESSIONS.session, idleSeconds: 60 } };
    const setPolicy = (version: number, document: Policy) =>
      api.inTenant(
        (tx) => tx`insert into policy (tenant_id, version, document, prepared_by, approved_by)
          values (${api.tenantId}, ${version}, ${tx.json({ ...document })}, 'a', 'b')`,
      );
    await setPolicy(2, stricter);
    api.clock.advance(60_000);
    const answer = await refresh(phone, token0, { requestId: requestId() });
    await setPolicy(3, SHORT_SESSIONS);
    expect(answer).toMatchObject(refusal('session_ended'));
  });
});

describe('what stops a session stops its refresh', () => {
  const cutOffOf = ({ customerId }: Banker) =>
    api.inTenant((tx) => cutOffCustomer(tx, { tenantId: api.tenantId, customerId }));

  test('a cut-off, also after its release: the epoch stays raised', async () => {
    const banker = await bed.loggedIn();
    await cutOffOf(banker);
    expect(await refresh(banker.phone, banker.token0, { requestId: requestId() })).toMatchObject(
      refusal('customer_on_hold'),
    );
    await api.inTenant((tx) =>
      releaseCustomer(tx, { tenantId: api.tenantId, customerId: banker.customerId }),
    );
    expect(await refresh(banker.phone, banker.token0, { requestId: requestId() })).toMatchObject(
      refusal('session_ended'),
    );
    expect(await bed.rowOf(banker.sessionId)).toMatchObject({ generation: 0 });
  });

  test.each(['suspended', 'revoked', 'pending'])('a device that is %s', async (status) => {
    const banker = await bed.loggedIn();
    await api.inTenant(
      (tx) => tx`update device set status = ${status} where device_id = ${banker.deviceId}`,
    );
    expect(await refresh(banker.phone, banker.token0, { requestId: requestId() })).toMatchObject(
      refusal('device_not_allowed'),
    );
  });

  test('a passkey that is revoked', async () => {
    const banker = await bed.loggedIn();
    await api.inTenant(
      (tx) =>
        tx`update credential set status = 'revoked' where credential_id = ${banker.credentialId}`,
    );
    expect(await refresh(banker.phone, banker.token0, { requestId: requestId() })).toMatchObject(
      refusal('device_not_allowed'),
    );
  });

  test('a device that is restricted goes on reading only', async () => {
    const banker = await bed.loggedIn();
    await api.inTenant(
      (tx) => tx`update device set status = 'restricted' where device_id = ${banker.deviceId}`,
    );
    const { body } = await refresh(banker.phone, banker.token0, { requestId: requestId() });
    expect(body).toMatchObject({ acr: 'latchkey:1', scope: 'openid accounts:read' });
  });
});

describe('a refresh request is refused when', () => {
  test.each([
    ['it names another client', { client_id: 'demo-fraud' }, 'unknown_client'],
    ['its request id is misshapen', { request_id: 'two words' }, 'invalid_request'],
    ['it asks for a scope', { scope: 'openid' }, 'invalid_request'],
    ['it has a field that is not its own', { more: '1' }, 'invalid_request'],
    ['its grant is another', { grant_type: 'password' }, 'unsupported_grant_type'],
  ])('%s', async (_name, change, code) => {
    const { phone, token0, sessionId } = await bed.loggedIn();
    const form = {
      grant_type: 'refresh_token',
      refresh_token: token0,
      client_id: 'demo-app',
      request_id: requestId(),
      ...change,
    };
    expect((await phone.postForm('/oauth/token', form)).body).toMatchObject({ code });
    expect((await bed.rowOf(sessionId)).generation).toBe(0);
  });
});
