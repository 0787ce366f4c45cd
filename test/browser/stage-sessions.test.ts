/**
 * Where a customer is logged in, in a real browser against the real stack: the same passkey on two phones, one ended from the other, all others
 * ended with their number, and the history of it. Photographed at both sizes, light and dark.
 */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { NARROW, StageDriver, WIDE } from './stage-driver.ts';
import { becomeCustomer } from './stage-walk.ts';

let stack: TestStack;
let browser: Browser;
const opened: StageDriver[] = [];

beforeAll(async () => {
  if ((await stateOfPages()) !== 'current') await buildPages();
  [stack, browser] = await Promise.all([startTestStack(), launchBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((stage) => stage.close()));
  stack.inbox.clear();
});

const open = async (size: typeof WIDE) => {
  const stage = await StageDriver.open(browser, stack, size);
  opened.push(stage);
  await stage.sees('Set up the app');
  return stage;
};

/** The same passkey on a phone that the bank does not know. */
async function logInElsewhere(first: StageDriver): Promise<StageDriver> {
  const other = await open(WIDE);
  await first.sharePasskeysWith(other);
  await other.press('I have a passkey');
  await other.sees('Where you are logged in');
  return other;
}

/** The list is read anew when its screen opens. */
const seesSo = (stage: StageDriver, selector: string, count: number) =>
  expect.poll(() => stage.phone.locator(selector).count(), { timeout: 30_000 }).toBe(count);

/** As it stands there now, at both sizes. */
async function shootBothSizes(stage: StageDriver, name: string): Promise<void> {
  for (const size of [NARROW, WIDE]) {
    await stage.resize(size);
    await stage.shoot(name);
  }
  expect(await stage.seriousFindings()).toStrictEqual([]);
}

describe('a customer who is logged in on several phones', () => {
  it('sees where, ends one, then all others with their number, and reads it in the history', async () => {
    const stage = await open(WIDE);
    await becomeCustomer(stage);
    await stage.sees('Only on this phone');
    // Two that are put away, and one that is still looked at.
    for (let count = 0; count < 2; count += 1) await (await logInElsewhere(stage)).close();
    const looking = await logInElsewhere(stage);

    await stage.press('See all');
    await stage.sees('A device we do not know');
    await stage.sees('This phone');
    await stage.settles();
    await seesSo(stage, '.own-session', 4);
    await shootBothSizes(stage, 'sessions');

    await stage.phone.getByRole('button', { name: 'Log out', exact: true }).first().click();
    await stage.sees('1 ended');
    await seesSo(stage, '.own-session', 3);
    await stage.press('Log out everywhere else');
    await stage.sees('2 ended');
    await stage.sees('You are logged in nowhere else.');
    await seesSo(stage, '.own-session', 1);
    await shootBothSizes(stage, 'sessions-ended');
    await looking.sees('We ended this session');

    await stage.press('Your logins');
    await stage.sees('From another device of yours');
    await stage.sees('This login');
    await stage.settles();
    await seesSo(stage, '[data-event=session_ended]', 3);
    await seesSo(stage, '[data-event=logged_in]', 4);
    await shootBothSizes(stage, 'history');

    await stage.press('Back');
    await stage.sees('Only on this phone');
    expect(stage.complaints).toStrictEqual([]);
    // Four phones are set up or logged in, on a machine that may be busy.
  }, 240_000);
});
