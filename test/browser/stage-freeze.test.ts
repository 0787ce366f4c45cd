/** "Freeze my account" on the stage's phone: one button stops payments, and the passkey lets them go on. Photographed light and dark. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
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

/** The phone draws itself anew while it hears of the freeze. */
async function scrollToFreeze(): Promise<void> {
  const region = stage.phone.getByRole('region', { name: 'Something wrong?' });
  await vi.waitFor(() => region.scrollIntoViewIfNeeded(), { timeout: 30_000, interval: 100 });
}

async function shootBothSizes(name: string): Promise<void> {
  for (const size of [NARROW, WIDE]) {
    await stage.resize(size);
    await stage.look('Phone');
    await scrollToFreeze();
    await stage.shoot(name);
    expect(await stage.seriousFindings()).toStrictEqual([]);
  }
}

it(
  'stops a payment that needs nobody’s approval, says so, and ends by the passkey',
  async () => {
    await stage.press('Freeze my account');
    await stage.sees('Your account is frozen.');
    await stage.timelineSays('Frozen (app)');
    await stage.look('Phone');
    await shootBothSizes('frozen');
    await stage.payStory('40: signed');
    await stage.press('Pay 40.00 NZD');
    await stage.sees('End the freeze with your passkey to pay again.');
    await stage.press('Done');
    await stage.settles();
    await stage.press('End the freeze with my passkey');
    await stage.sees('Freeze your account to stop payments');
    await stage.payStory('40: signed');
    await stage.press('Pay 40.00 NZD');
    await stage.sees('Signed by this phone’s key');
    expect(stage.complaints).toStrictEqual([]);
  },
  PATIENCE_MS,
);
