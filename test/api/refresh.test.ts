/** The table of SECURITY.md section 2 through the real app on real PostgreSQL, row by row; Temporal is down the whole time. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import type { Policy } from '../../domain/policy.ts';
import { cutOffCustomer, releaseCustomer } from '../setup/customer.ts';
import { createBanker, logIn, refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { sendTwice } from '../setup/replay-proof.ts';
import { startTestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import type { TestApi } from '../setup/api.ts';

const POLICY: Policy = {
  ...DEFAULT_POLICY,
  session: { ...DEFAULT_POLICY.session, idleSeconds: 600, absoluteSeconds: 1500 },
};

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ policy: POLICY });
});
afterAll(async () => {
  await api?.close();
});

const requestId = () => randomBytes(9).toString('base64url');

interface LoggedIn extends Banker {
  readonly sessionId: string;
  readonly token0: string;
}

async function loggedIn(): Promise<LoggedIn> {
  const banker = await createBanker(api);
  const { body } = await logIn(banker, banker.phone);
  return { ...banker, sessionId: String(body.session_id), token0: String(body.refresh_token) };
}

/** A session that was refreshed so often; its tokens in order, and the id of the last request. */
async function refreshed(times: number) {
  const banker = await loggedIn();
  const tokens = [banker.token0];
  let lastId = '';
  for (let round = 0; round < times; round += 1) {
    lastId = requestId();
    const { status, body } = await refresh(banker.phone, tokens.at(-1) ?? '', {
      requestId: lastId,
    });
    expect(status).toBe(200);
    tokens.push(String(body.refresh_token));
  }
  return { ...banker, tokens, lastId };
}

interface Row {
  readonly status: string;
  readonly endReason: string | null;
  readonly generation: number;
  readonly redeliveries: number;
  readonly risk: string;
}

async function rowOf(sessionId: string): Promise<Row> {
  const [row] = await api.inTenant(
    async (tx) =>
      await tx<Row[]>`
      select status, end_reason, generation, redeliveries, risk from session where session_id = ${sessionId}`,
  );
  if (row === undefined) throw new Error('the session is there');
  return row;
}

/** Everything that a refresh could write, but the session's own row. */
async function traces(customerId: string) {
  const [row] = await api.inTenant(
    async (tx) =>
      await tx`
      select (select count(*)::integer from dpop_jti) as proofs,
        (select count(*)::integer from audit where customer_id = ${customerId}) as audit,
        (select count(*)::integer from outbox) as outbox,
        (select cut_off_seq from customer where customer_id = ${customerId}) as touched`,
  );
  return row;
}

async function audited(customerId: string): Promise<string[]> {
  const rows = await api.inTenant(
    async (tx) =>
      await tx<{ action: string }[]>`
      select action from audit where customer_id = ${customerId} order by position`,
  );
  return rows.map(({ action }) => action);
}

const refusal = (code: string, status = 400, error = 'invalid_grant') => ({
  status,
  body: { error, code, error_description: expect.any(String) },
});

describe('the current token', () => {
  test('is rotated: another token, a new access token, the idle deadline moved', async () => {
    const { phone, token0, sessionId } = await loggedIn();
    const { status, body } = await refresh(phone, token0, { requestId: requestId() });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      token_type: 'DPoP',
      expires_in: 300,
      session_id: sessionId,
      acr: 'latchkey:2',
    });
    expect(body.refresh_token).not.toBe(token0);
    expect(await rowOf(sessionId)).toMatchObject({ status: 'live', generation: 1 });
    phone.accessToken = String(body.access_token);
    expect((await phone.get('/auth/me')).status).toBe(200);
  });

  test('makes exactly one successor when fifty requests show it at once', async () => {
    const { phone, token0, sessionId } = await loggedIn();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => refresh(phone, token0, { requestId: requestId() })),
    );
    const granted = answers.filter(({ status }) => status === 200);
    expect(granted).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.code ?? 'granted'))).toEqual(
      new Set(['granted', 'refresh_superseded']),
    );
    expect(await rowOf(sessionId)).toMatchObject({ status: 'live', generation: 1 });
  });

  test('is one token for as many of fifty requests of one id as policy redelivers', async () => {
    const { phone, token0, sessionId } = await loggedIn();
    const id = requestId();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => refresh(phone, token0, { requestId: id })),
    );
    const granted = answers.filter(({ status }) => status === 200);
    expect(granted).toHaveLength(6);
    expect(new Set(granted.map(({ body }) => body.refresh_token)).size).toBe(1);
    expect(await rowOf(sessionId)).toMatchObject({ generation: 1, redeliveries: 5 });
  });
});

