/**
 * Who is on the line, a login that needs more, and a payment that a workflow of the bank awaits, in a real browser against the real stack. One customer
 * throughout; photographed light and dark.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { NARROW, StageDriver, WIDE } from './stage-driver.ts';
import { becomeCustomer } from './stage-walk.ts';

const PATIENCE_MS = 240_000;

let stack: TestStack;
let browser: Browser;
let stage: StageDriver;

beforeAll(async () => {
  if ((await stateOfPages()) !== 'current') await buildPages();
  [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
  stage = await StageDriver.open(browser, stack, WIDE);
  await stage.sees('Set up the app');
  await becomeCustomer(stage);
}, PATIENCE_MS);

afterAll(async () => {
  await stage?.close();
  await browser?.close();
  await stack?.stop();
});

/** As it stands there now, at both sizes, and what axe says of it. */
async function shootBothSizes(name: string): Promise<void> {
  for (const size of [NARROW, WIDE]) {
    await stage.resize(size);
    await stage.look('Phone');
    await stage.shoot(name);
    expect(await stage.seriousFindings()).toStrictEqual([]);
  }
}

describe('a verified call', () => {
  it(
    'names the agent in the app, and proves the customer to the agent',
    async () => {
      await stage.story('Verified call');
      await stage.pressBehind('Is it the customer?');
      await stage.sees('You are speaking to the bank');
      await stage.sees('4711');
      await stage.sees('If you are not on the phone with us right now, hang up.');
      await shootBothSizes('call');
      await stage.press('It is me');
      await stage.sees('It is you');
      await stage.look('Behind it');
      await stage.page.getByText('Proved by passkey').waitFor();
      await shootBothSizes('call-proved');
      await stage.press('Done');
      expect(stage.complaints).toStrictEqual([]);
    },
    PATIENCE_MS,
  );
});

describe('a payment by a workflow of the bank', () => {
  it(
    'waits for the customer by Nexus, and is made once he has approved',
    async () => {
      await stage.payStory('Workflow');
      await stage.pressBehind('Pay 400.00 by workflow');
      await stage.sees('Mere Roofing Ltd');
      await stage.look('Behind it');
      await stage.page.getByText('Workflow waits').last().waitFor();
      await shootBothSizes('workflow');
      await stage.press('Approve');
      await stage.page.locator('.tag', { hasText: 'Workflow done' }).waitFor();
      await shootBothSizes('workflow-done');
      await stage.press('Done');
      expect(stage.complaints).toStrictEqual([]);
    },
    PATIENCE_MS,
  );
});

describe('a risky login', () => {
  it(
    'needs a code besides the passkey, and goes on from there',
    async () => {
      await stage.story('Risky login');
      await stage.look('Behind it');
      await stage.page.locator('.segment', { hasText: 'High' }).click();
      await stage.press('Log out');
      await stage.press('Log in with passkey');
      await stage.sees('One more proof');
      await shootBothSizes('login-proof');
      await stage.takeCodeFrom('sms');
      await stage.press('Log in');
      await stage.sees('Hello, Aroha Jane');
      expect(stage.complaints).toStrictEqual([]);
    },
    PATIENCE_MS,
  );
});
