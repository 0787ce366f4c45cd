/**
 * The "break it" buttons in a real browser against a stack that owns its Temporal: each breaks its part, the phone says that it waits and for
 * what, and after the mending the same enrollment goes on. Photographed at both sizes, light and dark.
 */
import type { Browser } from 'playwright-core';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { NARROW, StageDriver, WIDE } from './stage-driver.ts';
import {
  becomeCustomer,
  enterNumber,
  handInIdentity,
  proveEmail,
  proveNumber,
} from './stage-walk.ts';

/** The line comes back when a test presses the button for it. */
const NO_LINE_MS = 600_000;
const PATIENCE = { timeout: 60_000, interval: 200 };

let stack: TestStack;
let browser: Browser;
let rows: postgres.Sql;
let stage: StageDriver;

beforeAll(async () => {
  if ((await stateOfPages()) !== 'current') await buildPages();
  // Without an address the stack starts a Temporal of its own, which it may stop.
  const environment = { TEMPORAL_ADDRESS: '', TEMPORAL_NAMESPACE: 'latchkey' };
  [stack, browser] = await Promise.all([
    startTestStack({ environment, noLineMs: NO_LINE_MS }),
    launchBrowser(),
  ]);
  rows = postgres(stack.database.superuserUrl, { max: 1, onnotice: () => undefined });
});

afterAll(async () => {
  await rows?.end();
  await browser?.close();
  await stack?.stop();
});

afterEach(async () => {
  await stage.close();
  await stack.parts.startOver();
  stack.inbox.clear();
});

const open = async (size: typeof WIDE) => {
  stage = await StageDriver.open(browser, stack, size);
  await stage.sees('Set up the app');
};

/** What happened to the newest ceremony, by the audit's names, without what only tells of its end. */
const audited = async (): Promise<readonly string[]> =>
  (
    await rows<{ action: string }[]>`
      select action from audit where ceremony_id = (select max(ceremony_id) from ceremony) order by position`
  ).map(({ action }) => action);

describe('a lost answer', () => {
  it('is waited out: the code was taken once, the phone says so, and the enrollment goes on', async () => {
    await open(WIDE);
    await stage.story('Lost network');
    await stage.shoot('break-story');
    await enterNumber(stage);
    await stage.takeCodeFrom('sms');
    await stage.pressBehind('Drop the next answer');
    await stage.partIs('Line to the phone', 'Armed');
    await stage.shoot('break-armed');
    expect(await stage.seriousFindings()).toStrictEqual([]);

    await stage.press('Confirm');
    await stage.sees('We lost the line');
    await stage.partIs('Line to the phone', 'Down');
    await stage.shoot('break-line-lost');
    expect(await stage.seriousFindings()).toStrictEqual([]);
    expect((await audited()).filter((action) => action === 'enrollment.step_done')).toHaveLength(1);

    await stage.pressBehind('Restore the line');
    await stage.sees('What is your name?');
    await stage.sees('Nothing was lost, and nothing was done twice.');
    await stage.partIs('Line to the phone', 'Up');
    await stage.timelineSays('Committed and answered 200, and the answer was lost: phone-code');
    await stage.timelineSays('Asked again under its first key: answered, and done once');
    await stage.timelineSays('The line is back');
    await stage.shoot('break-line-back');
    expect((await audited()).filter((action) => action === 'enrollment.step_done')).toHaveLength(1);
    await handInIdentity(stage);
    await proveEmail(stage);

    // The passkey that was made is bound by the repeat: nobody is asked for another.
    await stage.pressBehind('Drop the next answer');
    await stage.press('Create passkey');
    await stage.sees('We lost the line');
    await stage.pressBehind('Restore the line');
    await stage.sees('This phone is trusted');
    await stage.pressBehind('Drop the next answer');
    await stage.press('Log in');
    await stage.sees('We lost the line');
    await stage.pressBehind('Restore the line');
    await stage.sees('Hello, Aroha Jane');
    await stage.shoot('break-lost-network-done');
    expect(await rows`select 1 from credential where status = 'active' limit 2`).toHaveLength(1);
    expect(stage.complaints).toStrictEqual([]);
  });

  it('can be waited for no longer: the customer says so, and what stands is said plainly', async () => {
    await open(NARROW);
    await enterNumber(stage);
    await stage.takeCodeFrom('sms');
    await stage.desk('Break it');
    await stage.pressBehind('Drop the next answer');
    await stage.press('Confirm');
    await stage.sees('We lost the line');
    await stage.shoot('break-line-lost');
    expect(await stage.seriousFindings()).toStrictEqual([]);
    await stage.press('Not now');
    await stage.sees('No connection');
    await stage.desk('Break it');
    await stage.partIs('Line to the phone', 'Down');
    await stage.shoot('break-parts');
    await stage.pressBehind('Resume all');
    await stage.partIs('Line to the phone', 'Up');
    await stage.press('Confirm');
    await stage.sees('What is your name?');
    expect(stage.complaints).toStrictEqual([]);
  });
});

