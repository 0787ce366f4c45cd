/**
 * Who is on the line, a login that needs more, and a payment that a workflow of the bank awaits, in a real browser against the real stack. One customer
 * throughout; photographed light and dark.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCustomerStage, shootBothSizes, STAGE_PATIENCE_MS } from './customer-stage.ts';
import type { CustomerStage } from './customer-stage.ts';
import type { StageDriver } from './stage-driver.ts';

let opened: CustomerStage;
let stage: StageDriver;

beforeAll(async () => {
  opened = await openCustomerStage();
  ({ stage } = opened);
}, STAGE_PATIENCE_MS);

afterAll(() => opened?.close());

describe('a verified call', () => {
  it(
    'names the agent in the app, and proves the customer to the agent',
    async () => {
      await stage.story('Verified call');
      await stage.pressBehind('Is it the customer?');
      await stage.sees('You are speaking to the bank');
      await stage.sees('E-1001');
      await stage.sees('4711');
      await stage.sees('If you are not on the phone with us right now, hang up.');
      await shootBothSizes(stage, 'call');
      await stage.press('It is me');
      await stage.sees('It is you');
      await stage.look('Behind it');
      await stage.page.getByText('Proved by passkey').waitFor();
      await shootBothSizes(stage, 'call-proved');
      await stage.press('Done');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
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
      await shootBothSizes(stage, 'workflow');
      await stage.press('Approve');
      await stage.page.locator('.tag', { hasText: 'Workflow done' }).waitFor();
      await shootBothSizes(stage, 'workflow-done');
      await stage.press('Done');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
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
      await shootBothSizes(stage, 'login-proof');
      await stage.takeCodeFrom('sms');
      await stage.press('Log in');
      await stage.sees('Hello, Aroha Jane');
      expect(stage.complaints).toStrictEqual([]);
    },
    STAGE_PATIENCE_MS,
  );
});