describe('the token before it', () => {
  test('with the request id that spent it gives the same successor again, five times', async () => {
    const { phone, tokens, lastId, sessionId } = await refreshed(1);
    for (let round = 1; round <= 5; round += 1) {
      const { status, body } = await refresh(phone, tokens[0] ?? '', { requestId: lastId });
      expect(status).toBe(200);
      expect(body.refresh_token).toBe(tokens[1]);
      expect((await rowOf(sessionId)).redeliveries).toBe(round);
    }
    expect(await refresh(phone, tokens[0] ?? '', { requestId: lastId })).toMatchObject(
      refusal('refresh_token_invalid'),
    );
    // Nothing was killed: who has the successor goes on.
    expect((await refresh(phone, tokens[1] ?? '', { requestId: requestId() })).status).toBe(200);
  });

  test('with another request id is superseded: refused, noticed, nothing killed', async () => {
    const { phone, tokens, sessionId, customerId } = await refreshed(1);
    expect(await refresh(phone, tokens[0] ?? '', { requestId: requestId() })).toMatchObject(
      refusal('refresh_superseded'),
    );
    expect(await refresh(phone, tokens[0] ?? '')).toMatchObject(refusal('refresh_superseded'));
    expect(await rowOf(sessionId)).toMatchObject({ status: 'live', generation: 1, risk: 'high' });
    expect(await audited(customerId)).toContain('refresh.superseded');
    expect((await refresh(phone, tokens[1] ?? '', { requestId: requestId() })).status).toBe(200);
  });

  test('is old once its successor was used, even with its request id', async () => {
    const { phone, tokens, lastId } = await refreshed(1);
    await refresh(phone, tokens[1] ?? '', { requestId: requestId() });
    expect(await refresh(phone, tokens[0] ?? '', { requestId: lastId })).toMatchObject(
      refusal('refresh_reused'),
    );
  });
});

describe('a clone of the phone, key and token alike', () => {
  test('is noticed at the first refresh that comes second', async () => {
    const { phone, token0, sessionId } = await loggedIn();
    // The clone refreshes first, then the owner with the token that both had.
    expect((await refresh(phone, token0, { requestId: requestId() })).status).toBe(200);
    expect(await refresh(phone, token0, { requestId: requestId() })).toMatchObject(
      refusal('refresh_superseded'),
    );
    expect((await rowOf(sessionId)).risk).toBe('high');
  });

  test('that goes on twice ends the family when the owner comes back', async () => {
    const { phone, tokens, sessionId } = await refreshed(2);
    expect(await refresh(phone, tokens[0] ?? '', { requestId: requestId() })).toMatchObject(
      refusal('refresh_reused'),
    );
    expect(await rowOf(sessionId)).toMatchObject({ status: 'ended', endReason: 'reuse_detected' });
  });
});

describe('an older token', () => {
  test('ends the family with audit, events and its workflow’s waking', async () => {
    const { phone, tokens, sessionId, customerId } = await refreshed(3);
    expect(await refresh(phone, tokens[1] ?? '', { requestId: requestId() })).toMatchObject(
      refusal('refresh_reused'),
    );
    expect(await audited(customerId)).toEqual([
      'session.created',
      'session.ended',
      'refresh.reused',
    ]);
    const rows = await api.inTenant(
      async (tx) =>
        await tx<{ topic: string; type: string | null }[]>`
        select topic, payload ->> 'type' as type from outbox
        where subject in (${sessionId}, ${customerId}) order by position offset 2`,
    );
    expect([...rows]).toEqual([
      { topic: 'event', type: 'bank.app.session_revoked' },
      { topic: 'session.wake', type: null },
      { topic: 'event', type: 'bank.app.refresh_reused' },
    ]);
    expect(await refresh(phone, tokens[3] ?? '', { requestId: requestId() })).toMatchObject(
      refusal('session_ended'),
    );
  });
});

