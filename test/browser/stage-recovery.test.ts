/**
 * A lost phone at the stage, by the customer alone: contact, person, waiting room, time to object, new phone; the owner's veto on the old phone; and a thief
 * in a profile of his own. Two customers' browsers and the bank's people at once; photographed light and dark.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { shootBothSizes } from './customer-stage.ts';
import {
  approve,
  askByEmail,
  letTimePass,
  proveContact,
  provePerson,
  RECOVERY_PATIENCE_MS,
  RecoveryStage,
  showPhone,
} from './recovery-walk.ts';

let bed: RecoveryStage;

beforeAll(async () => {
  bed = await RecoveryStage.open();
}, RECOVERY_PATIENCE_MS);
afterAll(() => bed?.close());
afterEach(() => bed.leave());

describe('a lost phone', () => {
  it(
    'is replaced by the customer alone: code, person, review, time to object, passkey, and the old one is out',
    async () => {
      const { stage, contacts } = await bed.owner();
      await showPhone(stage, 'New phone');
      await stage.press('I lost my phone');
      await shootBothSizes(stage, 'recovery-ask');
      await stage.phone.getByRole('button', { name: 'Back' }).click();
      const before = bed.codesTo(contacts.email).length;
      await askByEmail(stage, contacts.email);
      await shootBothSizes(stage, 'recovery-check-number');
      await stage.type('Code from the message', await bed.codeTo(contacts.email, before));
      await stage.press('Confirm');
      await stage.sees('Show that it is you');
      await shootBothSizes(stage, 'recovery-person');
      await provePerson(stage);
      await shootBothSizes(stage, 'recovery-waiting');
      await stage.restart();
      await stage.story('Lost phone');
      await stage.sees('The bank looks at your case');
      const sione = await bed.staff('sione', await bed.caseOf(stage));
      await approve(sione);
      await stage.sees('How the owner can object');
      await shootBothSizes(stage, 'recovery-cooling');
      await letTimePass(stage);
      await shootBothSizes(stage, 'recovery-passkey');
      await stage.verifiesUser(false);
      await stage.press('Create passkey');
      await stage.sees('No passkey was made, and nothing is lost.');
      await stage.verifiesUser(true);
      await stage.press('Create passkey');
      await stage.sees('This phone is yours now');
      await shootBothSizes(stage, 'recovery-done');
      await stage.press('Log in');
      await stage.sees('Hello, Aroha Jane');
      await stage.sees('Lower limits for a while');
      await shootBothSizes(stage, 'recovery-limited');
      await showPhone(stage, 'Old phone');
      await stage.sees('We ended this session');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );

  it(
    'is stopped by the owner who still has it: one press on the old phone, and the new one gets nothing',
    async () => {
      const { stage, contacts } = await bed.owner();
      const thief = await bed.profile();
      await thief.story('Lost phone');
      // Whoever reads the owner's mail gets this far.
      await proveContact(bed, thief, contacts.email, 'I have a new one');
      await stage.look('Phone');
      await stage.sees('Somebody recovers your account');
      await shootBothSizes(stage, 'recovery-notice');
      await stage.press('This was not me');
      await stage.sees('It is over');
      await shootBothSizes(stage, 'recovery-vetoed-old');
      await thief.sees('The owner objected');
      await shootBothSizes(thief, 'recovery-vetoed-new');
      expect(thief.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});

describe('a thief', () => {
  it(
    'with the lost phone gets nothing: its number proves nothing, its veto only holds, and the case goes to the bank',
    async () => {
      const { stage, contacts } = await bed.owner();
      await proveContact(bed, stage, contacts.email, 'Stolen');
      await provePerson(stage);
      await showPhone(stage, 'Old phone');
      await stage.sees('Somebody recovers your account');
      await stage.press('This was not me');
      await stage.sees('It is on hold');
      await shootBothSizes(stage, 'recovery-thief-held');
      await showPhone(stage, 'New phone');
      await stage.sees('Your case is on hold');
      await shootBothSizes(stage, 'recovery-held');
      const sione = await bed.staff('sione', await bed.caseOf(stage));
      await sione.sees('This case is held');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );

  it(
    'with nothing but the address guesses codes until there are no more tries, and the owner sees nothing',
    async () => {
      const { stage, contacts } = await bed.owner();
      const thief = await bed.profile();
      await thief.story('Lost phone');
      await askByEmail(thief, contacts.email);
      const right = await bed.codeTo(contacts.email);
      for (let left = 4; left >= 0; left -= 1) {
        const wrong = String((Number(right) + left + 1) % 1_000_000).padStart(6, '0');
        await thief.type('Code from the message', wrong);
        await thief.press('Confirm');
        if (left > 0) await thief.sees(left === 1 ? '1 try left.' : `${String(left)} tries left.`);
      }
      await thief.sees('Too many wrong tries');
      await shootBothSizes(thief, 'recovery-thief-codes');
      await stage.sees('Hello, Aroha Jane');
      expect(await stage.phone.getByText('Somebody recovers your account').count()).toBe(0);
    },
    RECOVERY_PATIENCE_MS,
  );
});
