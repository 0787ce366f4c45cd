/** Every cell of the access matrix, asked for real: each operation by each kind of caller. The expected cells are a file that a person reads. */
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS, accessOf } from '../../api/access.ts';
import type { AccessRow } from '../../api/access.ts';
import { requireAccessRows } from '../../api/frame/frame.ts';
import { STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { ID_PREFIXES } from '../../domain/ids.ts';
import { STAFF_ROLES } from '../../domain/staff.ts';
import type { StaffRole } from '../../domain/staff.ts';
import { DEMO_IDENTITY_SECRET, DEMO_LIVENESS_SECRET } from '../../runtime/demo-secrets.ts';
import { startTestApi } from '../setup/api.ts';
import { createCaller, createEnrolledPhone } from '../setup/callers.ts';
import { createMachine } from '../setup/machine.ts';
import { makeProof } from '../setup/proof.ts';
import { createStaff, knock } from '../setup/staff.ts';
import type { TestApi } from '../setup/api.ts';
import type { Caller } from '../setup/callers.ts';

/** Operations × columns: `in`, or the refusal. */
// The file's shape is this test's own.
const expected = JSON.parse(
  readFileSync(new URL('access-expected.json', import.meta.url), 'utf8'),
) as Record<string, Record<string, string>>;

/** Parameters that name one. */
const CEREMONIES: ReadonlySet<string | undefined> = new Set(['enrollment', 'stepUp', 'recovery']);

/** Reached by their own addresses, not by a tenant's, and held by other tests (pages, operations). */
const WITHOUT_CELLS = new Set(['docs', 'pages', 'operationsPages', 'temporalUi']);

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'] as const;

interface Operation {
  readonly operationId: string;
  readonly method: (typeof METHODS)[number];
  readonly path: string;
}

let api: TestApi;
let operations: readonly Operation[];
type Columns = Readonly<Record<string, (operation: Operation) => Promise<string>>>;
let callers: Columns;
let staff: Columns;
/** A cookie means nothing at the public door: staff have columns at their own. */
const callersOf = (operation: Operation): Columns =>
  isAtOperations(operation) ? { ...callers, ...staff } : callers;
beforeAll(async () => {
  api = await startTestApi();
  operations = listOperations();
  const stranger = await createCaller(api);
  const scopes = ['openid', 'accounts:read', 'profile:write'];
  const phone = await createEnrolledPhone(api, { scopes });
  const machine = await createMachine(api);
  const bank = await createMachine(api, { client: 'demo-bank' });
  const payments = await createMachine(api, { client: 'demo-payments' });
  const banks = new Set(String(decodeJwt(bank.accessToken ?? '')['scope']).split(' '));
  /** Of the demo's machines the one that has the scope. */
  const machineFor = (operation: Operation) => {
    const { scope = '', scopeFamily } = accessOf(operation.operationId) ?? {};
    if (scopeFamily !== undefined) return payments;
    return banks.has(scope) ? bank : machine;
  };
  const narrowed = { ...(await createMachine(api, { scope: 'timeline:read' })) };
  callers = {
    nobody: (operation) => ask(operation, {}),
    vendor: (operation) => ask(operation, vendorSignature(operation)),
    key: async (operation) => ask(operation, await credentials(stranger, operation)),
    customer: async (operation) => ask(operation, await credentials(phone, operation)),
    machine: async (operation) =>
      ask(operation, await credentials(machineFor(operation), operation)),
    'machine with timeline:read alone': async (operation) =>
      ask(operation, await credentials(narrowed, operation)),
  };
  staff = {
    agent: async (operation) => ask(operation, await staffCookie(['agent'])),
    supervisor: async (operation) => ask(operation, await staffCookie(['supervisor'])),
    auditor: async (operation) => ask(operation, await staffCookie(['auditor'])),
    administrator: async (operation) => ask(operation, await staffCookie(['administrator'])),
    'all roles, logged in six minutes ago': async (operation) =>
      ask(operation, await staffCookie(STAFF_ROLES, 6 * 60_000)),
  };
});
afterAll(async () => {
  await api.close();
});

describe('the access matrix', () => {
  it('gives every cell the answer that the file says', async () => {
    const cells: Record<string, Record<string, string>> = {};
    for (const operation of operations) {
      const row: Record<string, string> = {};
      for (const [name, call] of Object.entries(callersOf(operation)))
        row[name] = await call(operation);
      cells[operation.operationId] = row;
    }
    expect(cells).toEqual(expected);
  });

  it('has no row without an operation and no operation without a row', () => {
    const named = operations.map(({ operationId }) => operationId);
    expect(new Set(named).size).toBe(named.length);
    expect(named.toSorted()).toEqual(
      Object.keys(ACCESS)
        .filter((name) => !WITHOUT_CELLS.has(name))
        .toSorted(),
    );
  });

  it('has each operation at its own door alone, whatever is shown there', async () => {
    const isAtBoth = ({ operationId }: Operation) => accessOf(operationId)?.door === 'both';
    for (const operation of operations) {
      const other = isAtOperations(operation) ? 'public' : 'operations';
      const isReading = operation.method === 'GET';
      const shown = {
        ...(await staffCookie(STAFF_ROLES)),
        ...(isReading ? {} : { origin: api.operations.url, 'content-type': 'application/json' }),
      };
      const request = {
        path: operation.path,
        headers: shown,
        ...(isReading ? {} : { payload: '{}' }),
      };
      const { code } = await send(operation, request, other);
      expect({ [operation.operationId]: code }).toEqual({
        [operation.operationId]: isAtBoth(operation) ? undefined : 'not_found',
      });
    }
  });

  it('names for staff the operations door and at least one role', () => {
    const rows = Object.values<AccessRow>(ACCESS).filter(({ caller }) => caller === 'staff');
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows)
      expect(row).toMatchObject({
        door: 'operations',
        roles: expect.arrayContaining([expect.any(String)]),
      });
  });

  it('fails the boot for a route that is missing from it', () => {
    const app = Fastify();
    requireAccessRows(app as unknown as TestApi['app']);
    expect(() => app.get('/forgotten', () => 'open to all')).toThrow('no row in the access matrix');
    expect(() =>
      app.post('/also', { config: { operationId: 'noSuchRow' as 'me' } }, () => 'x'),
    ).toThrow('no row in the access matrix');
  });
});

