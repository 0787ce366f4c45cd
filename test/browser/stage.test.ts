/**
 * The whole stage in a real browser against the real stack: real PostgreSQL, a real Temporal server, real WebAuthn by a virtual
 * authenticator. Each step is photographed at both sizes, light and dark.
 */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { NARROW, StageDriver, WIDE } from './stage-driver.ts';
import * as walk from './stage-walk.ts';

let stack: TestStack;
let browser: Browser;
let stage: StageDriver;

beforeAll(async () => {
  if ((await stateOfPages()) !== 'current') await buildPages();
  [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

afterEach(async () => {
  await stage.close();
  stack.identityVendor.setBehaviour('normal');
  stack.identityVendor.release();
  stack.inbox.clear();
});

const open = async (size: typeof WIDE) => {
  stage = await StageDriver.open(browser, stack, size);
  await stage.sees('Set up the app');
};

const enterNumber = () => walk.enterNumber(stage);
const proveNumber = () => walk.proveNumber(stage);
const handInIdentity = () => walk.handInIdentity(stage);
const proveEmail = () => walk.proveEmail(stage);
const becomeCustomer = () => walk.becomeCustomer(stage);

describe('at a desk', () => {
  it('enrolls, logs in, refreshes, calls the bank, logs out and in, is cut off, held, released and back', async () => {
    await open(WIDE);
    await stage.shoot('welcome');
    await enterNumber();
    await stage.takeCodeFrom('sms');
    await stage.shoot('code');
    await stage.press('Confirm');
    await stage.sees('What is your name?');
    await handInIdentity();
    await proveEmail();
    await stage.shoot('passkey');
    await stage.press('Create passkey');
    await stage.sees('This phone is trusted');
    await stage.shoot('trusted');
    await stage.press('Log in');

    await stage.sees('Hello, Aroha Jane');
    await stage.sees('Trusted');
    await stage.sees('latchkey:2');
    await stage.press('Show accounts');
    await stage.sees('Savings');
    await stage.shoot('in');
    await stage.press('Refresh');
    await stage.timelineSays('A new access token; the refresh token was rotated');
    await stage.timelineSays('The gateway check let the call through to the bank');
    await stage.phone.getByText('What it says').click();
    await stage.sees('cnf.jkt');
    await stage.shoot('claims');

    await stage.press('Log out');
    await stage.sees('Welcome back');
    await stage.shoot('logged-out');
    await stage.press('Log in with passkey');
    await stage.sees('Hello, Aroha Jane');

    await stage.story('Fraud button');
    await stage.pressBehind('Cut off');
    const preview = stage.page.getByRole('alertdialog');
    await preview.getByText('Ends 1 session and every running ceremony').waitFor();
    await preview.getByText('Raises the security epoch from 1 to 2').waitFor();
    await stage.shoot('preview');
    await preview.getByRole('button', { name: 'Cut off' }).click();
    await stage.sees('We ended this session');
    await stage.shoot('cut-off');
    await stage.press('Log in again');
    await stage.sees('Your account is on hold');
    await stage.timelineSays('login · customer_on_hold · 403');
    await stage.shoot('hold');

    await stage.page.getByRole('button', { name: 'Receipt' }).click({ timeout: 90_000 });
    const receipt = stage.page.getByRole('dialog');
    await receipt.getByText('1 session, 0 ceremonies').waitFor();
    await receipt.getByText('1 device, 1 passkey').waitFor();
    await stage.shoot('receipt');
    await receipt.getByRole('button', { name: 'Close' }).click();
    await stage.pressBehind('Release');
    await stage.page.getByText('The customer can log in again.').waitFor();
    await stage.press('I have called. Log in');
    await stage.sees('Hello, Aroha Jane');
    await stage.shoot('back-in');
    expect(stage.complaints).toStrictEqual([]);
  });

  it('shows nothing that axe calls serious, light or dark, from welcome to the fraud desk', async () => {
    await open(WIDE);
    expect(await stage.seriousFindings()).toStrictEqual([]);
    await becomeCustomer();
    await stage.press('Show accounts');
    await stage.sees('Savings');
    expect(await stage.seriousFindings()).toStrictEqual([]);
    await stage.story('Fraud button');
    await stage.pressBehind('Cut off');
    expect(await stage.seriousFindings()).toStrictEqual([]);
  });

  it('leads who typed an address to the name that a passkey can belong to', async () => {
    await open(WIDE);
    const address = stage.page.url();
    await stage.page.goto(address.replace('localhost', '127.0.0.1'));
    await stage.sees('Set up the app');
    expect(stage.page.url()).toBe(address);
  });

  it('can be set up by keyboard alone', async () => {
    await open(WIDE);
    const { keyboard } = stage.page;
    const focused = () =>
      stage.page.evaluate(() => document.activeElement?.textContent ?? '').catch(() => '');
    for (let presses = 0; presses < 12 && (await focused()) !== 'Set up the app'; presses += 1)
      await keyboard.press('Tab');
    await keyboard.press('Enter');
    await stage.sees('What is your mobile number?');
    await keyboard.type('+64 21 555 0199');
    await keyboard.press('Enter');
    await stage.sees('Enter the code we sent you');
    expect(await focused()).toBe('');
  });

  it('starts over: the phone knows nobody and the inbox is empty', async () => {
    await open(WIDE);
    await enterNumber();
    await stage.page.getByRole('button', { name: 'Start over' }).click();
    await stage.sees('Set up the app');
    await stage.page.getByText('No messages yet').waitFor();
    await stage.restart();
    await stage.sees('Set up the app');
    expect(await stage.page.locator('.message').count()).toBe(0);
  });
});

describe('on a phone', () => {
  it('goes on after a restart at every step, waits out a silent vendor, and takes a closed prompt for an answer', async () => {
    await open(NARROW);
    await stage.shoot('welcome');
    await enterNumber();
    await stage.restart();
    await stage.sees('Enter the code we sent you');
    await stage.type('Code', '000000');
    await stage.press('Confirm');
    await stage.sees('That code is not right');
    await stage.sees('4 tries left');
    await stage.shoot('wrong-code');
    await stage.look('Inbox');
    await stage.shoot('inbox');
    await proveNumber();

    await stage.identityVendor('Stays silent');
    await stage.look('Phone');
    await handInIdentity();
    await stage.sees('We are checking your identity');
    await stage.restart();
    await stage.sees('We are checking your identity');
    await stage.shoot('checking');
    await stage.pressBehind('Let it answer');
    await stage.shoot('behind');
    await proveEmail();

    await stage.verifiesUser(false);
    await stage.press('Create passkey');
    await stage.sees('No passkey was made, and nothing is lost.');
    await stage.shoot('prompt-closed');
    expect(await stage.phone.getByRole('alert').count()).toBe(0);
    await stage.verifiesUser(true);
    await stage.restart();
    await stage.press('Create passkey');
    await stage.sees('This phone is trusted');
    await stage.press('Log in');
    await stage.sees('Hello, Aroha Jane');
    await stage.shoot('in');
    expect(await stage.seriousFindings()).toStrictEqual([]);
    await stage.look('Behind it');
    await stage.shoot('timeline');
    expect(await stage.seriousFindings()).toStrictEqual([]);

    await stage.restart();
    await stage.sees('Hello, Aroha Jane');
    await stage.press('Log out');
    await stage.verifiesUser(false);
    await stage.press('Log in with passkey');
    await stage.sees('You closed the passkey prompt. Nothing happened.');
    expect(stage.complaints).toStrictEqual([]);
  });

  it('says what to do when the identity vendor refuses', async () => {
    await open(NARROW);
    await enterNumber();
    await proveNumber();
    await stage.identityVendor('Refuses');
    await stage.look('Phone');
    await handInIdentity();
    await stage.sees('We could not confirm your identity');
    await stage.shoot('refused');
    await stage.timelineSays('Ended, denied, identity refused');
    await stage.press('Close');
    await stage.sees('Set up the app');
    expect(stage.complaints).toStrictEqual([]);
  });
});
