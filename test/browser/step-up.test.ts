/**
 * Payments and what they ask of the customer, in a real browser against the real stack: small ones signed by the session key, larger ones approved with
 * passkey and approval key, the largest with a code besides, and everything that somebody may try against them. Photographed light and dark.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCustomerStage, shootBothSizes, STAGE_PATIENCE_MS } from './customer-stage.ts';
import type { CustomerStage } from './customer-stage.ts';
import type { StageDriver } from './stage-driver.ts';

let opened: CustomerStage;
let stage: StageDriver;

/** One customer throughout, who spends on one day: the largest amount comes late, since after it every payment needs a code. */
beforeAll(async () => {
  opened = await openCustomerStage({ noLineMs: 3_000 });
  ({ stage } = opened);
}, STAGE_PATIENCE_MS);

afterAll(() => opened?.close());

const pay = async (amount: string) => {
  // What the story before began may still be on its way to its end.
  await stage.settles();
  await stage.press(`Pay ${amount} NZD`);
};

const isAskedFor = async (amount: string) => {
  await stage.sees('Demo Bank payments asks you');
  await stage.sees(`${amount} NZD`);
  await stage.sees('Mere Roofing Ltd');
};

describe('a payment', () => {
  it(
    'of 40 is signed by the session key and made at once, and nobody is asked',
    async () => {
      await stage.payStory('40: signed');
      await shootBothSizes(stage, 'pay-form');
      await pay('40.00');
      await stage.sees('Signed by this phone’s key');
      await stage.timelineSays('Below the threshold, nobody is asked');
      await shootBothSizes(stage, 'pay-40-paid');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'of 400 is approved with the passkey, made once, and its receipt is genuine',
    async () => {
      await stage.payStory('400: passkey');
      await pay('400.00');
      await isAskedFor('400.00');
      await shootBothSizes(stage, 'approval');
      await stage.press('Approve');
      await stage.sees('Your passkey and this phone’s approval key');
      await stage.timelineSays('Used by whoever asked, once');
      await shootBothSizes(stage, 'paid');
      await stage.press('Show the receipt');
      await stage.press('Check it');
      await stage.phone.locator('.banner[data-tone=good]', { hasText: 'Genuine' }).waitFor();
      expect(await stage.phone.locator('.check:not([data-result=passed])').count()).toBe(0);
      await shootBothSizes(stage, 'receipt');
      const [saved] = await Promise.all([
        stage.page.waitForEvent('download'),
        stage.press('Save the file'),
      ]);
      const [page] = await Promise.all([
        stage.page.waitForEvent('popup'),
        stage.phone.getByRole('link', { name: 'Check a saved file' }).click(),
      ]);
      await page
        .locator('input[type=file]')
        .first()
        .setInputFiles(await saved.path());
      await page.getByText('Is it, to the last comma, what was signed?').waitFor();
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'is not made when the amount was changed after the approval, and then as it was approved',
    async () => {
      await stage.payStory('Changed after');
      await pay('400.00');
      await isAskedFor('400.00');
      await stage.press('Approve');
      await stage.sees('Approved, not carried out yet');
      await stage.pressBehind('Change it to 4,000.00 NZD and pay');
      await stage.page.getByText('4,000.00 NZD refused: not what was approved').waitFor();
      await shootBothSizes(stage, 'changed');
      await stage.pressBehind('Pay it as approved');
      await stage.sees('Your passkey and this phone’s approval key');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'is not made twice, whether its request or its approval is used again',
    async () => {
      await stage.payStory('Replay');
      await pay('400.00');
      await isAskedFor('400.00');
      await stage.press('Approve');
      await stage.sees('Your passkey and this phone’s approval key');
      await stage.pressBehind('Replay request and approval');
      await stage.page.getByText('that proof was used already').waitFor();
      await stage.page.getByText('that approval was used already').waitFor();
      await shootBothSizes(stage, 'replayed');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'is made once when the answer to the approval got lost',
    async () => {
      await stage.payStory('Lost answer');
      await pay('400.00');
      await isAskedFor('400.00');
      await stage.pressBehind('Drop the next answer');
      await stage.press('Approve');
      await stage.sees('We lost the line');
      await stage.sees('Your passkey and this phone’s approval key');
      await stage.desk('Payments');
      expect(await stage.page.locator('.tries li').count()).toBe(1);
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'is refused by the customer who says that it was not him, and by a closed prompt not at all',
    async () => {
      await stage.payStory('400: passkey');
      await pay('400.00');
      await isAskedFor('400.00');
      await stage.verifiesUser(false);
      await stage.press('Approve');
      await stage.sees('You closed the passkey prompt. Nothing was approved.');
      await stage.verifiesUser(true);
      await stage.press('Not me');
      await stage.sees('The payment was not made.');
      await shootBothSizes(stage, 'not-me');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'waits longer, and says so, when the phone notices a call or a shared screen',
    async () => {
      await stage.payStory('400: passkey');
      await pay('400.00');
      await isAskedFor('400.00');
      await stage.page.getByText('On a call', { exact: true }).click();
      await stage.sees('You are on a call. Nobody from the bank asks you to approve a payment.');
      await shootBothSizes(stage, 'on-a-call');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'of 40,000 needs a code besides, in a message that names amount and payee',
    async () => {
      await stage.payStory('40,000: and SMS');
      await pay('40,000.00');
      await isAskedFor('40,000.00');
      await stage.sees('A code by SMS follows.');
      await stage.press('Approve');
      await stage.sees('The message names this payment.');
      await stage.page
        .locator('.message[data-channel=sms]', { hasText: 'Mere Roofing Ltd' })
        .waitFor();
      await stage.type('Code', '000000');
      await stage.press('Approve');
      await stage.sees('That code is not right');
      await shootBothSizes(stage, 'approval-code');
      await stage.takeCodeFrom('sms');
      await stage.press('Approve');
      await stage.sees('and a code by SMS');
      await shootBothSizes(stage, 'paid-with-code');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'is not made when the fraud desk cuts the customer off while it waits',
    async () => {
      await stage.payStory('Fraud in between');
      await pay('400.00');
      await isAskedFor('400.00');
      await stage.pressBehind('Cut off');
      await stage.page.getByRole('alertdialog').getByRole('button', { name: 'Cut off' }).click();
      await stage.sees('We ended this session');
      await stage.desk('Payments');
      await stage.page.locator('.pay-row', { hasText: 'Not paid' }).waitFor();
      await shootBothSizes(stage, 'cut-off-in-between');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );
});
