/** The table of SECURITY.md section 2 through the real app on real PostgreSQL, row by row; Temporal is down the whole time. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refresh } from '../setup/login-bed.ts';
import { sendTwice } from '../setup/replay-proof.ts';
import { createPhone } from '../setup/callers.ts';
import type { TestApi } from '../setup/api.ts';
import { Refreshing, refusal, requestId } from '../setup/beds/refreshing.ts';

let bed: Refreshing;
let api: TestApi;
beforeAll(async () => {
  bed = await Refreshing.open();
  api = bed.api;
});
afterAll(async () => {
  await bed?.close();
});

describe('the current token', () => {
  test('is rotated: another token, a new access token, the idle deadline moved', async () => {
    const { phone, token0, sessionId } = await bed.loggedIn();
    const { status, body } = await refresh(phone, token0, { requestId: requestId() });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      token_type: 'DPoP',
      expires_in: 300,
      session_id: sessionId,
      acr: 'latchkey:2',
    });
    expect(body.refresh_token).not.toBe(token0);
    expect(await bed.rowOf(sessionId)).toMatchObject({ status: 'live', generation: 1 });
    phone.accessToken = String(body.access_token);
    expect((await phone.get('/auth/me')).status).toBe(200);
  });

  test('makes exactly one successor when fifty requests show it at once', async () => {
    const { phone, token0, sessionId } = await bed.loggedIn();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => refresh(phone, token0, { requestId: requestId() })),
    );
    const granted = answers.filter(({ status }) => status === 200);
    expect(granted).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.code ?? 'granted'))).toEqual(
      new Set(['granted', 'refresh_superseded']),
    );
    expect(await bed.rowOf(sessionId)).toMatchObject({ status: 'live', generation: 1 });
  });

  test('is one token for as many of fifty requests of one id as policy redelivers', async () => {
    const { phone, token0, sessionId } = await bed.loggedIn();
    const id = requestId();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => refresh(phone, token0, { requestId: id })),
    );
    const granted = answers.filter(({ status }) => status === 200);
    expect(granted).toHaveLength(6);
    expect(new Set(granted.map(({ body }) => body.refresh_token)).size).toBe(1);
    expect(await bed.rowOf(sessionId)).toMatchObject({ generation: 1, redeliveries: 5 });
  });
});

describe('the token before it', () => {
  test('with the request id that spent it gives the same successor again, five times', async () => {
    const { phone, tokens, lastId, sessionId } = await bed.refreshed(1);
    for (let round = 1; round <= 5; round += 1) {
      const { status, body } = await refresh(phone, tokens[0] ?? '', { requestId: lastId });
      expect(status).toBe(200);
      expect(body.refresh_token).toBe(tokens[1]);
      expect((await bed.rowOf(sessionId)).redeliveries).toBe(round);
    }
    expect(await refresh(phone, tokens[0] ?? '', { requestId: lastId })).toMatchObject(
      refusal('refresh_token_invalid'),
    );
    // Nothing was killed: who has the successor goes on.
    expect((await refresh(phone, tokens[1] ?? '', { requestId: requestId() })).status).toBe(200);
  });

  test('with another request id is superseded: refused, noticed, nothing killed', async () => {
    const { phone, tokens, sessionId, customerId } = await bed.refreshed(1);
    expect(await refresh(phone, tokens[0] ?? '', { requestId: requestId() })).toMatchObject(
      refusal('refresh_superseded'),
    );
    expect(await refresh(phone, tokens[0] ?? '')).toMatchObject(refusal('refresh_superseded'));
    expect(await bed.rowOf(sessionId)).toMatchObject({
      status: 'live',
      generation: 1,
      risk: 'high',
    });
    expect(await bed.audited(customerId)).toContain('refresh.superseded');
    expect((await refresh(phone, tokens[1] ?? '', { requestId: requestId() })).status).toBe(200);
  });

  test('is old once its successor was used, even with its request id', async () => {
    const { phone, tokens, lastId } = await bed.refreshed(1);
    await refresh(phone, tokens[1] ?? '', { requestId: requestId() });
    expect(await refresh(phone, tokens[0] ?? '', { requestId: lastId })).toMatchObject(
      refusal('refresh_reused'),
    );
  });
});

describe('a clone of the phone, key and token alike', () => {
  test('is noticed at the first refresh that comes second', async () => {
    const { phone, token0, sessionId } = await bed.loggedIn();
    // The clone refreshes first, then the owner with the token that both had.
    expect((await refresh(phone, token0, { requestId: requestId() })).status).toBe(200);
    expect(await refresh(phone, token0, { requestId: requestId() })).toMatchObject(
      refusal('refresh_superseded'),
    );
    expect((await bed.rowOf(sessionId)).risk).toBe('high');
  });

  test('that goes on twice ends the family when the owner comes back', async () => {
    const { phone, tokens, sessionId } = await bed.refreshed(2);
    expect(await refresh(phone, tokens[0] ?? '', { requestId: requestId() })).toMatchObject(
      refusal('refresh_reused'),
    );
    expect(await bed.rowOf(sessionId)).toMatchObject({
      status: 'ended',
      endReason: 'reuse_detected',
    });
  });
});

describe('an older token', () => {
  test('ends the family with audit, events and its workflow’s waking', async () => {
    const { phone, tokens, sessionId, customerId } = await bed.refreshed(3);
    expect(await refresh(phone, tokens[1] ?? '', { requestId: requestId() })).toMatchObject(
      refusal('refresh_reused'),
    );
    expect(await bed.audited(customerId)).toEqual([
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
    const { phone, tokens, sessionId } = await bed.refreshed(2);
    // As a standby that had seen only the first refresh would remember it.
    await api.inTenant(
      (tx) =>
        tx`update session set generation = generation - 1, current_hash = previous_hash where session_id = ${sessionId}`,
    );
    expect(await refresh(phone, tokens[2] ?? '', { requestId: requestId() })).toMatchObject(
      refusal('refresh_token_invalid'),
    );
    expect(await bed.rowOf(sessionId)).toMatchObject({ status: 'live', generation: 1 });
    expect((await refresh(phone, tokens[1] ?? '', { requestId: requestId() })).status).toBe(200);
  });
});

describe('another key', () => {
  test.each([0, 1, 2])(
    'showing token %i of two is refused, writes nothing and kills nothing',
    async (index) => {
      const { tokens, sessionId, customerId } = await bed.refreshed(2);
      const thief = await createPhone(api);
      const before = [await bed.traces(customerId), await bed.rowOf(sessionId)];
      expect(await refresh(thief, tokens[index] ?? '', { requestId: requestId() })).toMatchObject(
        refusal('dpop_key_mismatch', 401, 'invalid_dpop_proof'),
      );
      expect([await bed.traces(customerId), await bed.rowOf(sessionId)]).toEqual(before);
    },
  );

  test('a forged token dies the same way, and noise as no token at all', async () => {
    const { phone, token0, customerId } = await bed.loggedIn();
    const before = await bed.traces(customerId);
    const forged = token0.replace(/\.0\./, '.7.');
    expect((await refresh(phone, forged, { requestId: requestId() })).status).toBe(401);
    expect(await refresh(phone, 'noise', { requestId: requestId() })).toMatchObject(
      refusal('refresh_token_invalid'),
    );
    expect(await bed.traces(customerId)).toEqual(before);
  });
});

describe('a lost answer', () => {
  test('is asked for again with the same request id and a new proof', async () => {
    const { phone, token0 } = await bed.loggedIn();
    const id = requestId();
    const lost = await refresh(phone, token0, { requestId: id });
    const again = await refresh(phone, token0, { requestId: id });
    expect(again.status).toBe(200);
    expect(again.body.refresh_token).toBe(lost.body.refresh_token);
  });

  test('asked for again by the same bytes answers a retryable code, never reuse', async () => {
    const { phone, token0, sessionId } = await bed.loggedIn();
    const form = {
      grant_type: 'refresh_token',
      refresh_token: token0,
      client_id: 'demo-app',
      request_id: requestId(),
    };
    const [first, second] = await sendTwice(api, phone, form);
    expect(first?.status).toBe(200);
    expect(second).toMatchObject({ status: 400, body: { code: 'dpop_proof_replayed' } });
    expect(await bed.rowOf(sessionId)).toMatchObject({ generation: 1, redeliveries: 0 });
  });
});

describe('a client that names no requests', () => {
  test('is given the last one again by the plain rule', async () => {
    const { phone, token0 } = await bed.loggedIn();
    const lost = await refresh(phone, token0);
    const again = await refresh(phone, token0);
    expect(again.status).toBe(200);
    expect(again.body.refresh_token).toBe(lost.body.refresh_token);
  });

  test('is asked for the passkey after three lost generations in a row', async () => {
    const { phone, token0, sessionId } = await bed.loggedIn();
    let token = token0;
    for (let round = 0; round < 3; round += 1) {
      await refresh(phone, token);
      token = String((await refresh(phone, token)).body.refresh_token);
    }
    expect(await refresh(phone, token)).toMatchObject(refusal('refresh_token_invalid'));
    expect(await bed.rowOf(sessionId)).toMatchObject({ status: 'live', generation: 3 });
  });

  test('is not asked while one of them arrived', async () => {
    const { phone, token0 } = await bed.loggedIn();
    let token = token0;
    for (const isLost of [true, true, false, true, true]) {
      if (isLost) await refresh(phone, token);
      token = String((await refresh(phone, token)).body.refresh_token);
    }
    expect((await refresh(phone, token)).status).toBe(200);
  });
});
