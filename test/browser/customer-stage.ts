/** The stage in a real browser against a whole stack, with a customer who has the app already: where stories about approvals begin. */
import { expect } from 'vitest';
import { buildPages, stateOfPages } from '../../cli/pages.ts';
import { launchBrowser } from '../setup/programs/browser.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { NARROW, StageDriver, WIDE } from './stage-driver.ts';
import { becomeCustomer } from './stage-walk.ts';

/** For whatever starts servers, builds pages or waits for a browser. */
export const STAGE_PATIENCE_MS = 240_000;

export interface CustomerStage {
  readonly stage: StageDriver;
  readonly stack: TestStack;
  close(): Promise<void>;
}

export async function openCustomerStage(
  options: Parameters<typeof startTestStack>[0] = {},
): Promise<CustomerStage> {
  if ((await stateOfPages()) !== 'current') await buildPages();
  const [stack, browser] = await Promise.all([startTestStack(options), launchBrowser()]);
  const stage = await StageDriver.open(browser, stack, WIDE);
  await stage.sees('Set up the app');
  await becomeCustomer(stage);
  return {
    stage,
    stack,
    close: async () => {
      await stage.close();
      await browser.close();
      await stack.stop();
    },
  };
}

/** As it stands there now, at both sizes, and what axe says of it. */
export async function shootBothSizes(stage: StageDriver, name: string): Promise<void> {
  for (const size of [NARROW, WIDE]) {
    await stage.resize(size);
    await stage.look('Phone');
    await stage.shoot(name);
    expect(await stage.seriousFindings()).toStrictEqual([]);
  }
}
