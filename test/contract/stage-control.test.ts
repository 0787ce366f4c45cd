import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  decodeProtectedHeader,
  EmbeddedJWK,
  jwtVerify,
} from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHttpRiskEngine } from '../../adapters/risk/signed-http.ts';
import { demoFraudJwks } from '../../runtime/demo-secrets.ts';
import { startIdentityVendor } from '../../runtime/identity-vendor.ts';
import type { IdentityVendor } from '../../runtime/identity-vendor.ts';
import { startInbox } from '../../runtime/inbox.ts';
import type { Inbox } from '../../runtime/inbox.ts';
import type { LocalServer } from '../../runtime/local-http.ts';
import type { PartRefusal, Parts, PartsView } from '../../runtime/parts.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { startStageControl } from '../../runtime/stage-control.ts';
import { SIGNATURE_HEADER, signBody } from '../../runtime/vendor-signature.ts';

const publicUrl = 'http://localhost:4600';
const clock = { nowMs: () => Date.now() };
const secret = 'the secret of this test';
const accessToken = 'the-access-token';

/** An API that judges the token request and the proofs as RFC 7523 and RFC 9449 say, and records the rest. */
class FakeApi {
  readonly requests: {
    readonly route: string;
    readonly body: string;
    readonly headers: IncomingMessage['headers'];
  }[] = [];
  readonly #seenAssertions = new Set<string>();
  #nonce = 'nonce-1';
  server: Server | undefined;
  gateway: { status: number; headers: Record<string, string> } = { status: 200, headers: {} };

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => void this.#answer(request, response, body));
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/t/demo`;
  }

  rotateNonce(): void {
    this.#nonce = `${this.#nonce}+`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    const route = `${request.method} ${url.pathname.replace('/t/demo', '')}${url.search}`;
    const send = (status: number, content: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, {
        'dpop-nonce': this.#nonce,
        'content-type': 'application/json',
        ...headers,
      });
      response.end(JSON.stringify(content));
    };
    if (route.startsWith('GET /gateway/verify')) {
      this.requests.push({ route, body, headers: request.headers });
      send(this.gateway.status, { code: 'told by the check' }, this.gateway.headers);
      return;
    }
    const proof = String(request.headers['dpop']);
    const { payload } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' });
    if (payload['htm'] !== request.method || payload['htu'] !== `${url.origin}${url.pathname}`) {
      send(401, { error: 'wrong_proof' });
    } else if (payload['nonce'] !== this.#nonce) {
      send(route === 'POST /oauth/token' ? 400 : 401, { error: 'use_dpop_nonce' });
    } else if (route === 'POST /oauth/token') {
      await this.#answerToken(new URLSearchParams(body), `${url.origin}/t/demo`, send);
    } else if (payload['ath'] !== createHash('sha256').update(accessToken).digest('base64url')) {
      send(401, { error: 'no_ath' });
    } else {
      this.requests.push({ route, body, headers: request.headers });
      if (route.startsWith('GET /ops/timeline')) {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'dpop-nonce': this.#nonce });
        response.write('id: 7\ndata: {"position":7}\n\n');
        return;
      }
      send(
        route.includes('releases') ? 409 : 202,
        { route },
        { 'content-type': 'application/problem+json' },
      );
    }
  }

  async #answerToken(
    form: URLSearchParams,
    issuer: string,
    send: (status: number, content: unknown) => void,
  ) {
    const assertion = form.get('client_assertion') ?? '';
    // The payments service asks for a token too; its own tests say with what.
    if (form.get('client_id') !== 'demo-fraud') {
      send(401, { error: 'invalid_client' });
      return;
    }
    await jwtVerify(assertion, createLocalJWKSet(demoFraudJwks()), {
      issuer: 'demo-fraud',
      subject: 'demo-fraud',
      audience: issuer,
      requiredClaims: ['jti', 'exp'],
    });
    const isSpent = this.#seenAssertions.has(assertion);
    this.#seenAssertions.add(assertion);
    send(isSpent ? 401 : 200, { access_token: accessToken, token_type: 'DPoP', expires_in: 300 });
  }
}

