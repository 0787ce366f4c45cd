import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHttpRiskEngine } from '../../adapters/risk/signed-http.ts';
import { openStageControl, PUBLIC_URL, STAGE_SECRET } from '../setup/beds/stage-control-bed.ts';
import type { StageControlBed } from '../setup/beds/stage-control-bed.ts';
import { ACCESS_TOKEN } from '../setup/vendors/fake-stage-api.ts';

const clock = { nowMs: () => Date.now() };

let bed: StageControlBed;
beforeEach(async () => {
  bed = await openStageControl();
});
afterEach(() => bed.close());

const BUTTONS = new Map([
  ['/parts/line/drop', 'drop'],
  ['/parts/line/restore', 'restore'],
  ['/parts/worker/stop', 'stop worker'],
  ['/parts/worker/start', 'start worker'],
  ['/parts/worker/deploy', 'deploy'],
  ['/parts/temporal/stop', 'stop temporal'],
  ['/parts/temporal/start', 'start temporal'],
  ['/parts/resume', 'resume'],
]);

describe('stage control', () => {
  test.each([
    ['no origin', undefined],
    ['a foreign origin', 'http://evil.example'],
    ['the null origin', 'null'],
  ])('refuses a request with %s, whatever it asks', async (_name, origin) => {
    const headers = origin === undefined ? {} : { origin };
    for (const path of ['/inbox', '/status', '/timeline']) {
      const answer = await fetch(`${bed.control.url}${path}`, { headers });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([
        403,
        null,
      ]);
    }
    const posted = await fetch(`${bed.control.url}/fraud/signals`, {
      method: 'POST',
      headers,
      body: '{}',
    });
    expect(posted.status).toBe(403);
    for (const path of BUTTONS.keys()) {
      const pressed = await fetch(`${bed.control.url}${path}`, {
        method: 'POST',
        headers,
        body: '{}',
      });
      expect(pressed.status).toBe(403);
    }
    expect((await fetch(`${bed.control.url}/parts`, { headers })).status).toBe(403);
    expect(bed.api.requests).toEqual([]);
    expect(bed.parts.pressed).toEqual([]);
  });

  test('answers a preflight for the stage alone', async () => {
    const { status, headers } = await bed.call('OPTIONS', '/bank/accounts');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(PUBLIC_URL);
    expect(headers.get('access-control-allow-headers')).toContain('dpop');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('presses the fraud button as the demo fraud engine, with a bound token and one idempotency key', async () => {
    const { status, body } = await bed.post('/fraud/signals', {
      customerId: 'cus_1',
      reason: 'other',
    });
    expect([status, body]).toEqual([202, { route: 'POST /fraud/signals' }]);
    const [request] = bed.api.requests;
    expect(JSON.parse(request?.body ?? '')).toEqual({ customerId: 'cus_1', reason: 'other' });
    expect(request?.headers['authorization']).toBe(`DPoP ${ACCESS_TOKEN}`);
    expect(request?.headers['idempotency-key']).toMatch(/^[!-~]{1,128}$/);
    const { jwk } = decodeProtectedHeader(String(request?.headers['dpop']));
    await expect(calculateJwkThumbprint(jwk ?? { kty: '' })).resolves.toBeTypeOf('string');
    expect(jwk).not.toHaveProperty('d');
  });

  test('sends a fresh proof when the nonce has moved on, and keeps the idempotency key', async () => {
    await bed.post('/fraud/signals', { customerId: 'cus_1', reason: 'other' });
    bed.api.rotateNonce();
    const { status } = await bed.call('GET', '/fraud/revocations/rev_1');
    expect(status).toBe(202);
    expect(bed.api.requests.at(-1)?.route).toBe('GET /fraud/revocations/rev_1');
  });

  test("passes the API's refusal through as it is", async () => {
    const { status, headers } = await bed.post('/fraud/releases', { customerId: 'cus_1' });
    expect(status).toBe(409);
    expect(headers.get('content-type')).toBe('application/problem+json');
  });

  test('streams the timeline after the last event that the page has seen', async () => {
    const answer = await fetch(`${bed.control.url}/timeline?customerId=cus_1`, {
      headers: { origin: PUBLIC_URL, 'last-event-id': '6' },
    });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain('data: {"position":7}');
    await reader?.cancel();
    expect(bed.api.requests[0]?.route).toBe('GET /ops/timeline?customerId=cus_1&after=6');
  });

  test('shows the inbox, streams it and empties it on "start over"', async () => {
    await bed.sendSms('a');
    expect((await bed.call('GET', '/inbox')).body?.['messages']).toHaveLength(1);
    const answer = await fetch(`${bed.control.url}/inbox/stream`, {
      headers: { origin: PUBLIC_URL },
    });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('"reference":"a"')) text += (await reader?.read())?.value ?? '';
    await reader?.cancel();
    bed.identityVendor.setBehaviour('refuses');
    expect((await bed.post('/start-over')).status).toBe(204);
    expect(bed.inbox.messages()).toEqual([]);
    expect(bed.identityVendor.behaviour()).toBe('normal');
    expect(bed.parts.pressed).toEqual(['start over']);
  });

  test.each([...BUTTONS])(
    '%s presses "%s" once, and answers with what stands',
    async (path, button) => {
      const { status, body } = await bed.post(path);
      expect([status, body]).toEqual([200, bed.parts.view()]);
      expect(bed.parts.pressed).toEqual([button]);
      expect((await bed.call('GET', path)).status).toBe(404);
      expect(bed.parts.pressed).toEqual([button]);
    },
  );

  test.each([
    ['/parts/temporal/stop', 'not_ours'],
    ['/parts/worker/deploy', 'temporal_down'],
  ] as const)('says why %s cannot be done: %s', async (path, refusal) => {
    bed.parts.refusal = refusal;
    const { status, body } = await bed.post(path);
    expect([status, body]).toEqual([409, { error: refusal }]);
  });

  test('tells which build has an enrollment in hand, and asks for nothing else', async () => {
    expect((await bed.call('GET', '/parts')).body).toEqual(bed.parts.view());
    expect(bed.askedBuilds).toEqual([]);
    const { body } = await bed.call('GET', '/parts?enrollmentId=cer_1');
    expect(body).toEqual({
      ...bed.parts.view(),
      ceremony: { enrollmentId: 'cer_1', buildId: 'build-1' },
    });
    expect(bed.askedBuilds).toEqual(['enrollment/ten_1/cer_1']);
    expect((await bed.call('GET', '/parts?enrollmentId=..%2Fother')).status).toBe(400);
  });

  test('sets how the identity vendor behaves, and refuses what it does not know', async () => {
    expect((await bed.post('/identity/behaviour', { behaviour: 'slow' })).body).toEqual({
      behaviour: 'slow',
      waiting: [],
    });
    expect((await bed.post('/identity/behaviour', { behaviour: 'dances' })).status).toBe(400);
    expect((await bed.post('/identity/release')).status).toBe(200);
  });

  test('answers Latchkey with the risk that it was set to, for logins and for approvals apart', async () => {
    const engine = createHttpRiskEngine({
      url: `${bed.control.url}/risk`,
      secret: STAGE_SECRET,
      clock,
    });
    const judge = (action: string) =>
      engine.evaluate({ customerId: 'cus_1', action, deviceId: undefined });
    expect([await judge('log_in'), await judge('payment')]).toEqual(['low', 'low']);
    const set = await bed.post('/risk/behaviour', { logins: 'high' });
    expect(set.body).toEqual({ logins: 'high', approvals: 'low' });
    expect([await judge('log_in'), await judge('payment')]).toEqual(['high', 'low']);
    await bed.post('/risk/behaviour', { logins: 'silent', approvals: 'medium' });
    await expect(judge('log_in')).rejects.toMatchObject({ code: 'vendor_unavailable' });
    expect(await judge('payment')).toBe('medium');
    await bed.post('/start-over');
    expect(await judge('log_in')).toBe('low');
  });

  test('tells no risk to whoever cannot sign, and takes no word that is none', async () => {
    const stranger = createHttpRiskEngine({
      url: `${bed.control.url}/risk`,
      secret: 'other',
      clock,
    });
    const subject = { customerId: 'cus_1', action: 'log_in', deviceId: undefined };
    await expect(stranger.evaluate(subject)).rejects.toMatchObject({ code: 'vendor_refused' });
    expect((await bed.post('/risk/behaviour', { logins: 'harmless' })).status).toBe(400);
    expect((await bed.call('GET', '/status')).body).toMatchObject({
      risk: { logins: 'low', approvals: 'low' },
    });
  });

  test('says where everything is', async () => {
    expect((await bed.call('GET', '/status')).body).toMatchObject({
      publicUrl: PUBLIC_URL,
      issuer: bed.issuer,
      clientId: 'demo-app',
      bankUrl: `${bed.control.url}/bank/accounts`,
      identity: { behaviour: 'normal', waiting: [] },
    });
  });
});

describe('the demo bank', () => {
  const proofs = { authorization: 'DPoP a-customers-token', dpop: 'a-customers-proof' };

  test('shows accounts to whom the gateway check lets pass, and sees identity headers only', async () => {
    bed.api.gateway = {
      status: 200,
      headers: { 'x-user-id': 'cus_1', 'x-scopes': 'openid accounts:read' },
    };
    const { status, body } = await bed.call('GET', '/bank/accounts?page=2', { headers: proofs });
    expect(status).toBe(200);
    expect(body?.['seenByTheBank']).toMatchObject({
      userId: 'cus_1',
      scopes: 'openid accounts:read',
    });
    expect(bed.api.requests[0]?.headers).toMatchObject({
      ...proofs,
      'x-gateway-id': 'demo-bank',
      'x-original-method': 'GET',
      'x-original-uri': '/bank/accounts?page=2',
    });
  });

  test.each([401, 403])(
    'passes a %i of the check on with its challenge and its nonce',
    async (status) => {
      bed.api.gateway = { status, headers: { 'www-authenticate': 'DPoP error="x"' } };
      const answer = await bed.call('GET', '/bank/accounts', { headers: proofs });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('www-authenticate')).toBe('DPoP error="x"');
      expect(answer.headers.get('dpop-nonce')).toBe('nonce-1');
      expect(answer.body).not.toHaveProperty('accounts');
    },
  );

  test.each([204, 302, 404, 500])('shows nothing when the check answers %i', async (status) => {
    bed.api.gateway = { status, headers: status === 302 ? { location: '/' } : {} };
    const answer = await bed.call('GET', '/bank/accounts', { headers: proofs });
    expect(answer.status).toBe(503);
    expect(answer.body).not.toHaveProperty('accounts');
  });

  test('shows nothing when the check cannot be reached', async () => {
    bed.api.server?.closeAllConnections();
    await new Promise((resolve) => bed.api.server?.close(resolve));
    expect((await bed.call('GET', '/bank/accounts', { headers: proofs })).status).toBe(503);
  });

  test('is out of reach for a phone that has no line', async () => {
    bed.parts.lineStatus = 'down';
    await expect(bed.call('GET', '/bank/accounts', { headers: proofs })).rejects.toThrow(
      'fetch failed',
    );
    expect(bed.api.requests).toEqual([]);
  });
});
