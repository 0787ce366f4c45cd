/**
 * Recoveries in the console of staff, in real browsers against the real stack: opened with the caller on the line, two agents at one case, evidence, an
 * edit that voids an approval, two people who approve, a case that is held. By keyboard too, and photographed at both sizes, light and dark.
 */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { newStaffToken, staffTokenHash } from '../../api/staff/tokens.ts';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import { connectDatabase } from '../../db/connection.ts';
import type { Database } from '../../db/connection.ts';
import { recordStaffLogin } from '../../db/staff.ts';
import type { StaffRole } from '../../domain/staff.ts';
import type { DemoPersonId } from '../../runtime/staff-people.ts';
import { fraudEngine } from '../setup/faults.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { enrollPhone } from '../setup/software-phone.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { StaffMember } from './operations-driver.ts';
import { NARROW, WIDE } from './stage-driver.ts';

const PATIENCE = { timeout: 30_000 };

let stack: TestStack;
let browser: Browser;
let rows: postgres.Sql;
let database: Database;
let customerId: string;
let people: StaffMember[] = [];

beforeAll(async () => {
  if ((await stateOfPages()) !== 'current') await buildPages();
  [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
  rows = postgres(stack.database.superuserUrl, { max: 1 });
  database = connectDatabase({ url: stack.database.applicationUrl });
});

afterAll(async () => {
  await browser?.close();
  await rows?.end();
  await database?.close();
  await stack?.stop();
});

afterEach(async () => {
  const complaints = people.flatMap((person) => person.complaints);
  for (const person of people) await person.close();
  people = [];
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
});

/** A customer nothing of whom is young, so that one contact is enough. */
async function anotherCustomer(): Promise<void> {
  ({ customerId } = await enrollPhone(stack));
  await rows`update contact set created_at = created_at - interval '90 days', proved_at = proved_at - interval '90 days'
    where customer_id = ${customerId}`;
  await rows`update device set created_at = created_at - interval '90 days', trusted_at = trusted_at - interval '90 days'
    where customer_id = ${customerId}`;
}

async function at(person: DemoPersonId, path: string, size: typeof WIDE = WIDE) {
  const staff = await StaffMember.open(browser, stack.operationsUrl, size);
  people.push(staff);
  await staff.logIn(person);
  await staff.goTo(path);
  return staff;
}

/** Somebody whom the demo's directory does not have: the cookie of a session that the store has begun. */
async function colleague(name: string, role: StaffRole, path: string, size: typeof WIDE = WIDE) {
  const [known] = await rows<{ tenantId: string; issuer: string }[]>`
    select tenant_id as "tenantId", issuer from staff limit 1`;
  if (known === undefined) throw new Error('somebody has logged in before');
  const { tenantId, issuer } = known;
  const token = newStaffToken(tenantId);
  const employeeId = `E-${randomBytes(4).toString('hex')}`;
  await database.tenant(tenantId, (tx) =>
    recordStaffLogin(tx, {
      tenantId,
      staffId: newId('staff'),
      staffSessionId: newId('staffSession'),
      identity: { issuer, subject: employeeId, employeeId, name, roles: [role] },
      kind: 'browser',
      tokenHash: staffTokenHash(token),
      authTimeMs: Date.now(),
      acr: undefined,
    }),
  );
  const staff = await StaffMember.open(browser, stack.operationsUrl, size);
  people.push(staff);
  // As the door sets it: of this host alone, which no address of a domain could say.
  const session = await staff.context.newCDPSession(staff.page);
  await session.send('Network.setCookie', {
    name: STAFF_COOKIE,
    value: token,
    url: stack.operationsUrl.replace('http:', 'https:'),
    path: '/',
    secure: true,
    httpOnly: true,
    sameSite: 'Lax',
  });
  await staff.goTo(path);
  return staff;
}

const button = (staff: StaffMember, name: string) =>
  staff.page.getByRole('button', { name, exact: true });
const inDialog = (staff: StaffMember, name: string) =>
  staff.page.locator('.dialog').getByRole('button', { name, exact: true });

/** Asked, picked, sent. */
async function does(staff: StaffMember, act: string, reason: string, reference?: string) {
  await button(staff, act).click();
  await staff.page.locator('.dialog').getByText(reason).click();
  if (reference !== undefined) await staff.page.getByLabel('Reference').fill(reference);
  await inDialog(staff, act).click();
}

async function openCase(): Promise<string> {
  const [row] = await rows<{ ceremonyId: string }[]>`
    select ceremony_id as "ceremonyId" from ceremony where customer_id = ${customerId} and kind = 'recovery' and outcome is null`;
  if (row === undefined) throw new Error('no case is open');
  return row.ceremonyId;
}

/** By Ana on the customer's page, until the workflow has followed. Answers the case's address. */
async function opened(ana: StaffMember, report = 'The phone is broken'): Promise<string> {
  await ana.goTo(`/customers/${customerId}`);
  await button(ana, 'Open a recovery').click();
  await ana.page.locator('.dialog').getByText(report).click();
  await ana.page.getByLabel('Call', { exact: true }).fill('switch-4711');
  await inDialog(ana, 'Open a recovery').click();
  await ana.sees('The case is open.');
  await ana.sees('A recovery is open');
  const recoveryId = await openCase();
  // The new phone joins: what its own page does stands in another test.
  await rows`update recovery set client_id = 'demo-app', jkt = ${randomBytes(32).toString('base64url')}
    where recovery_id = ${recoveryId}`;
  return `/recoveries/${recoveryId}`;
}

describe('a recovery with the caller on the line', () => {
  it('is opened by an agent, seen by a colleague at once, and one of two has it', async () => {
    await anotherCustomer();
    const ana = await at('ana', '/recoveries');
    await ana.sees('No recovery is open.');
    await ana.shoot('recovery-queue-empty');
    expect(await ana.seriousFindings()).toEqual([]);
    const path = await opened(ana);
    await ana.goTo(path);
    await ana.sees('waits for the person');
    const mere = await colleague('Mere Agent', 'agent', path);
    await mere.sees('Call back');
    await button(ana, 'Take it').click();
    await mere.page.getByRole('button', { name: 'Take it', exact: true }).click();
    await inDialog(ana, 'Take it').click();
    await ana.sees('It is yours.');
    await mere.sees('That is possible no more. A colleague has it.');
    expect(await inDialog(mere, 'Take it').isDisabled()).toBe(true);
    await mere.shoot('recovery-taken-while-open');
    expect(await mere.seriousFindings()).toEqual([]);
    await button(mere, 'Leave it').click();
    await mere.sees('Ana Agent works on this case.');
    await mere.shoot('recovery-taken');
  });

  it('goes by evidence to two people; an edit voids the approval that was there', async () => {
    await anotherCustomer();
    const ana = await at('ana', '/recoveries');
    const path = await opened(ana);
    await ana.goTo(path);
    await ana.sees('waits for the person');
    await does(ana, 'Record evidence', 'Seen in a branch', 'branch-12');
    await ana.sees('to be reviewed');
    await ana.sees('Needs a second person: you prepared this.');
    await ana.shoot('recovery-case-agent');
    expect(await ana.seriousFindings()).toEqual([]);
    const mere = await colleague('Mere Agent', 'agent', path);
    await button(mere, 'Approve').click();
    await mere.sees('You are the first of two');
    await mere.shoot('recovery-approve');
    expect(await mere.seriousFindings()).toEqual([]);
    await mere.page.locator('.dialog').getByText('The evidence fits together').click();
    await inDialog(mere, 'Approve').click();
    await mere.sees('You have approved it: it waits for somebody else.');
    const sione = await at('sione', '/approvals');
    await sione.sees('Recovery: phone broken');
    await sione.shoot('recovery-second-person');
    await sione.goTo(path);
    await sione.sees('1 of 2');
    await button(sione, 'Approve').click();
    await does(ana, 'Record evidence', 'Documents', 'archive-5');
    await sione.sees('The case has changed since you opened this.');
    await sione.shoot('recovery-edited');
    await button(sione, 'Leave it').click();
    await sione.sees('0 of 2');
    await does(sione, 'Approve', 'The evidence fits together');
    await sione.sees('1 of 2');
    await does(mere, 'Approve', 'The evidence fits together');
    await sione.sees('the owner may object');
    await sione.shoot('recovery-cooling');
    await does(sione, 'Refuse', 'The customer objects');
    await sione.sees('Refused by the bank.');
    await sione.shoot('recovery-refused');
    expect(await sione.seriousFindings()).toEqual([]);
  });
});

describe('the queue', () => {
  it('is worked by keyboard alone, with filters that stay in the address', async () => {
    await anotherCustomer();
    const ana = await at('ana', '/recoveries');
    const path = await opened(ana);
    await ana.goTo('/recoveries');
    const { keyboard } = ana.page;
    await ana.page.locator('a.row-link').first().waitFor();
    await ana.shoot('recovery-queue');
    expect(await ana.seriousFindings()).toEqual([]);
    await button(ana, 'Waiting for the person').press('Enter');
    await expect.poll(() => new URL(ana.page.url()).search).toBe('?state=identity');
    await ana.page.reload();
    await expect
      .poll(() => button(ana, 'Waiting for the person').getAttribute('aria-pressed'), PATIENCE)
      .toBe('true');
    const row = ana.page.locator(`a.row-link[href="${path}"]`);
    await row.waitFor();
    for (let moves = 0; moves < 20; moves += 1) {
      await keyboard.press('j');
      if (await row.evaluate((link) => link === document.activeElement)) break;
    }
    await keyboard.press('Enter');
    await ana.sees('Proofs');
    expect(new URL(ana.page.url()).pathname).toBe(path);
    await button(ana, 'Take it').press('Enter');
    await inDialog(ana, 'Take it').press('Enter');
    await ana.sees('It is yours.');
    await ana.goTo('/recoveries?state=held&mine=yes');
    await ana.sees('No open case is like that.');
    await ana.shoot('recovery-queue-nothing');
    await button(ana, 'Show all open cases').press('Enter');
    await row.waitFor();
  });

  it('is read by an auditor on a small screen, and a case with nothing to do', async () => {
    const aida = await at('aida', '/recoveries', NARROW);
    await aida.page.locator('a.row-link').first().click();
    await aida.sees('You may read this case.');
    await aida.shoot('recovery-case-auditor');
    expect(await aida.seriousFindings()).toEqual([]);
    const [record] = await Promise.all([
      aida.page.waitForEvent('download'),
      aida.page.getByRole('link', { name: 'Get the signed record' }).click(),
    ]);
    expect(record.suggestedFilename()).toMatch(/^cer_[0-9a-f]{32}\.json$/);
    await aida.goTo('/recoveries');
    await aida.page.locator('a.row-link').first().waitFor();
    await aida.shoot('recovery-queue');
    const amir = await at('amir', '/recoveries');
    await amir.sees('For agents, supervisors and auditors.');
  });
});

describe('a case that stands still', () => {
  it('says that it is held, that the vendor is silent, and that the line is lost', async () => {
    await anotherCustomer();
    const ana = await at('ana', '/recoveries');
    const path = await opened(ana);
    const recoveryId = path.slice('/recoveries/'.length);
    await rows`insert into step_attempt (tenant_id, attempt_id, ceremony_id, step, method, status, created_at, expires_at)
      select tenant_id, ${newId('attempt')}, ceremony_id, 'liveness', 'liveness_vendor', 'open', now() - interval '10 minutes', now() + interval '1 hour'
      from ceremony where ceremony_id = ${recoveryId}`;
    const sione = await at('sione', path, NARROW);
    await sione.sees('liveness vendor is silent');
    await sione.shoot('recovery-vendor-silent');
    expect(await sione.seriousFindings()).toEqual([]);
    await sione.page.route('**/stream', (route) => route.abort());
    await sione.page.reload();
    await sione.sees('The live line is lost.');
    await sione.shoot('recovery-line-lost');
    await sione.page.unroute('**/stream');
    await expect
      .poll(() => sione.page.getByText('The live line is lost.').count(), PATIENCE)
      .toBe(0);
    await fraudEngine(stack).call({
      method: 'POST',
      path: '/fraud/signals',
      body: { customerId, reason: 'account_takeover' },
    });
    await sione.sees('This case is held');
    await sione.sees('The customer’s hold is released first.');
    await sione.shoot('recovery-held');
    expect(await sione.seriousFindings()).toEqual([]);
  });
});