describe('a token from the future', () => {
  test('after a failover that lost commits asks for a login and kills nothing', async () => {
    const { phone, tokens, sessionId } = await refreshed(2);
    // As a standby that had seen only the first refresh would remember it.
    await api.inTenant(
      (tx) =>
        tx`update session set generation = generation - 1, current_hash = previous_hash where session_id = ${sessionId}`,
    );
    expect(await refresh(phone, tokens[2] ?? '', { requestId: requestId() })).toMatchObject(
      refusal('refresh_token_invalid'),
    );
    expect(await rowOf(sessionId)).toMatchObject({ status: 'live', generation: 1 });
    expect((await refresh(phone, tokens[1] ?? '', { requestId: requestId() })).status).toBe(200);
  });
});

describe('another key', () => {
  test.each([0, 1, 2])(
    'showing token %i of two is refused, writes nothing and kills nothing',
    async (index) => {
      const { tokens, sessionId, customerId } = await refreshed(2);
      const thief = await createPhone(api);
      const before = [await traces(customerId), await rowOf(sessionId)];
      expect(await refresh(thief, tokens[index] ?? '', { requestId: requestId() })).toMatchObject(
        refusal('dpop_key_mismatch', 401, 'invalid_dpop_proof'),
      );
      expect([await traces(customerId), await rowOf(sessionId)]).toEqual(before);
    },
  );

  test('a forged token dies the same way, and noise as no token at all', async () => {
    const { phone, token0, customerId } = await loggedIn();
    const before = await traces(customerId);
    const forged = token0.replace(/\.0\./, '.7.');
    expect((await refresh(phone, forged, { requestId: requestId() })).status).toBe(401);
    expect(await refresh(phone, 'noise', { requestId: requestId() })).toMatchObject(
      refusal('refresh_token_invalid'),
    );
    expect(await traces(customerId)).toEqual(before);
  });
});

describe('a lost answer', () => {
  test('is asked for again with the same request id and a new proof', async () => {
    const { phone, token0 } = await loggedIn();
    const id = requestId();
    const lost = await refresh(phone, token0, { requestId: id });
    const again = await refresh(phone, token0, { requestId: id });
    expect(again.status).toBe(200);
    expect(again.body.refresh_token).toBe(lost.body.refresh_token);
  });

  test('asked for again by the same bytes answers a retryable code, never reuse', async () => {
    const { phone, token0, sessionId } = await loggedIn();
    const form = {
      grant_type: 'refresh_token',
      refresh_token: token0,
      client_id: 'demo-app',
      request_id: requestId(),
    };
    const [first, second] = await sendTwice(api, phone, form);
    expect(first?.status).toBe(200);
    expect(second).toMatchObject({ status: 400, body: { code: 'dpop_proof_replayed' } });
    expect(await rowOf(sessionId)).toMatchObject({ generation: 1, redeliveries: 0 });
  });
});

describe('a client that names no requests', () => {
  test('is given the last one again by the plain rule', async () => {
    const { phone, token0 } = await loggedIn();
    const lost = await refresh(phone, token0);
    const again = await refresh(phone, token0);
    expect(again.status).toBe(200);
    expect(again.body.refresh_token).toBe(lost.body.refresh_token);
  });

  test('is asked for the passkey after three lost generations in a row', async () => {
    const { phone, token0, sessionId } = await loggedIn();
    let token = token0;
    for (let round = 0; round < 3; round += 1) {
      await refresh(phone, token);
      token = String((await refresh(phone, token)).body.refresh_token);
    }
    expect(await refresh(phone, token)).toMatchObject(refusal('refresh_token_invalid'));
    expect(await rowOf(sessionId)).toMatchObject({ status: 'live', generation: 3 });
  });

  test('is not asked while one of them arrived', async () => {
    const { phone, token0 } = await loggedIn();
    let token = token0;
    for (const isLost of [true, true, false, true, true]) {
      if (isLost) await refresh(phone, token);
      token = String((await refresh(phone, token)).body.refresh_token);
    }
    expect((await refresh(phone, token)).status).toBe(200);
  });
});