const since = '2026-03-01T10:00:00.000Z';

/** Parts that note which button was pressed. */
class FakeParts implements Parts {
  readonly pressed: string[] = [];
  lineStatus: PartsView['line']['status'] = 'up';
  refusal: PartRefusal | undefined;

  view = (): PartsView => ({
    line: { status: this.lineStatus, since },
    worker: { status: 'up', since, buildId: 'build-1' },
    temporal: { status: 'up', since },
    events: [],
  });
  dropNextAnswer = () => void this.#press('drop');
  restoreLine = () => void this.#press('restore');
  stopWorker = async () => void (await this.#press('stop worker'));
  startWorker = async () => void (await this.#press('start worker'));
  stopTemporal = () => this.#press('stop temporal');
  startTemporal = () => this.#press('start temporal');
  deploy = () => this.#press('deploy');
  resumeAll = async () => void (await this.#press('resume'));
  startOver = async () => void (await this.#press('start over'));

  #press(button: string): Promise<PartRefusal | undefined> {
    this.pressed.push(button);
    return Promise.resolve(this.refusal);
  }
}

let parts: FakeParts;
let askedBuilds: string[];
let api: FakeApi;
let inbox: Inbox;
let identityVendor: IdentityVendor;
let control: LocalServer;
let issuer: string;

beforeEach(async () => {
  api = new FakeApi();
  issuer = await api.start();
  inbox = await startInbox({ port: 0, smtpPort: await findFreePort(), smsSecret: secret, clock });
  identityVendor = await startIdentityVendor({ port: 0, secret, clock });
  parts = new FakeParts();
  askedBuilds = [];
  control = await startStageControl({
    parts,
    builds: {
      of: (workflowId) => {
        askedBuilds.push(workflowId);
        return Promise.resolve('build-1');
      },
    },
    tenantId: 'ten_1',
    port: 0,
    publicUrl,
    issuer,
    appClientId: 'demo-app',
    fraudClientId: 'demo-fraud',
    gatewayId: 'demo-bank',
    inbox,
    identityVendor,
    clock,
    riskSecret: secret,
    onError: (error) => {
      throw error;
    },
  });
});
afterEach(async () => {
  await Promise.all([control.stop(), inbox.stop(), identityVendor.stop()]);
  api.server?.closeAllConnections();
  api.server?.close();
});

const call = async (method: string, path: string, init: RequestInit = {}) => {
  const headers = { origin: publicUrl, ...(init.headers as Record<string, string> | undefined) };
  const answer = await fetch(`${control.url}${path}`, { ...init, method, headers });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    // What stage control answers is JSON made by itself.
    body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
  };
};
const post = (path: string, content: unknown = {}) =>
  call('POST', path, { body: JSON.stringify(content) });
const sendSms = async (reference: string) => {
  const body = JSON.stringify({ to: '+491', text: 'code', reference });
  await fetch(inbox.smsUrl, {
    method: 'POST',
    headers: { [SIGNATURE_HEADER]: signBody({ secret, body }, Date.now()) },
    body,
  });
};

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
      const answer = await fetch(`${control.url}${path}`, { headers });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([
        403,
        null,
      ]);
    }
    const posted = await fetch(`${control.url}/fraud/signals`, {
      method: 'POST',
      headers,
      body: '{}',
    });
    expect(posted.status).toBe(403);
    for (const path of BUTTONS.keys()) {
      const pressed = await fetch(`${control.url}${path}`, { method: 'POST', headers, body: '{}' });
      expect(pressed.status).toBe(403);
    }
    expect((await fetch(`${control.url}/parts`, { headers })).status).toBe(403);
    expect(api.requests).toEqual([]);
    expect(parts.pressed).toEqual([]);
  });

  test('answers a preflight for the stage alone', async () => {
    const { status, headers } = await call('OPTIONS', '/bank/accounts');
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(publicUrl);
    expect(headers.get('access-control-allow-headers')).toContain('dpop');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('presses the fraud button as the demo fraud engine, with a bound token and one idempotency key', async () => {
    const { status, body } = await post('/fraud/signals', { customerId: 'cus_1', reason: 'other' });
    expect([status, body]).toEqual([202, { route: 'POST /fraud/signals' }]);
    const [request] = api.requests;
    expect(JSON.parse(request?.body ?? '')).toEqual({ customerId: 'cus_1', reason: 'other' });
    expect(request?.headers['authorization']).toBe(`DPoP ${accessToken}`);
    expect(request?.headers['idempotency-key']).toMatch(/^[!-~]{1,128}$/);
    const { jwk } = decodeProtectedHeader(String(request?.headers['dpop']));
    await expect(calculateJwkThumbprint(jwk ?? { kty: '' })).resolves.toBeTypeOf('string');
    expect(jwk).not.toHaveProperty('d');
  });

  test('sends a fresh proof when the nonce has moved on, and keeps the idempotency key', async () => {
    await post('/fraud/signals', { customerId: 'cus_1', reason: 'other' });
    api.rotateNonce();
    const { status } = await call('GET', '/fraud/revocations/rev_1');
    expect(status).toBe(202);
    expect(api.requests.at(-1)?.route).toBe('GET /fraud/revocations/rev_1');
  });

  test("passes the API's refusal through as it is", async () => {
    const { status, headers } = await post('/fraud/releases', { customerId: 'cus_1' });
    expect(status).toBe(409);
    expect(headers.get('content-type')).toBe('application/problem+json');
  });

  test('streams the timeline after the last event that the page has seen', async () => {
    const answer = await fetch(`${control.url}/timeline?customerId=cus_1`, {
      headers: { origin: publicUrl, 'last-event-id': '6' },
    });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain('data: {"position":7}');
    await reader?.cancel();
    expect(api.requests[0]?.route).toBe('GET /ops/timeline?customerId=cus_1&after=6');
  });

  test('shows the inbox, streams it and empties it on "start over"', async () => {
    await sendSms('a');
    expect((await call('GET', '/inbox')).body?.['messages']).toHaveLength(1);
    const answer = await fetch(`${control.url}/inbox/stream`, { headers: { origin: publicUrl } });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('"reference":"a"')) text += (await reader?.read())?.value ?? '';
    await reader?.cancel();
    identityVendor.setBehaviour('refuses');
    expect((await post('/start-over')).status).toBe(204);
    expect(inbox.messages()).toEqual([]);
    expect(identityVendor.behaviour()).toBe('normal');
    expect(parts.pressed).toEqual(['start over']);
  });

  test.each([...BUTTONS])(
    '%s presses "%s" once, and answers with what stands',
    async (path, button) => {
      const { status, body } = await post(path);
      expect([status, body]).toEqual([200, parts.view()]);
      expect(parts.pressed).toEqual([button]);
      expect((await call('GET', path)).status).toBe(404);
      expect(parts.pressed).toEqual([button]);
    },
  );

  test.each([
    ['/parts/temporal/stop', 'not_ours'],
    ['/parts/worker/deploy', 'temporal_down'],
  ] as const)('says why %s cannot be done: %s', async (path, refusal) => {
    parts.refusal = refusal;
    const { status, body } = await post(path);
    expect([status, body]).toEqual([409, { error: refusal }]);
  });

  test('tells which build has an enrollment in hand, and asks for nothing else', async () => {
    expect((await call('GET', '/parts')).body).toEqual(parts.view());
    expect(askedBuilds).toEqual([]);
    const { body } = await call('GET', '/parts?enrollmentId=cer_1');
    expect(body).toEqual({
      ...parts.view(),
      ceremony: { enrollmentId: 'cer_1', buildId: 'build-1' },
    });
    expect(askedBuilds).toEqual(['enrollment/ten_1/cer_1']);
    expect((await call('GET', '/parts?enrollmentId=..%2Fother')).status).toBe(400);
  });

  test('sets how the identity vendor behaves, and refuses what it does not know', async () => {
    expect((await post('/identity/behaviour', { behaviour: 'slow' })).body).toEqual({
      behaviour: 'slow',
      waiting: [],
    });
    expect((await post('/identity/behaviour', { behaviour: 'dances' })).status).toBe(400);
    expect((await post('/identity/release')).status).toBe(200);
  });

  test('answers Latchkey with the risk that it was set to, for logins and for approvals apart', async () => {
    const engine = createHttpRiskEngine({ url: `${control.url}/risk`, secret, clock });
    const judge = (action: string) =>
      engine.evaluate({ customerId: 'cus_1', action, deviceId: undefined });
    expect([await judge('log_in'), await judge('payment')]).toEqual(['low', 'low']);
    const set = await post('/risk/behaviour', { logins: 'high' });
    expect(set.body).toEqual({ logins: 'high', approvals: 'low' });
    expect([await judge('log_in'), await judge('payment')]).toEqual(['high', 'low']);
    await post('/risk/behaviour', { logins: 'silent', approvals: 'medium' });
    await expect(judge('log_in')).rejects.toMatchObject({ code: 'vendor_unavailable' });
    expect(await judge('payment')).toBe('medium');
    await post('/start-over');
    expect(await judge('log_in')).toBe('low');
  });

  test('tells no risk to whoever cannot sign, and takes no word that is none', async () => {
    const stranger = createHttpRiskEngine({ url: `${control.url}/risk`, secret: 'other', clock });
    const subject = { customerId: 'cus_1', action: 'log_in', deviceId: undefined };
    await expect(stranger.evaluate(subject)).rejects.toMatchObject({ code: 'vendor_refused' });
    expect((await post('/risk/behaviour', { logins: 'harmless' })).status).toBe(400);
    expect((await call('GET', '/status')).body).toMatchObject({
      risk: { logins: 'low', approvals: 'low' },
    });
  });

  test('says where everything is', async () => {
    expect((await call('GET', '/status')).body).toMatchObject({
      publicUrl,
      issuer,
      clientId: 'demo-app',
      bankUrl: `${control.url}/bank/accounts`,
      identity: { behaviour: 'normal', waiting: [] },
    });
  });
});

