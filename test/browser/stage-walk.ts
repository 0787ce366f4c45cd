/** The steps of an enrollment as a person takes them at the stage. */
import type { StageDriver } from './stage-driver.ts';

export async function enterNumber(stage: StageDriver): Promise<void> {
  await stage.press('Set up the app');
  await stage.press('Fill in an example');
  await stage.press('Continue');
  await stage.sees('Enter the code we sent you');
}

export async function proveNumber(stage: StageDriver): Promise<void> {
  await stage.takeCodeFrom('sms');
  await stage.press('Confirm');
  await stage.sees('What is your name?');
}

export async function handInIdentity(stage: StageDriver): Promise<void> {
  await stage.press('Fill in an example');
  await stage.press('Continue');
  await stage.phone.getByRole('spinbutton').first().click();
  await stage.page.keyboard.type('17041988');
  await stage.press('Continue');
  await stage.press('Fill in an example');
  await stage.press('Check my identity');
}

export async function proveEmail(stage: StageDriver): Promise<void> {
  await stage.sees('What is your e\u2011mail address?');
  await stage.press('Fill in an example');
  await stage.press('Continue');
  await stage.sees('Enter the code from the e-mail');
  await stage.takeCodeFrom('email');
  await stage.press('Confirm');
  await stage.sees('Create your passkey');
}

export async function becomeCustomer(stage: StageDriver): Promise<void> {
  await enterNumber(stage);
  await proveNumber(stage);
  await handInIdentity(stage);
  await proveEmail(stage);
  await stage.press('Create passkey');
  await stage.sees('This phone is trusted');
  await stage.press('Log in');
  await stage.sees('Hello, Aroha Jane');
}
