/**
 * A member of staff at the operations door of a whole stack: logged in at the demo's directory as a browser would, with the cookie that the door gave.
 */
import { randomUUID } from 'node:crypto';
import type { DemoPersonId } from '../../../runtime/staff-people.ts';
import { logInAtDirectory } from './staff-login.ts';
import type { TestStack } from '../stack.ts';

export interface StaffAtDoor {
  /** `name=value`, as it is sent. */
  readonly cookie: string;
  get(path: string): Promise<Response>;
  /** Below the tenant, as JSON of the door's own page. */
  post(path: string, body: unknown): Promise<Response>;
}

const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' };

export async function logInAtDoor(
  { operationsUrl }: Pick<TestStack, 'operationsUrl'>,
  person: DemoPersonId,
): Promise<StaffAtDoor> {
  const base = `${operationsUrl}/t/demo`;
  const open = (url: string, cookie = '') =>
    fetch(url, { redirect: 'manual', headers: { ...NAVIGATION, cookie } });
  const begun = await open(`${base}/staff/login`);
  const wayBack = await logInAtDirectory(begun.headers.get('location') ?? '', person);
  const done = await open(wayBack, cookieOf(begun));
  const cookie = cookieOf(done);
  if (done.status !== 303 || cookie === '') throw new Error(`no login: ${String(done.status)}`);
  return {
    cookie,
    get: (path) => fetch(`${base}${path}`, { redirect: 'manual', headers: { cookie } }),
    post: (path, body) =>
      fetch(`${base}${path}`, {
        method: 'POST',
        headers: {
          cookie,
          origin: operationsUrl,
          'content-type': 'application/json',
          'idempotency-key': randomUUID(),
        },
        body: JSON.stringify(body),
      }),
  };
}

/** Those that are set, without those that are cleared. */
function cookieOf(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .filter((line) => !line.includes('Max-Age=0'))
    .map((line) => line.split(';')[0] ?? '')
    .join('; ');
}
