/**
 * A request answered without a mouse, and one that the customer declines: in a real browser against the real stack, by somebody who wants nothing to
 * move on the page. Photographed light and dark.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCustomerStage, shootBothSizes, STAGE_PATIENCE_MS } from './customer-stage.ts';
import type { CustomerStage } from './customer-stage.ts';
import type { StageDriver } from './stage-driver.ts';

/** More stops than the page has. */
const MOST_TABS = 60;
/** What ends this soon was not seen to move. */
const UNSEEN_MS = 10;

let opened: CustomerStage;
let stage: StageDriver;

beforeAll(async () => {
  opened = await openCustomerStage();
  ({ stage } = opened);
  await stage.page.emulateMedia({ reducedMotion: 'reduce' });
}, STAGE_PATIENCE_MS);

afterAll(() => opened?.close());

async function isAskedFor400(): Promise<void> {
  await stage.payStory('400: passkey');
  await stage.settles();
  await stage.press('Pay 400.00 NZD');
  await stage.sees('Demo Bank payments asks you');
}

async function tabTo(name: string): Promise<void> {
  const wanted = stage.phone.getByRole('button', { name, exact: true });
  for (let stop = 0; stop < MOST_TABS; stop += 1) {
    if (await wanted.evaluate((button) => button === document.activeElement)) return;
    await stage.page.keyboard.press('Tab');
  }
  throw new Error(`no way by keyboard to ${name}`);
}

describe('a request', () => {
  it(
    'is approved by keyboard alone, and nothing moves for whoever prefers that',
    async () => {
      await isAskedFor400();
      const longestMs = await stage.page.evaluate(() =>
        Math.max(
          0,
          ...document
            .getAnimations()
            .map((animation) => Number(animation.effect?.getComputedTiming().activeDuration ?? 0)),
        ),
      );
      expect(longestMs).toBeLessThan(UNSEEN_MS);
      await tabTo('Approve');
      await stage.page.keyboard.press('Enter');
      await stage.sees('Your passkey and this phone’s approval key');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );

  it(
    'is declined by the customer himself, and told as a payment that was not made',
    async () => {
      await isAskedFor400();
      await tabTo('It is me, but do not do it');
      await stage.page.keyboard.press('Enter');
      await stage.sees('Not approved');
      await stage.sees('The payment was not made.');
      await shootBothSizes(stage, 'declined');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );
});
