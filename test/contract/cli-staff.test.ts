/** The staff commands as a person types them, against the API as a real process: the login of RFC 8252 through a real OpenID provider, then the work. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { connectDatabase } from '../../db/connection.ts';
import { DEMO_PEOPLE } from '../../runtime/staff-people.ts';
import {
  cutOffCustomer,
  insertCustomer,
  insertLiveSession,
  insertProvedPhone,
} from '../setup/customer.ts';
import { startStaffDesk } from '../setup/staff/staff-desk-process.ts';
import type { StaffDesk } from '../setup/staff/staff-desk-process.ts';
import { logInAtDirectory } from '../setup/staff/staff-login.ts';

const program = fileURLToPath(new URL('../../cli/latchkey.ts', import.meta.url));
const RIGHTS_OF_OTHERS = 0o077;

/** A supervisor who also has an agent's account: one person. */
const second = {
  ...DEMO_PEOPLE.sione,
  id: 'sione-2',
  name: 'Sione (desk)',
  roles: ['bank-agent'],
};

let desk: StaffDesk;
let sql: postgres.Sql;
/** One folder of settings for each person. */
let home: string;
beforeAll(async () => {
  desk = await startStaffDesk([...Object.values(DEMO_PEOPLE), second]);
  sql = postgres(desk.database.superuserUrl, { max: 1, transform: postgres.toCamel });
  home = await mkdtemp(join(tmpdir(), 'latchkey-staff-'));
});
afterAll(async () => {
  await sql?.end();
  await desk?.close();
  await rm(home, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a command as somebody; `onOutput` sees what it has said so far. */
function run(
  person: string,
  args: readonly string[],
  onOutput: (stdout: string) => void = () => undefined,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        XDG_CONFIG_HOME: join(home, person),
        LATCHKEY_OPERATIONS_URL: desk.url,
      },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      onOutput(stdout);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code: code ?? -1, stdout, stderr });
    });
  });
}

/** What a browser does with the address that the command shows, up to the listener on loopback. */
async function browse(address: string, person: string): Promise<string> {
  const begun = await fetch(address, { redirect: 'manual' });
  const cookie = begun.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const back = await logInAtDirectory(begun.headers.get('location') ?? '', person);
  const done = await fetch(back, { redirect: 'manual', headers: { cookie } });
  return done.headers.get('location') ?? '';
}

async function logIn(person: string): Promise<Outcome> {
  const { promise: address, resolve } = Promise.withResolvers<string>();
  const outcome = run(person, ['staff', 'login'], (stdout) => {
    const shown = /^ {2}(http\S+)$/m.exec(stdout)?.[1];
    if (shown !== undefined) resolve(shown);
  });
  const listener = await browse(await address, person);
  const page = await fetch(listener);
  if (!page.ok) throw new Error(`the listener answered ${String(page.status)}`);
  return await outcome;
}

async function heldCustomer() {
  const { tenantId } = desk;
  const database = connectDatabase({ url: desk.database.applicationUrl, maxConnections: 1 });
  try {
    return await database.tenant(tenantId, async (tx) => {
      const customer = await insertCustomer(tx, tenantId, { deviceName: 'A\u001b[31mphone' });
      await insertProvedPhone(tx, customer);
      const sessionId = await insertLiveSession(tx, customer);
      await cutOffCustomer(tx, customer);
      const [hold] = await tx<{ holdId: string }[]>`
        select hold_id from hold where customer_id = ${customer.customerId}`;
      return { ...customer, sessionId, holdId: hold?.holdId ?? '' };
    });
  } finally {
    await database.close();
  }
}

describe('staff login', () => {
  test('comes back from the provider with a session that only its owner can read, and logout ends it there', async () => {
    const { code, stdout, stderr } = await logIn('aida');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Aida Auditor (E-1003), auditor');
    const file = join(home, 'aida', 'latchkey', 'staff-session.json');
    expect((await stat(file)).mode & RIGHTS_OF_OTHERS).toBe(0);
    const { token } = JSON.parse(await readFile(file, 'utf8')) as { token: string };
    expect(stdout).not.toContain(token);
    expect((await run('aida', ['staff', 'whoami'])).stdout).toContain('Aida Auditor');
    expect((await run('aida', ['staff', 'logout'])).stdout).toBe('Logged out.\n');
    const late = await fetch(`${desk.url}/t/demo/staff/me`, {
      headers: { cookie: `__Host-latchkey-staff=${token}` },
    });
    expect(late.status).toBe(401);
    expect(await run('aida', ['staff', 'whoami'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('latchkey staff login'),
    });
  });

  test('is not ended by a code of somebody else’s at another path, and refuses one that is not ours', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const outcome = run('eve', ['staff', 'login'], (stdout) => {
      const shown = /^ {2}(http\S+)$/m.exec(stdout)?.[1];
      if (shown !== undefined) resolve(shown);
    });
    const listener = new URL(new URL(await promise).searchParams.get('cli') ?? '');
    const elsewhere = await fetch(`${listener.origin}/?code=x`);
    expect(elsewhere.status).toBe(404);
    // Any page can ask for that, port by port.
    expect((await fetch(`${listener.origin}//[`)).status).toBe(404);
    await fetch(`${listener.href}?code=made-up`);
    expect(await outcome).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('staff_login_failed'),
    });
  });

  test.each([
    [['--url', 'http://bank.example'], 'must be https'],
    [['--url', 'nowhere'], 'no address'],
    [['--tenant', '../x'], 'the name of none'],
  ])('with %j is refused before anything is sent', async (options, reason) => {
    const outcome = await run('eve', ['staff', 'login', ...options]);
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining(reason) });
  });
});

