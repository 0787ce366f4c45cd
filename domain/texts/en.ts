/**
 * What customers read, in English. An SMS is plain ASCII and short enough for two parts; every text that carries a code says what the
 * code is for and that nobody from the bank asks for it. The one link that may stand in a message is freeze-line.ts's.
 */
import type { Catalogue } from './index.ts';

export const en: Catalogue = {
  enrollment_code: {
    sms: '{bank}: {code} is your code to set up the app on this phone. Valid {minutes} min. The bank never asks for it. Not you? Ignore this message.',
    subject: '{code} is your code',
    text: `{code} is your code to set up the {bank} app. It is valid for {minutes} minutes.

Type it only into the app. Nobody from {bank} will ever ask you for it.

If you did not start this, ignore this message: nothing happens without the code.`,
  },
  email_code: {
    sms: '{bank}: {code} is your code to confirm your e-mail address. Valid {minutes} min. The bank never asks for it.',
    subject: '{code} confirms your e-mail address',
    text: `{code} is your code to confirm this e-mail address with {bank}. It is valid for {minutes} minutes.

Type it only into the app. Nobody from {bank} will ever ask you for it.

If you did not start this, ignore this message: nothing happens without the code.`,
  },
  enrollment_reminder: {
    sms: '{bank}: you have started to set up the app and can go on where you stopped. Open the app to finish. After {hours} h you start anew.',
    subject: 'Finish setting up the {bank} app',
    text: `You have started to set up the {bank} app. Open the app to go on where you stopped.

If you do nothing, everything entered so far is deleted in {hours} hours.`,
  },
  enrollment_completed: {
    sms: '{bank}: the app is set up on {device}. Not you? Call the bank at the number on your card.',
    subject: 'The {bank} app is set up',
    text: `The {bank} app is set up on {device}. From now on you log in there with your passkey.

If this was not you, call {bank} at once, at the number on your card.`,
  },
  session_cut_off: {
    sms: '{bank}: to protect you we have ended every login to your account and put it on hold. Call the bank at the number on your card.',
    subject: 'Your account is on hold for your protection',
    text: `To protect you, {bank} has ended every login to your account and put it on hold.

Call {bank} at the number on your card. Nobody will ask you for a code or a password.`,
  },
  hold_released: {
    sms: '{bank}: the hold on your account has been lifted. You can log in again.',
    subject: 'Your account is open again',
    text: `The hold on your account has been lifted. You can log in to the {bank} app again.

If you have questions, call {bank} at the number on your card.`,
  },
  session_ended: {
    sms: '{bank}: the bank has ended a login to your account. Not what you asked for? Call the bank at the number on your card.',
    subject: 'A login to your account has been ended',
    text: `Somebody at {bank} has ended a login to your account. You can log in again with your passkey.

If you did not ask for this, call {bank} at the number on your card. Nobody will ask you for a code or a password.`,
  },
  device_stopped: {
    sms: '{bank}: one of your devices can no longer use your account. Not what you asked for? Call the bank at the number on your card.',
    subject: 'One of your devices can no longer use your account',
    text: `One of your devices was suspended or removed. It is logged out, and its passkeys no longer work.

If you did not ask for this, call {bank} at the number on your card. Nobody will ask you for a code or a password.`,
  },
  device_resumed: {
    sms: '{bank}: one of your devices can use your account again. Not what you asked for? Call the bank at once, at the number on your card.',
    subject: 'One of your devices can use your account again',
    text: `One of your devices that was suspended can use your account again, with its passkeys.

If you did not ask for this, call {bank} at once, at the number on your card. Nobody will ask you for a code or a password.`,
  },
  step_up_waiting: {
    sms: '{bank}: something waits for your decision. Open the app to see what it is.',
    subject: '{bank}',
    text: 'Something waits for your decision. Open the app to see what it is.',
  },
  step_up_code: {
    sms: '{bank}: {code} is your code to approve this: {action}. Valid {minutes} min. The bank never asks for it. Not what you want? Refuse it in the app.',
    subject: '{code} is your code to approve a request',
    text: `{code} is your code to approve this with {bank}:

{action}

It is valid for {minutes} minutes. Type it only into the app, and only if that is what you want. Nobody from {bank} will ever ask you for it.`,
  },
  step_up_not_me: {
    sms: '{bank}: you told us that a request in the app was not yours. We stopped it. Do not follow what a caller tells you; call the bank at the number on your card.',
    subject: 'We stopped a request that was not yours',
    text: `You told {bank} that a request in the app was not yours. We stopped it, and nothing was done.

If somebody called you about it, do not do what they say. Call {bank} at the number on your card.`,
  },
  customer_frozen: {
    sms: '{bank}: your account is frozen. No money moves and nothing sensitive changes. You can log in and end the freeze in the app. Questions? Call the number on your card.',
    subject: 'Your account is frozen',
    text: `Your account with {bank} is frozen: no money moves and nothing sensitive changes. You can still log in and read. The freeze ends by itself after a while.

If nothing is wrong, log in to the app with your passkey and end the freeze there. If somebody has your phone, call {bank} at the number on your card.`,
  },
  freeze_lifted: {
    sms: '{bank}: your account is no longer frozen. Not you? Call the bank at once, at the number on your card.',
    subject: 'Your account is no longer frozen',
    text: `The freeze of your account has been ended. Payments and changes are possible again.

If you did not want this, call {bank} at once, at the number on your card.`,
  },
  device_reported: {
    sms: '{bank}: one of your devices was reported lost or stolen. It can only read now. Found it? Lift the report from another device, or call the bank.',
    subject: 'One of your devices was reported lost or stolen',
    text: `One of your devices was reported lost or stolen. From now on it can only read: it cannot pay, approve or change anything.

If you have found it, lift the report from another of your devices, or call {bank} at the number on your card.`,
  },
  report_lifted: {
    sms: '{bank}: a device that was reported lost or stolen can be used again. Not you? Call the bank at once, at the number on your card.',
    subject: 'A reported device can be used again',
    text: `The report of a lost or stolen device was lifted. It can do again what it could before.

If you did not want this, call {bank} at once, at the number on your card.`,
  },
  freeze_code: {
    sms: '{bank}: {code} is your code to freeze your account. Valid {minutes} min. The bank never asks for it. Not you? Ignore this message.',
    subject: '{code} is your code to freeze your account',
    text: `{code} is your code to freeze your account with {bank}. It is valid for {minutes} minutes.

Type it only into the app. Nobody from {bank} will ever ask you for it. If you did not ask for it, ignore this message: nothing happens without the code.`,
  },
  passkey_removed: {
    sms: '{bank}: a passkey was removed from your account. Not you? Call the bank at once, at the number on your card.',
    subject: 'A passkey was removed from your account',
    text: `A passkey was removed from your account. It no longer works, and what was logged in with it is logged out.

If this was not you, call {bank} at once, at the number on your card. Nobody will ask you for a code or a password.`,
  },
  recovery_code: {
    sms: '{bank}: {code} is your code to recover your account on a new phone. Valid {minutes} min. The bank never asks for it. Not you? Ignore this message.',
    subject: '{code} is your code to recover your account',
    text: `{code} is your code to recover your {bank} account on a new phone. It is valid for {minutes} minutes.

Type it only into the app on your new phone, or open the link below and enter the number that the new phone shows. Nobody from {bank} will ever ask you for it. If you did not ask for it, ignore this message: nothing happens without the code.`,
  },
  recovery_opened: {
    sms: '{bank}: somebody wants to set up your account on a new phone. Not you? Stop it in the app on your phone, or call the bank at the number on your card.',
    subject: 'Somebody wants to set up your account on a new phone',
    text: `Somebody has asked to recover your {bank} account on a new phone. Until that is done, everything stays as it is.

If this was not you, stop it in the app on your phone, or call {bank} at the number on your card. Nobody will ask you for a code or a password.`,
  },
  recovery_cooling: {
    sms: '{bank}: your account will soon be set up on a new phone. Not you? Stop it now in the app on your phone, or call the bank at the number on your card.',
    subject: 'Your account will soon be set up on a new phone',
    text: `The recovery of your {bank} account was checked. After a time in which you can object, it will be set up on a new phone, and your old devices will be removed.

If this was not you, stop it now in the app on your phone, or call {bank} at the number on your card.`,
  },
  recovery_ready: {
    sms: '{bank}: you can set up your account on the new phone now. Open the app there. Not you? Call the bank at once, at the number on your card.',
    subject: 'You can set up your account on the new phone now',
    text: `You can set up your {bank} account on the new phone now. Open the app there to create your passkey.

If this was not you, call {bank} at once, at the number on your card.`,
  },
  recovery_completed: {
    sms: '{bank}: your account is set up on a new phone, and your old devices were removed. Not you? Call the bank at once, at the number on your card.',
    subject: 'Your account is set up on a new phone',
    text: `Your {bank} account is set up on a new phone. Your old devices and passkeys were removed, and limits are lower for a while.

If this was not you, call {bank} at once, at the number on your card.`,
  },
  recovery_ended: {
    sms: '{bank}: the recovery of your account has ended. Nothing was changed. Questions? Call the bank at the number on your card.',
    subject: 'The recovery of your account has ended',
    text: `The recovery of your {bank} account has ended without setting up a new phone. Your devices and passkeys are as they were.

If you have questions, call {bank} at the number on your card.`,
  },
};
