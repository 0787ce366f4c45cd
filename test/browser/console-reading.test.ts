/** What staff read on a customer's page in the console: a contact in clear for a reason, and what went on lately. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import type { DemoPersonId } from '../../runtime/staff-people.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { enrollPhone } from '../setup/software-phone.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { StaffMember } from './operations-driver.ts';
import { WIDE } from './stage-driver.ts';

let stack: TestStack;
let browser: Browser;
let caller: Awaited<ReturnType<typeof enrollPhone>>;
const people: StaffMember[] = [];

beforeAll(async () => {
  if ((await stateOfPages()) !== 'current') await buildPages();
  [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
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

describe('a contact', () => {
  it('is shown in clear for a picked reason, by keyboard, and hidden again', async () => {
    const staff = await at('ana', `/customers/${caller.customerId}`, WIDE);
    await staff.sees('What went on lately');
    await staff.sees('Enrollment');
    await staff.page.getByRole('button', { name: 'Show the number' }).press('Enter');
    await staff.sees('it counts as one of your searches');
    const dialog = staff.page.getByRole('dialog');
    const show = dialog.getByRole('button', { name: 'Show the number' });
    expect(await show.isDisabled()).toBe(true);
    expect(await staff.seriousFindings()).toEqual([]);
    await staff.page.getByLabel('To call the customer back').press('Space');
    await show.press('Enter');
    await staff.sees(caller.number);
    await staff.shoot('console-revealed');
    await staff.page.getByRole('button', { name: 'Hide it now' }).press('Enter');
    await staff.page.getByRole('button', { name: 'Show the number' }).waitFor();
    expect(await staff.page.content()).not.toContain(caller.number);
  });
});