describe('the work of staff', () => {
  beforeAll(async () => {
    for (const person of ['ana', 'sione', 'sione-2', 'amir']) {
      const { code, stderr } = await logIn(person);
      if (code !== 0) throw new Error(stderr);
    }
  });

  test('a hold is listed, its release asked for by one and approved by another, each under their own name', async () => {
    const { holdId, customerId } = await heldCustomer();
    expect((await run('ana', ['holds', 'list'])).stdout).toContain(`${holdId}  `);
    const asked = await run('ana', ['holds', 'release', holdId, '--reason', 'customer_verified']);
    expect([asked.code, asked.stderr]).toEqual([0, '']);
    const approvalId = /holds approve (apr_\w+)/.exec(asked.stdout)?.[1] ?? '';
    expect(await run('ana', ['holds', 'approve', approvalId])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('staff_role_missing'),
    });
    expect((await run('sione', ['holds', 'approvals'])).stdout).toMatch(
      new RegExp(`^${approvalId}  pending  ${holdId}  customer_verified  Ana Agent`, 'm'),
    );
    expect((await run('sione', ['holds', 'approve', approvalId])).stdout).toContain(
      `Released ${holdId}: devices back 1, passkeys back 1.`,
    );
    const audit = await sql`
      select name, action from audit join staff on staff.staff_id = audit.actor_id
      where customer_id = ${customerId} and actor_kind = 'staff' order by position`;
    expect(audit.map((row) => `${row['name']}: ${row['action']}`)).toEqual([
      'Ana Agent: staff.release_requested',
      'Sione Supervisor: fraud.released',
      'Sione Supervisor: staff.release_approved',
    ]);
  });

  test('one person under two accounts is one person', async () => {
    const { holdId } = await heldCustomer();
    const asked = await run('sione-2', ['holds', 'release', holdId, '--reason', 'false_alarm']);
    const approvalId = /holds approve (apr_\w+)/.exec(asked.stdout)?.[1] ?? '';
    expect(await run('sione', ['holds', 'approve', approvalId])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('four_eyes_required'),
    });
    expect((await run('sione', ['holds', 'decline', approvalId])).stdout).toBe(
      `Declined. ${holdId} stays.\n`,
    );
  });

  test('a login that is too old must be renewed before an approval', async () => {
    const { holdId } = await heldCustomer();
    const asked = await run('ana', ['holds', 'release', holdId, '--reason', 'false_alarm']);
    const approvalId = /holds approve (apr_\w+)/.exec(asked.stdout)?.[1] ?? '';
    await sql`update staff_session set auth_time = auth_time - interval '6 minutes'
      where staff_id = (select staff_id from staff where name = 'Sione Supervisor')`;
    expect(await run('sione', ['holds', 'approve', approvalId])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('latchkey staff login'),
    });
    expect((await logIn('sione')).code).toBe(0);
    expect((await run('sione', ['holds', 'approve', approvalId])).code).toBe(0);
  });

  test('sessions are listed, one ended with its reason; a device’s name writes no escapes on the terminal', async () => {
    const { customerId, sessionId } = await heldCustomer();
    const listed = await run('ana', ['sessions', 'list', customerId]);
    expect(listed.stdout).toMatch(
      new RegExp(`^${sessionId}  customer_on_hold  .*A \\[31mphone\n$`),
    );
    const end = ['sessions', 'end', sessionId];
    expect((await run('ana', end)).stderr).toContain('--reason customer_request');
    const ended = await run('ana', [...end, '--reason', 'customer_request']);
    expect(ended.stdout).toMatch(new RegExp(`^${sessionId} ended at \\S+Z: ended_by_staff\\.\n$`));
    expect((await run('ana', ['sessions', 'list', customerId])).stdout).toBe(
      'No session that has not been ended.\n',
    );
    expect(await run('amir', ['sessions', 'list', customerId])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('staff_role_missing'),
    });
  });

  test('dead letters are listed over more than a page and delivered again', async () => {
    const parked = Array.from({ length: 101 }, () => newId('outbox'));
    await sql`insert into outbox (tenant_id, outbox_id, topic, subject, payload, status, attempts, error_code)
      select ${desk.tenantId}, id, 'event', 'cus_1', '{"type":"t","data":{}}', 'dead', 9, 'vendor_refused'
      from unnest(${parked}::text[]) as id`;
    const listed = await run('amir', ['dead-letters', 'list']);
    expect(listed.stdout.trim().split('\n')).toHaveLength(101);
    const [one = ''] = parked;
    expect(await run('amir', ['dead-letters', 'retry', one, newId('outbox')])).toMatchObject({
      code: 1,
      stdout: `${one} is due again.\n`,
      stderr: expect.stringContaining('is not among what is parked'),
    });
    const [row] = await sql`select status from outbox where outbox_id = ${one}`;
    expect(row).toEqual({ status: 'pending' });
  });

  test.each([
    [['staff'], 'staff knows three things'],
    [['holds', 'release'], 'holds knows'],
    [['holds', 'release', 'hld_1'], '--reason false_alarm'],
    [['holds', 'release', 'hld_1', '--reason', 'because'], '--reason false_alarm'],
    [['sessions', 'end', 'ses_1', '--reason', 'because'], '--reason customer_request'],
    [['sessions', 'end'], 'sessions knows two things'],
    [['dead-letters', 'retry'], 'dead-letters knows two things'],
  ])('%j is refused with what is meant', async (args, reason) => {
    expect(await run('ana', args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(reason),
    });
  });
});
