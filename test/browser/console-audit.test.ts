/** What the console has for reading alone: the auditor's search and file, and what works now, with Temporal really ended in between. */
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import type { DemoPersonId } from '../../runtime/staff-people.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { enrollPhone } from '../setup/software-phone.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { StaffMember } from './operations-driver.ts';
import { NARROW, WIDE } from './stage-driver.ts';

let stack: TestStack;
let browser: Browser;
let caller: Awaited<ReturnType<typeof enrollPhone>>;
const people: StaffMember[] = [];

beforeAll(async () => {
  if ((await stateOfPages()) !== 'current') await buildPages();
  [stack, browser] = await Promise.all([startTestStack({ hasOwnTemporal: true }), launchBrowser()]);
  caller = await enrollPhone(stack);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});
afterEach(async () => {
  for (const person of people.splice(0)) {
    await person.close();
    if (person.complaints.length > 0) throw new Error(person.complaints.join('\n'));
  }
});

async function at(person: DemoPersonId, path: string, size: typeof WIDE): Promise<StaffMember> {
  const staff = await StaffMember.open(browser, stack.operationsUrl, size);
  people.push(staff);
  await staff.logIn(person);
  await staff.goTo(path);
  return staff;
}

/** The kind of entry of each line, in their order. */
const kinds = ({ page }: StaffMember) =>
  page.locator('tbody td:nth-child(2) button').allInnerTexts();
const allOf = (kind: string) => (seen: readonly string[]) =>
  seen.length > 0 && seen.every((one) => one === kind);
const press = ({ page }: StaffMember, name: string) =>
  page.getByRole('button', { name, exact: true }).first().click();
const PATIENCE = { timeout: 30_000 };

async function showsOnly(staff: StaffMember, kind: string): Promise<void> {
  await expect.poll(async () => allOf(kind)(await kinds(staff)), PATIENCE).toBe(true);
}

async function shows(staff: StaffMember, kind: string): Promise<void> {
  await expect.poll(() => kinds(staff), PATIENCE).toContain(kind);
}

const isWiderThanItsScreen = ({ page }: StaffMember) =>
  page.evaluate('document.documentElement.scrollWidth > window.innerWidth');

describe('the audit', () => {
  it.each([WIDE, NARROW])(
    'is opened for a customer by an address and narrowed by what stands there, $width wide',
    async (size) => {
      const staff = await at('aida', `/audit?customerId=${caller.customerId}`, size);
      const customer = staff.page.getByLabel('Customer', { exact: true });
      expect(await customer.inputValue()).toBe(caller.customerId);
      await shows(staff, 'device.trusted');
      await staff.shoot('console-audit');
      expect(await staff.seriousFindings()).toEqual([]);
      expect(await isWiderThanItsScreen(staff)).toBe(false);
      expect(allOf('device.trusted')(await kinds(staff))).toBe(false);
      await press(staff, 'device.trusted');
      await showsOnly(staff, 'device.trusted');
      expect(new URL(staff.page.url()).searchParams.get('action')).toBe('device.trusted');
      expect(new URL(staff.page.url()).searchParams.get('customerId')).toBe(caller.customerId);
    },
  );

  it('is searched by keyboard alone, and each search is a line of it', async () => {
    const staff = await at('aida', '/audit', WIDE);
    await shows(staff, 'device.trusted');
    const kind = staff.page.getByLabel('Kind of entry');
    await kind.focus();
    await staff.page.keyboard.type('staff.audit_searched');
    await staff.page.keyboard.press('Enter');
    await showsOnly(staff, 'staff.audit_searched');
    // Whoever types goes on where he was.
    expect(await kind.evaluate((field) => field === document.activeElement)).toBe(true);
    await staff.page.getByRole('button', { name: 'Clear' }).press('Enter');
    await shows(staff, 'device.trusted');
    expect(await kind.inputValue()).toBe('');
  });

  it('says what is wrong with a field, keeps it, and says when nothing was found', async () => {
    const staff = await at('aida', '/audit', WIDE);
    const customer = staff.page.getByLabel('Customer', { exact: true });
    await customer.fill('Ada');
    await press(staff, 'Search');
    await staff.sees('One of the fields is not of its form');
    expect(await customer.inputValue()).toBe('Ada');
    await staff.shoot('console-audit-mistaken');
    await customer.fill(`cus_${'0'.repeat(32)}`);
    await press(staff, 'Search');
    await staff.sees('Nothing is written down that fits.');
    expect(await staff.seriousFindings()).toEqual([]);
  });

  it('is taken away as one file that the bank has signed', async () => {
    const staff = await at('aida', `/audit?customerId=${caller.customerId}`, WIDE);
    const act = staff.page.getByRole('button', { name: 'Save the file' });
    const [download] = await Promise.all([staff.page.waitForEvent('download'), act.click()]);
    expect(download.suggestedFilename()).toBe('audit.json');
    await staff.sees('everything that was found');
    // Held by the door's schema.
    const file = JSON.parse(await readFile(await download.path(), 'utf8')) as {
      readonly isComplete: boolean;
      readonly signature: string;
      readonly query: { readonly customerId: string };
      readonly entries: readonly { readonly action: string }[];
    };
    expect(file).toMatchObject({ isComplete: true, query: { customerId: caller.customerId } });
    expect(file.entries.map(({ action }) => action)).toContain('device.trusted');
    expect(file.signature.split('.')).toHaveLength(3);
    await staff.page.route('**/staff/audit/export?*', (route) => route.abort());
    await act.click();
    await staff.sees('Nothing was changed. Try again in a moment.');
    await staff.goTo('/audit?action=staff.audit_exported');
    await showsOnly(staff, 'staff.audit_exported');
  });

  it('is closed to everybody else, who is told whom to ask', async () => {
    const staff = await at('ana', '/audit', WIDE);
    await staff.sees('For auditors.');
    expect(await staff.page.getByRole('button', { name: 'Search', exact: true }).count()).toBe(0);
    expect(await staff.page.getByRole('link', { name: 'Audit', exact: true }).count()).toBe(0);
  });
});

describe('what works now', () => {
  const part = ({ page }: StaffMember, name: string) =>
    page.getByRole('listitem').filter({ hasText: name });

  it.each([WIDE, NARROW])('stands in plain words, $width wide', async (size) => {
    const staff = await at('amir', '/works-now', size);
    await staff.sees('Everything works.');
    await staff.sees('Customers can log in and use the app.');
    await staff.shoot('console-works-now');
    expect(await staff.seriousFindings()).toEqual([]);
    expect(await isWiderThanItsScreen(staff)).toBe(false);
  });

  it('says what to do while Temporal is down, and by itself when it is back', async () => {
    const staff = await at('ana', '/works-now', WIDE);
    await staff.sees('Everything works.');
    await stack.killTemporal();
    const driving = part(staff, 'What has to go on by itself');
    await driving.getByText('Does not work').waitFor();
    await staff.sees('freezing and cutting off go on');
    await staff.shoot('console-works-now-down');
    expect(await staff.seriousFindings()).toEqual([]);
    await stack.startTemporal();
    await driving.getByText('Works', { exact: true }).waitFor();
  });

  it('shows how old it is when the door does not answer', async () => {
    const staff = await at('ana', '/works-now', WIDE);
    await staff.sees('Everything works.');
    await staff.page.route('**/staff/works-now', (route) => route.abort());
    await staff.sees('The door does not answer. This is as it was');
    await staff.page.unroute('**/staff/works-now');
    await expect.poll(() => staff.page.getByText('The door does not').count(), PATIENCE).toBe(0);
  });
});
