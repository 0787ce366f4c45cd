/**
 * Staff who speak to a test API as browsers and terminals do: through the operations door's own socket, with the session's cookie and the
 * door's Origin. Their session is written by the store that a real login uses; the login itself is test/api/staff-login.test.ts's.
 */
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { newStaffToken, staffTokenHash } from '../../api/staff/tokens.ts';
import { newId } from '../../adapters/random.ts';
import { recordStaffLogin } from '../../db/staff.ts';
import type { StaffRole } from '../../domain/staff.ts';
import type { TestApi } from './api.ts';
import type { Answer, CallOptions } from './callers.ts';

export interface Knock {
  readonly method?: string;
  /** With the prefix. */
  readonly path: string;
  /** A list sends the header that often. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly payload?: string;
}

/** One request at the operations door, exactly as given; redirects are answers. */
export async function knock(api: TestApi, call: Knock): Promise<Answer> {
  const { method = 'GET', path, payload } = call;
  // Node frames the body of a DELETE only when told its length.
  const length = payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) };
  const headers = { ...call.headers, ...length };
  return await new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: api.operations.port, method, path, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: parse(text),
          });
        });
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}

export interface Staff {
  readonly staffId: string;
  readonly staffSessionId: string;
  readonly employeeId: string;
  /** What the cookie holds; a command line sends the same. */
  readonly token: string;
  get(path: string, options?: CallOptions): Promise<Answer>;
  post(path: string, body: unknown, options?: CallOptions): Promise<Answer>;
}

export interface StaffOptions {
  /** How long ago they proved themselves; default: now, so that `recentLogin` holds. */
  readonly loggedInMsAgo?: number;
  readonly name?: string;
  /** Two accounts of one person have one. */
  readonly employeeId?: string;
  /** Default: the API's own. */
  readonly tenant?: { readonly tenantId: string; readonly slug: string };
}

/** A logged-in member of the staff with these roles. */
export async function createStaff(
  api: TestApi,
  roles: readonly StaffRole[],
  options: StaffOptions = {},
): Promise<Staff> {
  const { tenantId, slug } = options.tenant ?? api;
  const token = newStaffToken(tenantId);
  const staffSessionId = newId('staffSession');
  const employeeId = options.employeeId ?? `E${randomBytes(4).toString('hex')}`;
  const begun = await api.database.tenant(tenantId, (tx) =>
    recordStaffLogin(tx, {
      tenantId,
      staffId: newId('staff'),
      staffSessionId,
      identity: {
        issuer: api.deps.configuration.staff?.[slug]?.issuer ?? 'http://idp.test',
        subject: randomBytes(8).toString('hex'),
        employeeId,
        name: options.name ?? 'Sam Staff',
        roles,
      },
      kind: 'browser',
      tokenHash: staffTokenHash(token),
      authTimeMs: api.clock.nowMs() - (options.loggedInMsAgo ?? 0),
      acr: undefined,
    }),
  );
  if (begun === undefined) throw new Error('staff without a role have no session');
  return {
    staffId: begun.staffId,
    staffSessionId,
    employeeId,
    token,
    get: (path, { headers = {}, prefix = `/t/${slug}` } = {}) =>
      knock(api, {
        path: `${prefix}${path}`,
        headers: { cookie: `${STAFF_COOKIE}=${token}`, ...headers },
      }),
    post: (path, body, { headers = {}, prefix = `/t/${slug}`, idempotencyKey } = {}) =>
      knock(api, {
        method: 'POST',
        path: `${prefix}${path}`,
        headers: {
          cookie: `${STAFF_COOKIE}=${token}`,
          origin: api.operations.url,
          'content-type': 'application/json',
          'idempotency-key': idempotencyKey ?? randomBytes(12).toString('hex'),
          ...headers,
        },
        payload: JSON.stringify(body),
      }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
