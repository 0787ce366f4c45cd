/**
 * `latchkey staff`: logging in at the operations door through a browser, who one is there, and logging out. The session is for the commands
 * `holds`, `sessions` and `dead-letters`; each of them is audited under the person's own name.
 */
import { parseArgs } from 'node:util';
import { startLoopbackLogin } from './loopback-login.ts';
import { askDoor, staffClient, StaffRefusal } from './staff-client.ts';
import { forgetStaffSession, keepStaffSession } from './staff-session-file.ts';
import { say, UsageError } from './terminal.ts';

/** Of `npm start`. */
const DEMO_DOOR = 'http://localhost:4603';
const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])$/;

export async function staff(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { url: { type: 'string' }, tenant: { type: 'string' } },
  });
  const [action, ...rest] = positionals;
  if (rest.length === 0) {
    if (action === 'login') return await logIn(doorOf(values.url, values.tenant));
    if (action === 'whoami') return await whoAmI();
    if (action === 'logout') return await logOut();
  }
  throw new UsageError('staff knows three things: staff login, staff whoami and staff logout');
}

interface Door {
  readonly url: string;
  readonly tenant: string;
}

function doorOf(url: string | undefined, tenant = 'demo'): Door {
  const given = url ?? process.env['LATCHKEY_OPERATIONS_URL'] ?? DEMO_DOOR;
  if (!URL.canParse(given)) throw new UsageError('--url is no address');
  const { protocol, hostname, origin } = new URL(given);
  // The session would cross the network in clear.
  if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.test(hostname)))
    throw new UsageError('--url must be https, but for this machine itself');
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(tenant)) throw new UsageError('--tenant is the name of none');
  return { url: origin, tenant };
}

async function logIn(door: Door): Promise<number> {
  const login = await startLoopbackLogin(door);
  try {
    say(`Open this address in a browser of this machine and log in:\n  ${login.address}`);
    const body = { code: await login.code(), verifier: login.verifier };
    const made = await askDoor(door, { method: 'POST', path: '/staff/cli-sessions', body });
    const { token, expiresAt } = made;
    if (typeof token !== 'string' || typeof expiresAt !== 'string')
      throw new TypeError('the answer is a session');
    await keepStaffSession(process.env, { ...door, token, expiresAt });
  } finally {
    login.close();
  }
  return await whoAmI();
}

async function whoAmI(): Promise<number> {
  const client = await staffClient(process.env);
  const { name, employeeId, roles } = await client.get('/staff/me');
  const { url, tenant, expiresAt } = client.session;
  say(
    `${String(name)} (${String(employeeId)}), ${Array.isArray(roles) ? roles.join(', ') : 'no role'}`,
  );
  say(`${tenant} at ${url}, until ${expiresAt} at the latest`);
  return 0;
}

/** The session ends over there first: a file that is gone ends nothing. */
async function logOut(): Promise<number> {
  const client = await staffClient(process.env);
  try {
    await client.post('/staff/logout', {});
  } catch (error) {
    const isOver = error instanceof StaffRefusal && error.code === 'staff_login_required';
    if (!isOver) throw error;
  }
  await forgetStaffSession(process.env);
  say('Logged out.');
  return 0;
}