function listOperations(): Operation[] {
  // The document lists every route with its operationId.
  const { paths } = api.app.swagger() as unknown as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({
      operationId,
      method: METHODS.find((known) => known.toLowerCase() === method) ?? 'POST',
      path: path
        .replace('{tenant}', api.slug)
        .replaceAll(/\{(\w+)Id\}/g, (_, kind: string) => nobodysId(kind)),
    })),
  );
}

/** Of a kind of row, of the right form. */
function nobodysId(kind: string): string {
  const idKind = CEREMONIES.has(kind) ? 'ceremony' : kind;
  const prefix = Object.entries(ID_PREFIXES).find(([name]) => name === idKind)?.[1];
  if (prefix === undefined) throw new TypeError(`no ids of ${kind}`);
  return `${prefix}_${'0'.repeat(32)}`;
}

/** Somebody new each time: a logout ends who called it. */
async function staffCookie(roles: readonly StaffRole[], loggedInMsAgo = 0) {
  const { token } = await createStaff(api, roles, { loggedInMsAgo });
  return { cookie: `${STAFF_COOKIE}=${token}` };
}

async function credentials(caller: Caller, operation: Operation): Promise<Record<string, string>> {
  const { headers } = await api.app.inject({ url: '/livez' });
  const { accessToken } = caller;
  const dpop = await makeProof({
    key: caller.key,
    method: operation.method,
    htu: `${api.publicUrl}${operation.path}`,
    nowMs: api.clock.nowMs(),
    nonce: String(headers['dpop-nonce']),
    accessToken,
  });
  return { dpop, ...(accessToken === undefined ? {} : { authorization: `DPoP ${accessToken}` }) };
}

const BODY = '{}';

/** Each vendor has a secret of its own. */
function vendorSignature({ operationId }: Operation): Record<string, string> {
  const secret = operationId === 'livenessResult' ? DEMO_LIVENESS_SECRET : DEMO_IDENTITY_SECRET;
  const seconds = Math.floor(api.clock.nowMs() / 1000);
  const mac = createHmac('sha256', secret)
    .update(`${String(seconds)}.${BODY}`)
    .digest('hex');
  return { 'latchkey-signature': `t=${String(seconds)},v1=${mac}` };
}

/** `in` when the caller was let through, whatever became of the empty request then. */
async function ask(operation: Operation, headers: Record<string, string>): Promise<string> {
  const isForm = operation.path.includes('/oauth/');
  // A stream would not end: what is let in fails on its query instead.
  const isStream = ['timeline', 'cutOffFeed', 'appStream'].includes(operation.operationId);
  const url = isStream ? `${operation.path}?after=x` : operation.path;
  const answer = await send(operation, {
    path: url,
    headers: {
      ...headers,
      ...(operation.method === 'GET'
        ? {}
        : {
            origin: isAtOperations(operation) ? api.operations.url : 'http://localhost:4600',
            'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
            'idempotency-key': randomBytes(8).toString('hex'),
          }),
    },
    ...(operation.method === 'GET' ? {} : { payload: isForm ? 'grant_type=none' : BODY }),
  });
  const { code } = answer;
  const isRefused =
    [401, 403].includes(answer.status) ||
    code === 'caller_not_allowed' ||
    code?.startsWith('dpop_') === true;
  return isRefused ? `${String(answer.status)} ${String(code)}` : 'in';
}

function isAtOperations({ operationId }: Operation): boolean {
  return accessOf(operationId)?.door === 'operations';
}

interface Sent {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: string;
}

/** Through the door that the operation is at, or the other one. */
async function send(
  operation: Operation,
  request: Sent,
  door = isAtOperations(operation) ? 'operations' : 'public',
): Promise<{ readonly status: number; readonly code: string | undefined }> {
  const { method } = operation;
  if (door === 'operations') {
    const { status, body } = await knock(api, { method, ...request });
    return { status, code: readCode(body) };
  }
  const { path: url, headers = {}, payload } = request;
  const answer = await api.app.inject({
    method,
    url,
    headers,
    ...(payload === undefined ? {} : { payload }),
  });
  const isJson = answer.headers['content-type']?.toString().includes('json') === true;
  return { status: answer.statusCode, code: isJson ? readCode(answer.json()) : undefined };
}

function readCode(body: { readonly code?: unknown } | null): string | undefined {
  return typeof body?.code === 'string' ? body.code : undefined;
}
