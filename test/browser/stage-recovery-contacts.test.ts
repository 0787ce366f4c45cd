/**
 * A second contact at the stage, where the account is young: by message, by a call back, or by a visit to a branch. The app is closed in between.
 * Photographed light and dark.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { shootBothSizes } from './customer-stage.ts';
import type { StaffMember } from './operations-driver.ts';
import {
  askByEmail,
  provePerson,
  RECOVERY_PATIENCE_MS,
  RecoveryStage,
  reopen,
} from './recovery-walk.ts';
import type { Contacts } from './recovery-walk.ts';
import type { StageDriver } from './stage-driver.ts';

let bed: RecoveryStage;

beforeAll(async () => {
  bed = await RecoveryStage.open();
}, RECOVERY_PATIENCE_MS);
afterAll(() => bed?.close());
afterEach(() => bed.leave());

async function proveEmail(stage: StageDriver, { email }: Contacts, report: string): Promise<void> {
  const before = bed.codesTo(email).length;
  await askByEmail(stage, email, report);
  await stage.type('Code from the message', await bed.codeTo(email, before));
  await stage.press('Confirm');
  await stage.sees('One more contact');
}

async function callBack(staff: StaffMember): Promise<void> {
  await staff.page.getByRole('button', { name: 'Record a call back', exact: true }).click();
  const dialog = staff.page.locator('.dialog');
  await dialog.getByLabel('Call', { exact: true }).fill('switch-4711');
  await dialog.getByRole('button', { name: 'Record a call back', exact: true }).click();
  await staff.sees('The call stands on the record.');
}

async function seeInBranch(staff: StaffMember): Promise<void> {
  await staff.page.getByRole('button', { name: 'Record evidence', exact: true }).click();
  const dialog = staff.page.locator('.dialog');
  await dialog.getByText('Seen in a branch').click();
  await dialog.getByLabel('Reference').fill('branch-12');
  await dialog.getByRole('button', { name: 'Record evidence', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

describe('a second contact', () => {
  it(
    'is asked of a young account, proved by SMS, and no step is lost with the app closed in between',
    async () => {
      const { stage, contacts } = await bed.newcomer();
      await proveEmail(stage, contacts, 'Broken');
      await shootBothSizes(stage, 'recovery-second-contact');
      await reopen(stage);
      await stage.sees('One more contact');
      await stage.phone.locator('.segment', { hasText: 'By SMS' }).click();
      const before = bed.codesTo(contacts.phone).length;
      await stage.type('Mobile number', contacts.phone);
      await stage.press('Send a message there');
      await stage.sees('Your check number');
      const number = await stage.phone.locator('.check-number output').innerText();
      await reopen(stage);
      await stage.sees('Your check number');
      expect(await stage.phone.locator('.check-number output').innerText()).toBe(number);
      await stage.type('Code from the message', await bed.codeTo(contacts.phone, before));
      await stage.press('Confirm');
      await stage.sees('Show that it is you');
      await reopen(stage);
      await provePerson(stage);
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );

  it(
    'is a call back where the number rings with its owner, and nothing where a thief would answer: then a branch stands for it',
    async () => {
      const { stage, contacts } = await bed.newcomer();
      await proveEmail(stage, contacts, 'Stolen');
      const ana = await bed.staff('ana', await bed.caseOf(stage));
      await callBack(ana);
      await ana.sees('Call back');
      await stage.sees('One more contact');
      await seeInBranch(ana);
      await stage.sees('The bank looks at your case');
      await shootBothSizes(stage, 'recovery-branch-for-contact');
      expect(stage.complaints).toStrictEqual([]);
      const other = await bed.newcomer();
      await proveEmail(other.stage, other.contacts, 'Broken');
      await ana.goTo(await bed.caseOf(other.stage));
      await callBack(ana);
      await other.stage.sees('Show that it is you');
      expect(other.stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});
