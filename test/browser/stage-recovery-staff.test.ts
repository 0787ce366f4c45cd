/**
 * A lost phone at the stage with the bank's people in it: opened by an agent on a call, worked on by both sides, refused, held by fraud and released. Each
 * person in a browser of their own, all at once; nobody approves what they prepared.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { shootBothSizes } from './customer-stage.ts';
import type { StaffMember } from './operations-driver.ts';
import {
  approve,
  decide,
  letTimePass,
  proveContact,
  provePerson,
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

/** Of the customer with that number, found as an agent finds people. */
async function findCustomer(staff: StaffMember, phone: string): Promise<void> {
  await staff.goTo('/customers');
  await staff.page.getByLabel('Phone number').fill(phone);
  await staff.page.keyboard.press('Enter');
  await staff.page.getByRole('link', { name: 'Open', exact: true }).click();
  await staff.page.getByRole('link', { name: 'On the line now' }).waitFor();
}

async function open(staff: StaffMember, report: string, call?: string): Promise<void> {
  await staff.page.getByRole('button', { name: 'Open a recovery', exact: true }).click();
  const dialog = staff.page.locator('.dialog');
  await dialog.getByText(report).click();
  if (call !== undefined) await dialog.getByLabel('Call', { exact: true }).fill(call);
  await dialog.getByRole('button', { name: 'Open a recovery', exact: true }).click();
  await staff.sees('The case is open.');
}

/** By an agent who prepared nothing, and a supervisor. */
async function approveByTwo(stage: StageDriver): Promise<void> {
  const path = await bed.caseOf(stage);
  await approve(await bed.staff('mere', path));
  const sione = await bed.staff('sione', path);
  await sione.sees('1 of 2');
  await approve(sione);
}

async function bind(stage: StageDriver): Promise<void> {
  await letTimePass(stage);
  await stage.press('Create passkey');
  await stage.sees('This phone is yours now');
  await stage.press('Log in');
  await stage.sees('Hello, Aroha Jane');
}

describe('a recovery that an agent opens', () => {
  it(
    'begins with a call back, is joined by the new phone, approved by two others and bound',
    async () => {
      const { stage, contacts } = await bed.owner();
      const ana = await bed.staff('ana', '/customers');
      await findCustomer(ana, contacts.phone);
      await open(ana, 'The phone is broken', 'switch-4711');
      await proveContact(bed, stage, contacts.email, 'Broken');
      await provePerson(stage);
      await ana.goTo(await bed.caseOf(stage));
      await ana.sees('Needs a second person: you prepared this.');
      await approveByTwo(stage);
      await bind(stage);
      await showPhone(stage, 'Old phone');
      await stage.sees('We ended this session');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});

describe('a recovery that both sides work on', () => {
  it(
    'begins on the new phone; who cannot do the check is seen in a branch, two people approve, and the phone is bound',
    async () => {
      const { stage, contacts } = await bed.owner();
      await proveContact(bed, stage, contacts.email);
      await stage.press('I cannot do this check');
      await stage.sees('That is no reason to lose your account.');
      await shootBothSizes(stage, 'recovery-cannot');
      const ana = await bed.staff('ana', await bed.caseOf(stage));
      await ana.page.getByRole('button', { name: 'Record evidence', exact: true }).click();
      const dialog = ana.page.locator('.dialog');
      await dialog.getByText('Seen in a branch').click();
      await dialog.getByLabel('Reference').fill('branch-12');
      await dialog.getByRole('button', { name: 'Record evidence', exact: true }).click();
      await stage.sees('The bank looks at your case');
      await approveByTwo(stage);
      await bind(stage);
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );

  it(
    'ends with the word of the bank: refused, and the old phone goes on working',
    async () => {
      const { stage, contacts } = await bed.owner();
      await proveContact(bed, stage, contacts.email, 'I have a new one');
      await provePerson(stage);
      const sione = await bed.staff('sione', await bed.caseOf(stage));
      await decide(sione, 'Refuse', 'It looks like fraud');
      await stage.sees('The bank refused this');
      await shootBothSizes(stage, 'recovery-refused');
      await showPhone(stage, 'Old phone');
      await stage.sees('Hello, Aroha Jane');
      await stage.press('Log out');
      await stage.press('Log in with passkey');
      await stage.sees('Hello, Aroha Jane');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});

describe('a signal of fraud', () => {
  it(
    'holds the case; once the hold is lifted a supervisor lets it go on, and the person is proved anew',
    async () => {
      const { stage, contacts } = await bed.owner();
      await proveContact(bed, stage, contacts.email);
      await provePerson(stage);
      await stage.desk('Fraud desk');
      await stage.pressBehind('Cut off');
      await stage.page.getByRole('alertdialog').getByRole('button', { name: 'Cut off' }).click();
      await stage.sees('Your case is on hold');
      await shootBothSizes(stage, 'recovery-fraud-held');
      await stage.desk('Recovery');
      const path = await bed.caseOf(stage);
      const sione = await bed.staff('sione', path);
      await sione.sees('The customer’s hold is released first.');
      await stage.desk('Fraud desk');
      await stage.pressBehind('Release');
      await stage.look('Behind it');
      await stage.page.getByText('The customer can log in again.').waitFor();
      await sione.goTo(path);
      await decide(sione, 'Release', 'It was a false alarm');
      await stage.sees('Once more, please');
      await shootBothSizes(stage, 'recovery-once-more');
      await provePerson(stage, 'Check again');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});

describe('a caller', () => {
  it(
    'is verified in the app and served in under four minutes: the call opens the recovery',
    async () => {
      const { stage, contacts } = await bed.owner();
      const ana = await bed.staff('ana', '/customers');
      await findCustomer(ana, contacts.phone);
      await ana.page.getByRole('link', { name: 'On the line now' }).click();
      await ana.page.getByLabel('Case', { exact: true }).fill('4711');
      await ana.page.getByRole('button', { name: 'Ask on the phone', exact: true }).click();
      await stage.sees('You are speaking to the bank');
      // A closed prompt is no answer: the customer may try again, and the agent goes on waiting.
      await stage.verifiesUser(false);
      await stage.press('It is me');
      await stage.sees('You closed the passkey prompt. Nothing was approved.');
      await ana.sees('It waits for the passkey.');
      await stage.verifiesUser(true);
      await stage.press('It is me');
      await ana.sees('Proved by passkey');
      await open(ana, 'The customer has a new phone');
      await ana.page.getByRole('button', { name: 'Wrap up', exact: true }).click();
      const told = await ana.page.getByText('Wrapped up after').innerText();
      const [, minutes = '0'] = /after (?:(\d+) min )?/.exec(told) ?? [];
      expect(told).not.toContain(' h ');
      expect(Number(minutes)).toBeLessThan(4);
      await stage.press('Done');
      await stage.sees('The bank opened it with a caller on the line.');
    },
    RECOVERY_PATIENCE_MS,
  );
});