describe('a stopped worker', () => {
  it('lets the step wait, accepted and kept, and the same enrollment goes on when it is back', async () => {
    await open(NARROW);
    await enterNumber(stage);
    await stage.takeCodeFrom('sms');
    await stage.desk('Break it');
    await stage.pressBehind('Stop worker');
    await stage.partIs('Worker', 'Down');
    await stage.shoot('break-worker-down');
    await stage.desk('Fraud desk');
    await stage.page.getByText('The worker is stopped').waitFor();
    await stage.shoot('break-elsewhere');
    expect(await stage.seriousFindings()).toStrictEqual([]);

    await stage.press('Confirm');
    await stage.sees('The bank has it');
    await stage.shoot('break-worker-waiting');
    expect(await stage.seriousFindings()).toStrictEqual([]);
    await stage.pressBehind('Resume all');
    await stage.desk('Break it');
    await stage.partIs('Worker', 'Up');
    await stage.sees('What is your name?');
    await stage.sees('Nothing was lost, and nothing was done twice.');
    await stage.timelineSays('The worker is back');
    await stage.shoot('break-worker-timeline');
    expect((await audited()).filter((action) => action === 'enrollment.step_done')).toHaveLength(1);
    expect(stage.complaints).toStrictEqual([]);
  });

  it('says of an application that it takes longer, and opens it when it is back', async () => {
    await open(WIDE);
    await stage.desk('Break it');
    await stage.pressBehind('Stop worker');
    await stage.partIs('Worker', 'Down');
    await stage.press('Set up the app');
    await stage.press('Fill in an example');
    await stage.press('Continue');
    await stage.sees('This takes longer than it should.');
    await stage.shoot('break-worker-opening');
    await stage.pressBehind('Start worker');
    await stage.sees('Enter the code we sent you');
    await stage.takeCodeFrom('sms');
    expect(stage.complaints).toStrictEqual([]);
  });
});

describe('a stopped Temporal', () => {
  it('leaves login, refresh and the gateway as they are, lets enrollment wait, and loses nothing', async () => {
    await open(WIDE);
    await becomeCustomer(stage);
    await stage.desk('Break it');
    await stage.pressBehind('Stop Temporal');
    await stage.partIs('Temporal', 'Down');
    await stage.press('Show accounts');
    await stage.sees('Savings');
    await stage.press('Refresh');
    await stage.timelineSays('A new access token; the refresh token was rotated');
    await stage.settles();
    await stage.press('Log out');
    await stage.press('Log in with passkey');
    await stage.sees('Hello, Aroha Jane');
    await stage.shoot('break-temporal-hot-path');
    expect(await stage.seriousFindings()).toStrictEqual([]);

    await stage.close();
    await open(WIDE);
    await stage.desk('Break it');
    await stage.partIs('Temporal', 'Down');
    await stage.press('Set up the app');
    await stage.press('Fill in an example');
    await stage.press('Continue');
    await stage.sees('A short pause at the bank');
    await stage.shoot('break-temporal-waiting');
    await stage.pressBehind('Resume all');
    await stage.partIs('Temporal', 'Up');
    await stage.sees('Enter the code we sent you');
    await proveNumber(stage);
    expect(stage.complaints).toStrictEqual([]);
  });
});

describe('a new version of the worker', () => {
  it('is deployed under an open enrollment, which its next step moves to the new build', async () => {
    await open(WIDE);
    await stage.story('Lost network');
    await enterNumber(stage);
    const old = (stack.parts.view().worker.buildId ?? '').slice(0, 8);
    await stage.page.getByText(`Open enrollment: on build ${old}`).waitFor();
    await stage.pressBehind('Deploy new version');
    await stage.page.getByText(`Build ${old}.2 starts beside the old one`).waitFor();
    await stage.shoot('break-deploying');
    await stage.page.getByText(`Deployed ${old} → ${old}.2`).waitFor({ timeout: 90_000 });
    await stage.page.getByText(`its next step on ${old}.2`).waitFor();
    await stage.shoot('break-deployed');
    expect(await stage.seriousFindings()).toStrictEqual([]);

    await proveNumber(stage);
    await stage.page.getByText(`Open enrollment: on build ${old}.2`).waitFor();
    await stage.timelineSays(`build ${old} → ${old}.2, the old worker drained`);
    await stage.shoot('break-moved');
    await handInIdentity(stage);
    await proveEmail(stage);
    expect((await audited()).filter((action) => action === 'enrollment.started')).toHaveLength(1);
    expect(stage.complaints).toStrictEqual([]);
  });
});

describe('starting over', () => {
  it('mends everything and keeps the story', async () => {
    await open(WIDE);
    await stage.story('Lost network');
    await enterNumber(stage);
    await stage.pressBehind('Stop worker');
    await stage.partIs('Worker', 'Down');
    await stage.pressBehind('Drop the next answer');
    await stage.partIs('Line to the phone', 'Armed');
    await stage.page.getByRole('button', { name: 'Start over' }).click();
    await stage.sees('Set up the app');
    await stage.partIs('Line to the phone', 'Up');
    await stage.partIs('Worker', 'Up');
    expect(await stage.page.getByRole('radio', { name: 'Lost network' }).isChecked()).toBe(true);
    expect(stack.parts.view().events).toStrictEqual([]);
  });

  it('can be done, like everything here, by keyboard', async () => {
    await open(WIDE);
    const { page } = stage;
    const { keyboard } = page;
    await page.getByRole('radio', { name: 'Enroll' }).focus();
    await keyboard.press('ArrowRight');
    await keyboard.press('Space');
    await page.getByRole('tab', { name: 'Break it', selected: true }).waitFor();
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
    const tabTo = async (words: string) => {
      for (let presses = 0; presses < 20 && (await focused()) !== words; presses += 1)
        await keyboard.press('Tab');
      expect(await focused()).toBe(words);
    };
    await tabTo('Drop the next answer');
    await keyboard.press('Enter');
    await stage.partIs('Line to the phone', 'Armed');
    await tabTo('Stop worker');
    await keyboard.press('Enter');
    await stage.partIs('Worker', 'Down');
    await expect.poll(() => stack.parts.view().worker.status, PATIENCE).toBe('down');
  });
});