describe('limits, just before and just after', () => {
  test.each([
    [-2000, 200],
    [0, 400],
  ])('idle, %i ms from the deadline: %i', async (offsetMs, status) => {
    const { phone, token0, sessionId } = await loggedIn();
    api.clock.advance(600_000 + offsetMs);
    expect((await refresh(phone, token0, { requestId: requestId() })).status).toBe(status);
    expect((await rowOf(sessionId)).generation).toBe(status === 200 ? 1 : 0);
  });

  test.each([
    [-2000, 200],
    [0, 400],
  ])('absolute, %i ms from the deadline: %i', async (offsetMs, status) => {
    const { phone, token0 } = await loggedIn();
    let token = token0;
    for (const stepMs of [500_000, 500_000]) {
      api.clock.advance(stepMs);
      token = String((await refresh(phone, token, { requestId: requestId() })).body.refresh_token);
    }
    api.clock.advance(500_000 + offsetMs);
    expect((await refresh(phone, token, { requestId: requestId() })).status).toBe(status);
  });

  test('an answer promises no more than what is left of the session', async () => {
    const { phone, token0 } = await loggedIn();
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
    const { phone, tokens, lastId } = await refreshed(1);
    api.clock.advance(600_000);
    expect(await refresh(phone, tokens[0] ?? '', { requestId: lastId })).toMatchObject(
      refusal('session_ended'),
    );
  });

  test('a policy that became stricter holds at once', async () => {
    const { phone, token0 } = await loggedIn();
    const stricter = { ...POLICY, session: { ...POLICY.session, idleSeconds: 60 } };
    const setPolicy = (version: number, document: Policy) =>
      api.inTenant(
        (tx) => tx`insert into policy (tenant_id, version, document, prepared_by, approved_by)
          values (${api.tenantId}, ${version}, ${tx.json({ ...document })}, 'a', 'b')`,
      );
    await setPolicy(2, stricter);
    api.clock.advance(60_000);
    const answer = await refresh(phone, token0, { requestId: requestId() });
    await setPolicy(3, POLICY);
    expect(answer).toMatchObject(refusal('session_ended'));
  });
});

describe('what stops a session stops its refresh', () => {
  const cutOffOf = ({ customerId }: Banker) =>
    api.inTenant((tx) => cutOffCustomer(tx, { tenantId: api.tenantId, customerId }));

  test('a cut-off, also after its release: the epoch stays raised', async () => {
    const banker = await loggedIn();
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
    expect(await rowOf(banker.sessionId)).toMatchObject({ generation: 0 });
  });

  test.each(['suspended', 'revoked', 'pending'])('a device that is %s', async (status) => {
    const banker = await loggedIn();
    await api.inTenant(
      (tx) => tx`update device set status = ${status} where device_id = ${banker.deviceId}`,
    );
    expect(await refresh(banker.phone, banker.token0, { requestId: requestId() })).toMatchObject(
      refusal('device_not_allowed'),
    );
  });

  test('a passkey that is revoked', async () => {
    const banker = await loggedIn();
    await api.inTenant(
      (tx) =>
        tx`update credential set status = 'revoked' where credential_id = ${banker.credentialId}`,
    );
    expect(await refresh(banker.phone, banker.token0, { requestId: requestId() })).toMatchObject(
      refusal('device_not_allowed'),
    );
  });

  test('a device that is restricted goes on reading only', async () => {
    const banker = await loggedIn();
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
    const { phone, token0, sessionId } = await loggedIn();
    const form = {
      grant_type: 'refresh_token',
      refresh_token: token0,
      client_id: 'demo-app',
      request_id: requestId(),
      ...change,
    };
    expect((await phone.postForm('/oauth/token', form)).body).toMatchObject({ code });
    expect((await rowOf(sessionId)).generation).toBe(0);
  });
});
