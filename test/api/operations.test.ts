/** What stands behind the operations door: Temporal's UI, played by a server that tells what reached it, and the codec endpoint. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Payload } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import { PayloadEncryption } from '../../temporal/payload-codec.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createStaff, knock } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';

const NAMESPACE = 'latchkey';
const UI_PAGE = '<!doctype html><body><script>start();</script></body>';
const UI_SETTINGS = { Version: '2', DisableWriteActions: false, BatchActionsDisabled: false };
const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate' };
const SESSION_ID = `ses_${'0'.repeat(32)}`;

let ui: Server;
let reached: IncomingMessage[] = [];
let api: TestApi;
let agent: Staff;
let auditor: Staff;
const keys = [{ kid: 'test-payload', key: randomBytes(32) }];
const codec = new PayloadEncryption({ namespace: NAMESPACE, keys });

beforeAll(async () => {
  ui = createServer((request, response) => {
    reached.push(request);
    const isSettings = request.url?.startsWith('/temporal/api/v1/settings') === true;
    const isDrawn = request.url === '/temporal/drawn';
    response.writeHead(200, {
      'content-type': isSettings ? 'application/json' : 'text/html',
      ...(isDrawn ? { 'content-security-policy': "script-src 'nonce-1'; sandbox" } : {}),
      'set-cookie': ['_csrf=abc; Path=/', '__Host-latchkey-staff=stolen; Path=/; Secure'],
      'x-powered-by': 'ui',
    });
    response.end(isSettings ? JSON.stringify(UI_SETTINGS) : UI_PAGE);
  });
  const port = await new Promise<number>((resolve) => {
    ui.listen(0, '127.0.0.1', () => {
      const address = ui.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const upstream = `http://127.0.0.1:${String(port)}`;
  api = await startTestApi({
    configuration: { temporalUi: { upstream, tenant: 'demo', namespace: NAMESPACE } },
    dependencies: { payloadCodec: codec },
  });
  agent = await createStaff(api, ['agent']);
  auditor = await createStaff(api, ['auditor']);
});
beforeEach(() => {
  reached = [];
});
afterAll(async () => {
  await api?.close();
  ui?.closeAllConnections();
  ui?.close();
});

const atDoor = { prefix: '' };

describe("Temporal's UI", () => {
  it('opens for an auditor and for an administrator', async () => {
    const administrator = await createStaff(api, ['administrator']);
    for (const staff of [auditor, administrator]) {
      const answer = await staff.get('/temporal/namespaces', { ...atDoor, headers: NAVIGATION });
      expect(answer).toMatchObject({ status: 200, body: UI_PAGE });
    }
    expect(reached.map(({ url }) => url)).toEqual(['/temporal/namespaces', '/temporal/namespaces']);
  });

  it("begins at our namespace's workflows, not at one where nothing is", async () => {
    for (const root of ['/temporal', '/temporal/']) {
      const { status, headers } = await auditor.get(root, { ...atDoor, headers: NAVIGATION });
      expect([status, headers.location]).toEqual([302, '/temporal/namespaces/latchkey/workflows']);
    }
    expect(reached).toEqual([]);
    expect((await agent.get('/temporal', atDoor)).status).toBe(403);
  });

  it('is asked with the query as it came', async () => {
    const path = '/temporal/api/v1/namespaces?query=%zz&a=../b&c=%2F..%2F';
    expect((await auditor.get(path, atDoor)).status).toBe(200);
    expect(reached.map(({ url }) => url)).toEqual([path]);
  });

  it('leads a person without a session to the login and back', async () => {
    const path = '/temporal/namespaces/latchkey?query=a%26b';
    const answer = await knock(api, { path, headers: NAVIGATION });
    expect(answer.status).toBe(302);
    expect(answer.headers['location']).toBe(
      `/t/demo/staff/login?returnTo=${encodeURIComponent(path)}`,
    );
    expect(reached).toEqual([]);
  });

  it('tells a script without a session that it needs one', async () => {
    const answer = await knock(api, { path: '/temporal/api/v1/settings' });
    expect(answer).toMatchObject({ status: 401, body: { code: 'staff_login_required' } });
    expect(reached).toEqual([]);
  });

  it.each([['agent'], ['supervisor']] as const)(
    'tells a person with the role %s in plain words that it is not for them',
    async (role) => {
      const staff = await createStaff(api, [role]);
      const page = await staff.get('/temporal', { ...atDoor, headers: NAVIGATION });
      expect(page.status).toBe(403);
      expect(page.body).toContain('You may not look in here');
      expect(page.body).toContain(`you are logged in as ${role}`);
      const call = await staff.get('/temporal/api/v1/settings', atDoor);
      expect(call).toMatchObject({ status: 403, body: { code: 'staff_role_missing' } });
      expect(reached).toEqual([]);
    },
  );

  it('is closed to staff of another tenant, whatever their roles', async () => {
    const tenantId = await api.addTenant('other');
    const tenant = { tenantId, slug: 'other' };
    const stranger = await createStaff(api, ['auditor', 'administrator'], { tenant });
    const answer = await stranger.get('/temporal/api/v1/settings', atDoor);
    expect(answer).toMatchObject({ status: 403, body: { code: 'staff_role_missing' } });
    expect(reached).toEqual([]);
  });

  it('does not exist at the public door', async () => {
    const answer = await api.app.inject({ url: '/temporal/api/v1/settings' });
    expect(answer.statusCode).toBe(404);
    expect(reached).toEqual([]);
  });

  it('gets neither our cookie nor anything that identifies a person', async () => {
    await auditor.get('/temporal/api/v1/cluster-info', {
      ...atDoor,
      headers: {
        cookie: `__Host-latchkey-staff=${auditor.token}; _csrf=token-of-the-ui; other=1`,
        authorization: 'Bearer secret',
        'x-user-id': 'cus_1',
        'x-scopes': 'all',
        'x-forwarded-for': '192.0.2.1',
        'x-csrf-token': 'token-of-the-ui',
      },
    });
    const [{ headers } = { headers: {} }] = reached;
    expect(headers).toMatchObject({
      cookie: '_csrf=token-of-the-ui',
      'x-csrf-token': 'token-of-the-ui',
    });
    expect(JSON.stringify(headers)).not.toContain(auditor.token);
    for (const name of ['authorization', 'x-user-id', 'x-scopes', 'x-forwarded-for'])
      expect(headers).not.toHaveProperty(name);
  });

  it('sets no cookie but its own, and runs its own inline script alone', async () => {
    const answer = await auditor.get('/temporal/namespaces', { ...atDoor, headers: NAVIGATION });
    expect(answer.headers['set-cookie']).toEqual(['_csrf=abc; Path=/']);
    expect(answer.headers).not.toHaveProperty('x-powered-by');
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/]+=*';/);
    expect(policy).toContain("frame-ancestors 'self'");
    expect(answer.headers['x-frame-options']).toBe('SAMEORIGIN');
  });

  it('is told to open payloads here and to offer nothing that changes something', async () => {
    const answer = await auditor.get('/temporal/api/v1/settings', atDoor);
    expect(answer.body).toMatchObject({
      Version: '2',
      DisableWriteActions: true,
      BatchActionsDisabled: true,
      Codec: { Endpoint: `${api.operations.url}/t/demo/ops/codec` },
    });
  });

  it('draws Markdown without running anything of it', async () => {
    const answer = await auditor.get('/temporal/render?content=a', {
      ...atDoor,
      headers: NAVIGATION,
    });
    expect(reached.map(({ url }) => url)).toEqual(['/temporal/temporal/render?content=a']);
    expect(answer.headers['content-security-policy']).toMatch(
      /^default-src 'none'; .*sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox$/,
    );
  });

  it('may ask a workflow a question, and nothing else that is posted', async () => {
    const workflow = '/temporal/api/v1/namespaces/latchkey/workflows/session%2Ften%2Fses';
    const query = await auditor.post(
      `${workflow}/query/__temporal_workflow_metadata`,
      { query: { queryType: '__temporal_workflow_metadata' } },
      atDoor,
    );
    expect(query.status).toBe(200);
    const asText = await auditor.post(
      `${workflow}/query/__stack_trace`,
      {},
      { ...atDoor, headers: { 'content-type': 'text/plain;charset=UTF-8' } },
    );
    expect(asText.status).toBe(200);
    expect(reached).toHaveLength(2);
    for (const action of ['terminate', 'cancel', 'signal/revoke', 'reset', 'update/x']) {
      const answer = await auditor.post(`${workflow}/${action}`, {}, atDoor);
      expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    }
    expect(reached).toHaveLength(2);
  });

  it.each(['/temporal/../api/v1/namespaces', '/temporal/%2e%2e/api', '/temporal/..%2fapi'])(
    'is not left by %s',
    async (path) => {
      expect((await auditor.get(path, atDoor)).status).toBe(404);
      expect(reached).toEqual([]);
    },
  );

  it.each(['\\terminate#', '\\signal\\%2fquery%2fx#', '\\x\\..\\terminate#', '?', '#'])(
    'posts nothing that only looks like a question: a workflow id that ends with %s',
    async (trick) => {
      const workflow = `/temporal/api/v1/namespaces/latchkey/workflows/session${trick}`;
      const answer = await auditor.post(`${workflow}/query/x`, { reason: 'mine' }, atDoor);
      expect([404, 405]).toContain(answer.status);
      expect(reached).toEqual([]);
    },
  );

  it.each([
    '/temporal/workflows/..\\..\\api',
    '/temporal/workflows/x\\..\\..\\..\\healthz',
    'http://elsewhere.example/temporal/namespaces',
    '/temporal/%zz',
  ])('is asked for nothing that its address does not say: %s', async (path) => {
    expect([400, 404]).toContain((await auditor.get(path, atDoor)).status);
    expect(reached).toEqual([]);
  });

  // It draws raw HTML and relies on a policy of its own; a link of any page leads there.
  it.each([
    '/temporal/temporal/render',
    '/temporal/%74emporal/render',
    '/temporal//temporal/render',
  ])('runs no script that a link to %s brings along', async (path) => {
    const content = encodeURIComponent('<script>approve();</script>');
    const headers = { ...NAVIGATION, 'sec-fetch-site': 'cross-site' };
    const answer = await auditor.get(`${path}?content=${content}`, { ...atDoor, headers });
    expect(answer.status).toBe(404);
    expect(reached).toEqual([]);
  });

  it('keeps to the policy of what is drawn, at whatever address the UI draws it', async () => {
    const answer = await auditor.get('/temporal/drawn', { ...atDoor, headers: NAVIGATION });
    expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none'; .*sandbox/);
  });

  it('draws nothing that a link of another page brings along', async () => {
    const headers = { ...NAVIGATION, 'sec-fetch-site': 'cross-site' };
    const answer = await auditor.get('/temporal/render?content=a', { ...atDoor, headers });
    expect(answer.status).toBe(404);
    expect(reached).toEqual([]);
  });

  it('is promised no body that does not come: the next request would be read as it', async () => {
    const path = '/temporal/api/v1/cluster-info';
    const headers = { cookie: `__Host-latchkey-staff=${auditor.token}`, 'content-length': '40' };
    const payload = 'GET /temporal/hidden HTTP/1.1\r\nhost: x\r\n';
    for (const _ of [1, 2]) {
      const answer = await knock(api, { path, headers, payload: payload.slice(0, 40) });
      expect(answer.status).toBe(200);
    }
    expect(reached.map(({ url }) => url)).toEqual([path, path]);
    for (const request of reached) expect(request.headers).not.toHaveProperty('content-length');
  });

  it('takes no post of another site', async () => {
    const path = '/temporal/api/v1/namespaces/latchkey/workflows/x/query/y';
    const headers = { origin: 'https://elsewhere.example' };
    expect(await auditor.post(path, {}, { ...atDoor, headers })).toMatchObject({
      status: 403,
      body: { code: 'origin_not_allowed' },
    });
  });

  it('is gone once the session has ended', async () => {
    const leaver = await createStaff(api, ['auditor']);
    await leaver.post('/staff/logout', {});
    expect((await leaver.get('/temporal/api/v1/settings', atDoor)).status).toBe(401);
    expect(reached).toEqual([]);
  });
});

interface Sealed {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
}

const plain = (value: unknown): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});

async function seal(value: unknown, id: string, by = codec): Promise<Sealed> {
  const [payload] = await by.encode([plain(value)], {
    type: 'workflow',
    namespace: NAMESPACE,
    workflowId: id,
  });
  return {
    metadata: Object.fromEntries(
      Object.entries(payload?.metadata ?? {}).map(([name, bytes]) => [
        name,
        Buffer.from(bytes).toString('base64'),
      ]),
    ),
    data: Buffer.from(payload?.data ?? []).toString('base64'),
  };
}

const textOf = ({ data }: Sealed) => Buffer.from(data, 'base64').toString('utf8');

async function decode(staff: Staff, payloads: readonly Sealed[]) {
  const answer = await staff.post('/ops/codec/decode', { payloads });
  // The endpoint's own shape, held by its schema.
  return { ...answer, payloads: (answer.body as { payloads: Sealed[] }).payloads };
}

const readings = (id: string) =>
  api.inTenant(
    (tx) => tx<{ actorId: string; detail: Record<string, unknown> }[]>`
      select actor_id, detail from audit
      where action = 'payloads.decoded' and subject_kind = 'workflow' and subject_id = ${id}
      order by position`,
  );

describe('the codec endpoint', () => {
  it('opens the payloads of a workflow of the tenant, in their order', async () => {
    const id = workflowId('session', api.tenantId, SESSION_ID);
    const { status, payloads } = await decode(auditor, [
      await seal({ id: 'one' }, id),
      await seal({ id: 'two' }, `${id}~1`),
    ]);
    expect(status).toBe(200);
    expect(payloads.map(textOf)).toEqual(['{"id":"one"}', '{"id":"two"}']);
    expect(Buffer.from(payloads[0]?.metadata['encoding'] ?? '', 'base64').toString()).toBe(
      'json/plain',
    );
  });

  it('leaves sealed what belongs to another tenant, is unbound, is not ours or was tampered with', async () => {
    const mine = workflowId('session', api.tenantId, SESSION_ID);
    const theirs = workflowId('session', `ten_${'f'.repeat(32)}`, SESSION_ID);
    const foreign = await seal('theirs', theirs);
    const renamed = {
      ...foreign,
      metadata: { ...foreign.metadata, 'latchkey-workflow': Buffer.from(mine).toString('base64') },
    };
    const otherKey = new PayloadEncryption({
      namespace: NAMESPACE,
      keys: [{ kid: 'other', key: randomBytes(32) }],
    });
    const { 'latchkey-workflow': _, ...unbound } = foreign.metadata;
    const sealed = [
      foreign,
      renamed,
      { ...foreign, metadata: unbound },
      await seal('theirs', mine, otherKey),
      { metadata: { encoding: Buffer.from('json/plain').toString('base64') }, data: 'IjEi' },
    ];
    const { status, payloads } = await decode(auditor, sealed);
    expect(status).toBe(200);
    expect(payloads).toEqual(sealed);
    expect(await readings(theirs)).toEqual([]);
  });

  it('opens nothing for an agent', async () => {
    const answer = await agent.post('/ops/codec/decode', { payloads: [] });
    expect(answer).toMatchObject({ status: 403, body: { code: 'staff_role_missing' } });
  });

  it('writes down who read which workflow, once a minute for a session', async () => {
    const id = workflowId('enrollment', api.tenantId, `cer_${'1'.repeat(32)}`);
    const sealed = await seal('state', id);
    await decode(auditor, [sealed, sealed]);
    await decode(auditor, [sealed]);
    const { staffId, staffSessionId } = auditor;
    expect(await readings(id)).toEqual([
      { actorId: staffId, detail: { staffSessionId, payloads: 2 } },
    ]);
    const second = await createStaff(api, ['administrator']);
    await decode(second, [sealed]);
    expect((await readings(id)).map(({ actorId }) => actorId)).toEqual([staffId, second.staffId]);
    api.clock.advance(61_000);
    await decode(auditor, [sealed]);
    expect(await readings(id)).toHaveLength(3);
  });

  it('takes a thousand payloads and no more', async () => {
    const empty = { metadata: {}, data: '' };
    expect(
      (
        await decode(
          auditor,
          Array.from({ length: 1_000 }, () => empty),
        )
      ).status,
    ).toBe(200);
    const answer = await auditor.post('/ops/codec/decode', {
      payloads: Array.from({ length: 1_001 }, () => empty),
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('has no way to seal anything', async () => {
    expect((await auditor.post('/ops/codec/encode', { payloads: [] })).status).toBe(404);
  });
});