describe('the demo bank', () => {
  const proofs = { authorization: 'DPoP a-customers-token', dpop: 'a-customers-proof' };

  test('shows accounts to whom the gateway check lets pass, and sees identity headers only', async () => {
    api.gateway = {
      status: 200,
      headers: { 'x-user-id': 'cus_1', 'x-scopes': 'openid accounts:read' },
    };
    const { status, body } = await call('GET', '/bank/accounts?page=2', { headers: proofs });
    expect(status).toBe(200);
    expect(body?.['seenByTheBank']).toMatchObject({
      userId: 'cus_1',
      scopes: 'openid accounts:read',
    });
    expect(api.requests[0]?.headers).toMatchObject({
      ...proofs,
      'x-gateway-id': 'demo-bank',
      'x-original-method': 'GET',
      'x-original-uri': '/bank/accounts?page=2',
    });
  });

  test.each([401, 403])(
    'passes a %i of the check on with its challenge and its nonce',
    async (status) => {
      api.gateway = { status, headers: { 'www-authenticate': 'DPoP error="x"' } };
      const answer = await call('GET', '/bank/accounts', { headers: proofs });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('www-authenticate')).toBe('DPoP error="x"');
      expect(answer.headers.get('dpop-nonce')).toBe('nonce-1');
      expect(answer.body).not.toHaveProperty('accounts');
    },
  );

  test.each([204, 302, 404, 500])('shows nothing when the check answers %i', async (status) => {
    api.gateway = { status, headers: status === 302 ? { location: '/' } : {} };
    const answer = await call('GET', '/bank/accounts', { headers: proofs });
    expect(answer.status).toBe(503);
    expect(answer.body).not.toHaveProperty('accounts');
  });

  test('shows nothing when the check cannot be reached', async () => {
    api.server?.closeAllConnections();
    await new Promise((resolve) => api.server?.close(resolve));
    expect((await call('GET', '/bank/accounts', { headers: proofs })).status).toBe(503);
  });

  test('is out of reach for a phone that has no line', async () => {
    parts.lineStatus = 'down';
    await expect(call('GET', '/bank/accounts', { headers: proofs })).rejects.toThrow(
      'fetch failed',
    );
    expect(api.requests).toEqual([]);
  });
});
