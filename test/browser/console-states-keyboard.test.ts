/** A case of recovery worked by keyboard alone, from the login to the approval: every step by Tab, Enter, Space, Escape and the queue's own keys. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { button, ConsoleBed, PATIENCE } from './console-bed.ts';
import type { StaffMember } from './operations-driver.ts';

let bed: ConsoleBed;

beforeAll(async () => {
  bed = await ConsoleBed.open();
});
afterAll(() => bed?.close());
afterEach(() => bed.leave());

describe('by keyboard alone', () => {
  /** As whoever has no mouse comes there. */
  async function tabTo(
    { page }: StaffMember,
    role: 'button' | 'link' | 'textbox',
    name: string | RegExp,
  ) {
    // A question that stands open is the only thing that Tab reaches.
    const dialog = page.locator('.dialog');
    const place = (await dialog.count()) > 0 ? dialog : page;
    const wanted = place.getByRole(role, { name, exact: role === 'button' }).first();
    await wanted.waitFor();
    for (let presses = 0; presses < 60; presses += 1) {
      if (await wanted.evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    throw new Error(`no Tab leads to ${String(name)}`);
  }
  const press = async (staff: StaffMember, role: 'button' | 'link', name: string | RegExp) => {
    await tabTo(staff, role, name);
    await staff.page.keyboard.press('Enter');
  };
  /** Once the question stands there: the button that asked it bears the same name. */
  const asks = async (staff: StaffMember, act: string) => {
    await press(staff, 'button', act);
    await staff.page.locator('.dialog').waitFor();
  };
  async function logsIn(staff: StaffMember, name: string) {
    await staff.goTo('/');
    await press(staff, 'link', 'Log in');
    await press(staff, 'button', new RegExp(`^${name}`));
    await button(staff, 'Log out').waitFor();
  }
  /** Tab comes to a list as one stop; the arrows go through it, Space picks. */
  const picks = async ({ page }: StaffMember, reason: string) => {
    const radios = page.locator('.dialog').getByRole('radio');
    const isFocused = (one: typeof radios) =>
      one.evaluateAll((all) => all.some((element) => element === document.activeElement));
    for (let presses = 0; presses < 10 && !(await isFocused(radios)); presses += 1)
      await page.keyboard.press('Tab');
    const wanted = page.locator('.dialog').getByRole('radio', { name: reason });
    for (let presses = 0; presses < 10 && !(await isFocused(wanted)); presses += 1)
      await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    expect(await wanted.isChecked()).toBe(true);
  };

  it('an agent logs in, finds the case, takes it, works on it and hands it over; a colleague approves it', async () => {
    const helper = await bed.staff('sione', '/recoveries');
    const path = await bed.caseBy(helper);
    const ana = await bed.stranger();
    const { keyboard } = ana.page;
    await logsIn(ana, 'Ana Agent');
    await press(ana, 'link', 'Recoveries');
    const row = ana.page.locator(`a.row-link[href="${path}"]`);
    await row.waitFor();
    for (let moves = 0; moves < 20; moves += 1) {
      if (await row.evaluate((link) => link === document.activeElement)) break;
      await keyboard.press('j');
    }
    await keyboard.press('Enter');
    await ana.sees('Proofs');
    await asks(ana, 'Take it');
    await press(ana, 'button', 'Take it');
    await ana.sees('It is yours.');
    // What was pressed is gone: the focus stands at what was said, not at the page's beginning.
    await expect.poll(() => ana.page.locator('.done:focus').count(), PATIENCE).toBe(1);
    await asks(ana, 'Record evidence');
    await picks(ana, 'Seen in a branch');
    await tabTo(ana, 'textbox', 'Reference');
    await keyboard.type('branch-12');
    await press(ana, 'button', 'Record evidence');
    await ana.sees('It stands on the record.');
    await ana.sees('to be reviewed');
    await asks(ana, 'Refuse');
    await ana.sees('Refuse this recovery?');
    await keyboard.press('Escape');
    await ana.page.locator('.dialog').waitFor({ state: 'detached' });
    await expect
      .poll(() => button(ana, 'Refuse').evaluate((one) => one === document.activeElement), PATIENCE)
      .toBe(true);
    await asks(ana, 'Hand it over');
    await picks(ana, 'Back to the queue');
    await press(ana, 'button', 'Hand it over');
    await ana.sees('Handed over.');
    const mere = await bed.stranger();
    await logsIn(mere, 'Mere Agent');
    await press(mere, 'link', 'Recoveries');
    await mere.page.locator(`a.row-link[href="${path}"]`).waitFor();
    await tabTo(mere, 'link', `cer_…${path.slice(-8)}`);
    await mere.page.keyboard.press('Enter');
    await asks(mere, 'Approve');
    await picks(mere, 'The evidence fits together');
    await press(mere, 'button', 'Approve');
    await mere.sees('Approved.');
    await mere.sees('You have approved it: it waits for somebody else.');
  });
});
