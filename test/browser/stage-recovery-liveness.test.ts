/**
 * The check of the person at the stage, however the vendor answers; the link of the message with the number of the new phone; and the account frozen from
 * a phone that nobody knows. Photographed light and dark.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { shootBothSizes } from './customer-stage.ts';
import {
  askByEmail,
  proveContact,
  RECOVERY_PATIENCE_MS,
  RecoveryStage,
  showPhone,
} from './recovery-walk.ts';
import type { StageDriver } from './stage-driver.ts';

let bed: RecoveryStage;

beforeAll(async () => {
  bed = await RecoveryStage.open();
}, RECOVERY_PATIENCE_MS);
afterAll(() => bed?.close());
afterEach(() => bed.leave());

async function nextCheck(stage: StageDriver, end: string): Promise<void> {
  await stage.look('Behind it');
  const segments = stage.page.locator('.liveness-ends');
  await segments.getByText(end, { exact: true }).click();
  await segments.locator('.segment[data-selected]', { hasText: end }).waitFor();
}

describe('the check of the person', () => {
  it(
    'is made again as often as it may be, each time with what to do about it, and the fifth is good',
    async () => {
      const { stage, contacts } = await bed.owner();
      await proveContact(bed, stage, contacts.email);
      await nextCheck(stage, 'Fails');
      await stage.press('Start the check');
      await stage.sees('That was not clear enough');
      await shootBothSizes(stage, 'recovery-check-failed');
      await nextCheck(stage, 'Low confidence');
      await stage.press('Check again');
      await stage.sees('Almost');
      await nextCheck(stage, 'Injection suspected');
      await stage.press('Check again');
      await stage.sees('That did not look like a live camera');
      await nextCheck(stage, 'Times out');
      await stage.press('Check again');
      await stage.sees('The check ran out of time');
      await stage.sees('1 try left');
      await nextCheck(stage, 'Comes twice');
      await stage.press('Check again');
      await stage.sees('The bank looks at your case');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );

  it(
    'takes no result of another case, waits while the vendor is silent, and goes on when it answers',
    async () => {
      const { stage, contacts } = await bed.owner();
      await proveContact(bed, stage, contacts.email);
      await nextCheck(stage, 'Of a wrong case');
      await stage.press('Start the check');
      await stage.sees('Look into the camera');
      await nextCheck(stage, 'Stays silent');
      await stage.press('Check again');
      await stage.sees('3 tries left');
      await stage.look('Behind it');
      await stage.page.getByText('1 check waits').waitFor();
      await stage.sees('Look into the camera');
      await shootBothSizes(stage, 'recovery-camera');
      await stage.pressBehind('Let it answer');
      await stage.sees('The bank looks at your case');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});

describe('the link of the message', () => {
  it(
    'opened from the inbox and given the number of the new phone, lets that phone go on by itself',
    async () => {
      const { stage, contacts } = await bed.owner();
      await askByEmail(stage, contacts.email);
      const number = await stage.phone.locator('.check-number output').innerText();
      await stage.look('Inbox');
      const [page] = await Promise.all([
        stage.page.context().waitForEvent('page'),
        stage.page
          .locator('.message', { hasText: contacts.email })
          .getByRole('link', { name: 'Open the link' })
          .click(),
      ]);
      await page.getByLabel('Number on the new phone').fill(number);
      await page.getByRole('button', { name: 'Yes, that is my phone' }).click();
      await page.getByRole('heading', { name: 'Go on with your new phone' }).waitFor();
      await page.close();
      await stage.sees('Show that it is you');
      await stage.press('I found my phone: stop this');
      await stage.sees('Your account is as it was. Log in on the phone that you have.');
      await shootBothSizes(stage, 'recovery-stopped');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});

describe('whoever is nobody’s customer', () => {
  it(
    'asks by keyboard alone, and reads what a customer reads',
    async () => {
      const stage = await bed.profile();
      await stage.story('Lost phone');
      await showPhone(stage, 'New phone');
      const { keyboard } = stage.page;
      await stage.phone.getByRole('button', { name: 'I lost my phone', exact: true }).focus();
      await keyboard.press('Enter');
      await stage.phone.getByRole('radio', { name: 'Lost' }).focus();
      await keyboard.press('ArrowDown');
      const stolen = stage.phone.locator('.segment[data-selected]', { hasText: 'Stolen' });
      await stolen.waitFor();
      await keyboard.press('Tab');
      await keyboard.press('Tab');
      await keyboard.type('nobody@example.test');
      await keyboard.press('Enter');
      await stage.sees('Your check number');
      await stage.phone.getByLabel('Code from the message').focus();
      await keyboard.type('123456');
      await keyboard.press('Enter');
      await stage.sees('4 tries left.');
      expect(await stage.seriousFindings()).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});

describe('the account of a lost phone', () => {
  it(
    'is frozen from the new one by a code to the number, and the old one says so',
    async () => {
      const { stage, contacts } = await bed.owner();
      await showPhone(stage, 'New phone');
      await stage.press('I lost my phone');
      await stage.press('Freeze my account first');
      const before = bed.codesTo(contacts.phone).length;
      await stage.type('Mobile number', contacts.phone);
      await stage.press('Send the code');
      await stage.type('Code', await bed.codeTo(contacts.phone, before));
      await stage.press('Freeze now');
      await stage.sees('Your account is frozen');
      await shootBothSizes(stage, 'recovery-frozen');
      await stage.press('Go on: I lost my phone');
      await stage.sees('What happened to your phone?');
      await showPhone(stage, 'Old phone');
      await stage.sees('Your account is frozen. No money moves');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});
