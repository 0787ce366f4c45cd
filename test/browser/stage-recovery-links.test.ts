/**
 * The links of a recovery's messages at the stage: as a scanner, hurried and late people open them; and "that was not me" when the other phone is bound
 * already. Photographed light and dark.
 */
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  approve,
  askByEmail,
  letTimePass,
  openLink,
  proveContact,
  provePerson,
  RECOVERY_PATIENCE_MS,
  RecoveryStage,
  showPhone,
} from './recovery-walk.ts';
import type { StageDriver } from './stage-driver.ts';

const PROVE = 'Yes, that is my phone';

let bed: RecoveryStage;
let rows: postgres.Sql;

beforeAll(async () => {
  bed = await RecoveryStage.open();
  rows = postgres(bed.stack.database.superuserUrl, { max: 1, onnotice: () => undefined });
}, RECOVERY_PATIENCE_MS);
afterAll(async () => {
  await rows?.end();
  await bed?.close();
});
afterEach(() => bed.leave());

describe('“that was not me”, when the other phone is bound', () => {
  it(
    'is heard by the link of the message: every phone is cut off, the new one first',
    async () => {
      const { stage, contacts } = await bed.owner();
      const thief = await bed.profile();
      await thief.story('Lost phone');
      await proveContact(bed, thief, contacts.email, 'I have a new one');
      await provePerson(thief);
      await approve(await bed.staff('sione', await bed.caseOf(thief)));
      await letTimePass(thief);
      await thief.press('Create passkey');
      await thief.sees('This phone is yours now');
      await thief.press('Log in');
      await thief.sees('Hello, Aroha Jane');
      await thief.sees('Recovered lately');
      await showPhone(stage, 'Old phone');
      await stage.sees('We ended this session');
      await stage.shoot('recovery-too-late-old');
      const page = await openLink(stage, contacts.email, 'Open “that was not me”');
      await page.getByText('If it is over already, the button cuts off every phone').waitFor();
      await page.getByRole('button', { name: 'That was not me' }).click();
      await page.getByRole('heading', { name: 'Your account is cut off' }).waitFor();
      await page.close();
      await thief.sees('We ended this session');
      await thief.shoot('recovery-too-late-new');
      await thief.press('Log in again');
      await thief.sees('Nobody can log in, on any phone.');
      await thief.settles();
      await thief.shoot('recovery-too-late-hold');
      expect([...stage.complaints, ...thief.complaints]).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});

describe('the link', () => {
  it(
    'proves nothing when a scanner opens it, and says when it was replaced, used or is too old; the phone says the same',
    async () => {
      const { stage, contacts } = await bed.owner();
      await askByEmail(stage, contacts.email);
      const scanned = await openLink(stage, contacts.email, 'Open the link');
      await scanned.getByRole('button', { name: PROVE }).waitFor();
      await stage.sees('Your check number');
      const number = await stage.phone.locator('.check-number output').innerText();
      await stage.press('Another contact');
      const before = bed.codesTo(contacts.email).length;
      await askAgain(stage, contacts.email);
      await bed.codeTo(contacts.email, before);
      await scanned.getByLabel('Number on the new phone').fill(number);
      await scanned.getByRole('button', { name: PROVE }).click();
      await scanned.getByRole('heading', { name: 'This link is too old' }).waitFor();
      await scanned.close();
      // A quarter of an hour, and a little.
      await rows`update recovery_request set created_at = created_at - interval '16 minutes', expires_at = expires_at - interval '16 minutes'
        where status = 'sent'`;
      await stage.sees('That took too long');
      await stage.shoot('recovery-link-expired');
      await stage.press('Ask again');
      const codes = bed.codesTo(contacts.email).length;
      await askAgain(stage, contacts.email);
      await bed.codeTo(contacts.email, codes);
      const newest = await stage.phone.locator('.check-number output').innerText();
      for (const end of ['Go on with your new phone', 'This link has been used']) {
        const page = await openLink(stage, contacts.email, 'Open the link');
        await page.getByLabel('Number on the new phone').fill(newest);
        await page.getByRole('button', { name: PROVE }).click();
        await page.getByRole('heading', { name: end }).waitFor();
        await page.close();
      }
      await stage.sees('Show that it is you');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});

/** From the question that stands there again. */
async function askAgain(stage: StageDriver, email: string): Promise<void> {
  await stage.sees('What happened to your phone?');
  await stage.type('E\u2011mail address', email);
  await stage.press('Send a message there');
  await stage.sees('Your check number');
}
