/**
 * "It was me: no need to wait", said on the old phone: by a fresh passkey, and from no phone that was reported. The app is closed and opened again
 * meanwhile. Photographed light and dark.
 */
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { shootBothSizes } from './customer-stage.ts';
import {
  approve,
  proveContact,
  provePerson,
  RECOVERY_PATIENCE_MS,
  RecoveryStage,
  reopen,
  showPhone,
} from './recovery-walk.ts';
import type { StageDriver } from './stage-driver.ts';

const SHORTEN = 'It was me: no need to wait';

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

/** On the new phone, until the owner may object. */
async function cool(stage: StageDriver, email: string, report: string): Promise<void> {
  await proveContact(bed, stage, email, report);
  await provePerson(stage);
  await approve(await bed.staff('sione', await bed.caseOf(stage)));
  await stage.sees('How the owner can object');
}

async function mayShorten(stage: StageDriver): Promise<void> {
  await stage.pressBehind('Its shortest wait passes');
  await showPhone(stage, 'Old phone');
  await stage.phone.getByRole('button', { name: SHORTEN, disabled: false }).waitFor();
}

describe('“it was me”, on the old phone', () => {
  it(
    'ends the wait after its shortest part by a fresh passkey alone; the new phone, opened again, goes on',
    async () => {
      const { stage, contacts } = await bed.owner();
      await cool(stage, contacts.email, 'I have a new one');
      // The owner last used the passkey some time ago.
      await rows`update session set auth_time = auth_time - interval '10 minutes' where status = 'live'`;
      await reopen(stage);
      await stage.sees('How the owner can object');
      await showPhone(stage, 'Old phone');
      await stage.sees('Possible from');
      expect(await stage.phone.getByRole('button', { name: SHORTEN }).isDisabled()).toBe(true);
      await stage.shoot('recovery-shorten-not-yet');
      await showPhone(stage, 'New phone');
      await mayShorten(stage);
      // Whoever has the unlocked phone has no face and no finger of its owner.
      await stage.verifiesUser(false);
      await stage.press(SHORTEN);
      await stage.sees('You closed the passkey prompt. Nothing happened.');
      await showPhone(stage, 'New phone');
      await stage.sees('How the owner can object');
      await showPhone(stage, 'Old phone');
      await stage.verifiesUser(true);
      await stage.press(SHORTEN);
      await stage.sees('The other phone can be set up now.');
      await stage.settles();
      await stage.shoot('recovery-shortened');
      await reopen(stage);
      await stage.sees('Create your passkey');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );

  it(
    'ends nothing from a phone that was reported, whoever has it and whatever passkey is on it',
    async () => {
      const { stage, contacts } = await bed.owner();
      await cool(stage, contacts.email, 'Lost');
      await mayShorten(stage);
      await stage.press(SHORTEN);
      await stage.sees('Not from this phone');
      await shootBothSizes(stage, 'recovery-shorten-refused');
      await showPhone(stage, 'New phone');
      await stage.sees('How the owner can object');
      expect(stage.complaints).toStrictEqual([]);
    },
    RECOVERY_PATIENCE_MS,
  );
});
