/**
 * The console of staff in a real browser against the real stack: a caller found, proved and served; sessions and devices changed with their effect told
 * first; a release by two people; what a role may not do. By keyboard too, and photographed at both sizes.
 */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import type { DemoPersonId } from '../../runtime/staff-people.ts';
import { fraudEngine } from '../setup/faults.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { enrollPhone } from '../setup/software-phone.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { StaffMember } from './operations-driver.ts';
import { NARROW, WIDE } from './stage-driver.ts';

const PATIENCE = { timeout: 30_000 };
const CALM = { onCall: true, screenShared: false, accessibilityService: false };

let stack: TestStack;
let browser: Browser;
let caller: Awaited<ReturnType<typeof enrollPhone>>;
const people: StaffMember[] = [];

beforeAll(async () => {
  if ((await stateOfPages()) !== 'current') await buildPages();
  [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
  await anotherCaller();
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

/** For whoever changes something: the next one finds a customer as enrolled. */
async function anotherCaller(): Promise<void> {
  caller = await enrollPhone(stack);
  await caller.latchkey.logIn();
}

async function at(
  person: DemoPersonId,
  path: string,
  size: typeof WIDE = WIDE,
): Promise<StaffMember> {
  const staff = await StaffMember.open(browser, stack.operationsUrl, size);
  people.push(staff);
  await staff.logIn(person);
  await staff.goTo(path);
  return staff;
}

const customerPath = () => `/customers/${caller.customerId}`;
const button = (staff: StaffMember, name: string) =>
  staff.page.getByRole('button', { name, exact: true });
/** What waits for an answer on the caller's phone. */
const askedOnPhone = (): Promise<string> =>
  vi.waitFor(async () => {
    const asked = await caller.latchkey.stepUps.list();
    const waiting = asked.find(({ status }) => status === 'pending');
    if (waiting === undefined) throw new Error('the phone was not asked');
    return waiting.stepUpId;
  }, PATIENCE);
const cutOff = async () => {
  const answer = await fraudEngine(stack).call({
    method: 'POST',
    path: '/fraud/signals',
    body: { customerId: caller.customerId, reason: 'account_takeover' },
  });
  expect(answer.status).toBe(202);
};

describe('a caller', () => {
  it('is found by number, proved by passkey and served, by keyboard alone', async () => {
    const staff = await at('ana', '/customers');
    const { keyboard } = staff.page;
    await staff.page.getByLabel('Phone number').waitFor();
    await keyboard.type(caller.number);
    await keyboard.press('Enter');
    await staff.page.getByRole('link', { name: 'Open' }).waitFor();
    await staff.shoot('console-found');
    expect(await staff.page.content()).not.toContain(caller.number);
    await staff.page.getByRole('link', { name: 'Open' }).focus();
    await keyboard.press('Enter');
    await staff.page.getByRole('link', { name: 'On the line now' }).focus();
    await keyboard.press('Enter');
    await staff.sees('Nothing is proved yet.');
    await staff.shoot('console-call');
    expect(await staff.seriousFindings()).toEqual([]);
    await staff.page.getByLabel('Case', { exact: true }).focus();
    await keyboard.type('4711');
    await button(staff, 'Ask on the phone').focus();
    await keyboard.press('Enter');
    await staff.sees('It waits for the passkey.');
    const { stepUps } = caller.latchkey;
    await stepUps.approve(
      await stepUps.open(await askedOnPhone(), { locale: 'en', context: CALM }),
    );
    await staff.sees('Proved by passkey');
    await staff.sees('on Test phone, trusted since');
    await staff.shoot('console-proved');
    expect(await staff.seriousFindings()).toEqual([]);
    await button(staff, 'Wrap up').press('Enter');
    await staff.sees('Wrapped up after');
  });

  it('who says no on the phone is not served', async () => {
    const staff = await at('ana', `${customerPath()}/call`, NARROW);
    await staff.page.getByLabel('Case', { exact: true }).fill('4712');
    await button(staff, 'Ask on the phone').click();
    await staff.sees('It waits for the passkey.');
    await caller.latchkey.stepUps.deny(await askedOnPhone(), 'declined');
    await staff.sees('Whoever speaks with you is not them.');
    await staff.shoot('console-refused');
    expect(await staff.seriousFindings()).toEqual([]);
  });

  it('of an unknown number is nobody, and a wrong one is said to be wrong', async () => {
    const staff = await at('ana', '/customers', NARROW);
    await staff.page.getByLabel('Phone number').fill('+447720000000');
    await button(staff, 'Find').click();
    await staff.sees('Nobody is known by that number.');
    await staff.page.getByLabel('Phone number').fill('hello');
    await button(staff, 'Find').click();
    await staff.sees('That is no phone number.');
    await staff.shoot('console-find');
    expect(await staff.seriousFindings()).toEqual([]);
  });
});

describe('a customer', () => {
  it.each([WIDE, NARROW])('stands masked on one page, $width wide', async (size) => {
    const staff = await at('ana', customerPath(), size);
    await staff.sees('trusted device');
    const text = await staff.page.locator('main').innerText();
    expect(text).not.toContain(caller.number);
    expect(text).not.toContain(caller.email);
    await staff.shoot('console-customer');
    expect(await staff.seriousFindings()).toEqual([]);
  });

  it('loses a session only after its effect was told and a reason was picked', async () => {
    await anotherCaller();
    const staff = await at('ana', customerPath());
    await button(staff, 'End').click();
    await staff.sees('The session on Test phone ends at once');
    await staff.shoot('console-end');
    expect(await staff.seriousFindings()).toEqual([]);
    expect(await button(staff, 'End the session').isDisabled()).toBe(true);
    await staff.page.getByText('The phone is lost').click();
    await button(staff, 'End the session').click();
    await staff.sees('The session has ended.');
    await staff.sees('Nobody is logged in as this customer.');
    await expect(caller.latchkey.sessions()).rejects.toThrow('session_ended');
  });

  it('has a device suspended by an agent, and resumed by a supervisor alone', async () => {
    await anotherCaller();
    const agent = await at('ana', customerPath());
    await button(agent, 'Suspend').click();
    await agent.sees('1 session on it ends at once.');
    await agent.page.getByText('Something looks wrong').click();
    await agent.page.getByRole('alertdialog').getByRole('button', { name: 'Suspend' }).click();
    await agent.sees('The device is suspended.');
    await agent.sees('A supervisor resumes a device');
    expect(await button(agent, 'Resume').isDisabled()).toBe(true);
    await agent.shoot('console-suspended');
    const supervisor = await at('sione', customerPath());
    await button(supervisor, 'Resume').click();
    await supervisor.page.getByText('Another reason').click();
    await supervisor.page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await supervisor.sees('The device can be used again.');
  });
});

describe('an account', () => {
  it('is frozen by an agent who read what it does, and let go by a supervisor alone', async () => {
    await anotherCaller();
    const agent = await at('ana', customerPath());
    await button(agent, 'Freeze the account').click();
    await agent.sees('No money moves and nothing sensitive changes, from now on.');
    const dialog = agent.page.getByRole('alertdialog');
    const freeze = dialog.getByRole('button', { name: 'Freeze the account' });
    expect(await freeze.isDisabled()).toBe(true);
    await agent.page.getByText('Something looks wrong').click();
    await freeze.click();
    await agent.sees('The account is frozen.');
    await agent.sees('A supervisor ends a freeze');
    expect(await button(agent, 'End the freeze').isDisabled()).toBe(true);
    await agent.shoot('console-frozen');
    expect(await agent.seriousFindings()).toEqual([]);
    const supervisor = await at('sione', customerPath(), NARROW);
    await button(supervisor, 'End the freeze').click();
    await supervisor.page.getByText('The customer asks for it').click();
    await supervisor.shoot('console-unfreeze');
    await supervisor.page
      .getByRole('dialog')
      .getByRole('button', { name: 'End the freeze' })
      .click();
    await supervisor.sees('The freeze has ended.');
  });

  it('has a phone reported stolen, which a supervisor lifts', async () => {
    await anotherCaller();
    const agent = await at('ana', customerPath());
    await button(agent, 'Report').click();
    await agent.sees('From now on it may only read.');
    await agent.page.getByText('The customer asks for it').click();
    const report = button(agent, 'Report it');
    expect(await report.isDisabled()).toBe(true);
    await agent.page.getByText('It was stolen').click();
    await agent.shoot('console-report');
    expect(await agent.seriousFindings()).toEqual([]);
    await report.click();
    await agent.sees('The device is reported: it may only read.');
    await agent.sees('reported: reading only');
    expect(await button(agent, 'Lift the report').isDisabled()).toBe(true);
    const supervisor = await at('sione', customerPath());
    await button(supervisor, 'Lift the report').click();
    await supervisor.page.getByText('Another reason').click();
    await supervisor.page
      .getByRole('dialog')
      .getByRole('button', { name: 'Lift the report' })
      .click();
    await supervisor.sees('The report is lifted.');
  });
});

describe('a release', () => {
  it('is asked for by one person and approved by another, each told what it does', async () => {
    await anotherCaller();
    await cutOff();
    const agent = await at('ana', customerPath());
    await agent.sees('On hold: account takeover.');
    await agent.shoot('console-hold');
    expect(await agent.seriousFindings()).toEqual([]);
    await button(agent, 'Ask for the release').click();
    await agent.page.getByText('The customer was verified').click();
    await button(agent, 'Ask for it').click();
    await agent.sees('Asked for. A supervisor approves it');
    await agent.goTo('/approvals');
    await agent.sees('A supervisor decides this.');
    const supervisor = await at('sione', '/approvals', NARROW);
    await button(supervisor, 'Approve').last().click();
    await supervisor.sees('The hold is lifted, and the devices');
    await supervisor.shoot('console-approve');
    expect(await supervisor.seriousFindings()).toEqual([]);
    await supervisor.page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await supervisor.sees('The hold is lifted.');
    await agent.goTo(customerPath());
    await expect
      .poll(() => agent.page.getByText('On hold: account takeover.').count(), PATIENCE)
      .toBe(0);
  });
});

describe('who may not', () => {
  it.each<[DemoPersonId, string, string]>([
    ['aida', '/customers', 'For agents and supervisors.'],
    ['amir', '/approvals', 'For agents, supervisors and auditors.'],
  ])('%s at %s reads why', async (person, path, why) => {
    const staff = await at(person, path);
    await staff.sees(why);
    await staff.shoot(`console-forbidden-${person}`);
    expect(await staff.seriousFindings()).toEqual([]);
  });

  it('comes from a CRM to a customer’s page over the login, and back to it', async () => {
    const staff = await StaffMember.open(browser, stack.operationsUrl, WIDE);
    people.push(staff);
    await staff.goTo(customerPath());
    await staff.page.getByRole('link', { name: 'Log in' }).click();
    await staff.choose('ana');
    await staff.sees('Security epoch');
    expect(new URL(staff.page.url()).pathname).toBe(customerPath());
  });

  it('finds nothing under an address that is cut off', async () => {
    const staff = await at('ana', '/customers/cus_1');
    await staff.sees('There is nothing here');
    await staff.page.getByRole('link', { name: 'To the customers' }).click();
    await staff.page.getByLabel('Phone number').waitFor();
    expect(new URL(staff.page.url()).pathname).toBe('/customers');
  });
});
