/** What a refusal means to a customer: what happened and what to do now, without blame. By code; what is not listed is `unknown`. */
export const problems = {
  network_lost: {
    title: 'No connection',
    text: 'We could not reach the bank. Nothing was lost. Try again when you are online.',
  },
  answer_unreadable: {
    title: 'Something went wrong on our side',
    text: 'Nothing was lost. Try again in a moment.',
  },
  temporal_unavailable: {
    title: 'We have to pause for a moment',
    text: 'Setting up cannot go on right now. Your place is kept. Try again soon.',
  },
  database_unavailable: {
    title: 'We cannot answer right now',
    text: 'Nothing was lost. Try again in a moment.',
  },
  outcome_pending: {
    title: 'Still working on it',
    text: 'We have your answer and are finishing the step. Try again in a moment.',
  },
  too_many_requests: { title: 'A little slower', text: 'Wait a moment, then try again.' },
  wrong_code: { title: 'That code is not right', text: 'Check the latest message and try again.' },
  code_expired: { title: 'That code has expired', text: 'We can send you a new one.' },
  resend_too_soon: {
    title: 'A code is on its way',
    text: 'It can take a few seconds. You can ask for another one shortly.',
  },
  resends_exhausted: {
    title: 'No more codes for this step',
    text: 'Use the latest code, or start again.',
  },
  phone_invalid: {
    title: 'We cannot send a code there',
    text: 'Enter a mobile number with its country code, such as +64 21 123 4567.',
  },
  email_invalid: { title: 'Check the address', text: 'Enter an address such as name@example.com.' },
  invalid_request: { title: 'Check what you entered', text: 'Something there does not fit.' },
  credential_unknown: {
    title: 'We do not know that passkey',
    text: 'Choose another one, or set up the app again.',
  },
  device_not_allowed: {
    title: 'This phone may not log in',
    text: 'Call the bank at the number on your card.',
  },
  device_key_exists: {
    title: 'This phone is set up already',
    text: 'Log in with your passkey. Nothing was changed.',
  },
  passkey_unsupported: {
    title: 'No passkeys here',
    text: 'This browser has no passkeys. Use a current one on a device with a screen lock.',
  },
  passkey_exists_here: {
    title: 'There is a passkey already',
    text: 'This device has a passkey for the bank. Log in with it.',
  },
  passkey_failed: {
    title: 'The passkey did not answer',
    text: 'Nothing was changed. Try again.',
  },
  insufficient_scope: {
    title: 'Not from here',
    text: 'This phone may look but not do that.',
  },
  session_limit_reached: {
    title: 'You are logged in on too many devices',
    text: 'Log out on one of them, then log in here.',
  },
  other_device_needed: {
    title: 'Not from this phone',
    text: 'Do that from another of your devices.',
  },
  last_credential: {
    title: 'This is your only passkey',
    text: 'Set up another device first. Without a passkey you could not log in.',
  },
  device_ended: {
    title: 'That was removed',
    text: 'It cannot come back. Set the device up anew.',
  },
  customer_frozen: {
    title: 'Your account is frozen',
    text: 'No money moves and nothing sensitive changes. End the freeze with your passkey to go on.',
  },
  freeze_limit_reached: {
    title: 'This cannot be frozen from here now',
    text: 'Log in on your own phone, or call the bank at the number on your card.',
  },
  recovery_request_not_found: {
    title: 'This message counts no more',
    text: 'Ask again. Your account is as it was.',
  },
  recovery_not_found: {
    title: 'This phone has no such case',
    text: 'Begin again, or call the bank at the number on your card.',
  },
  recovery_held: {
    title: 'The bank is looking at your case',
    text: 'It goes on when they have. Nothing was changed.',
  },
  cooling_off: {
    title: 'The time to object is not over',
    text: 'It may still be used. Try again later.',
  },
  factors_missing: {
    title: 'Something has still to be proved',
    text: 'Go on with the step that is shown.',
  },
  approval_void: {
    title: 'The bank has to look again',
    text: 'Something has changed since it was approved. Nothing is lost.',
  },
  device_too_weak: {
    title: 'This phone cannot keep your keys as safely',
    text: 'Use one that is as safe as your old one, or call the bank at the number on your card.',
  },
  customer_on_hold: {
    title: 'Your account is on hold',
    text: 'Call the bank at the number on your card. Nobody will ask you for a code.',
  },
  wrong_step: { title: 'Not now', text: 'This has moved on. Look at what is shown.' },
  attempts_exhausted: {
    title: 'No more tries',
    text: 'For your safety this has ended. You can ask again.',
  },
  ceremony_ended: {
    title: 'This has ended',
    text: 'Nothing was changed by this phone. You can begin again.',
  },
  ceremony_expired: {
    title: 'That took too long',
    text: 'Nothing was changed. You can begin again.',
  },
  insufficient_user_authentication: {
    title: 'Use your passkey first',
    text: 'Log out, log in with your passkey, then try again.',
  },
  approval_key_invalid: {
    title: 'This phone’s key did not fit',
    text: 'Nothing was changed. Call the bank at the number on your card.',
  },
  credential_exists: {
    title: 'That passkey is known already',
    text: 'Create a new one. Nothing was changed.',
  },
  challenge_invalid: { title: 'That took too long', text: 'Create the passkey once more.' },
  challenge_spent: { title: 'That was used already', text: 'Create the passkey once more.' },
  session_ended: { title: 'Your session has ended', text: 'Log in again to go on.' },
  unknown: { title: 'That did not work', text: 'Nothing was changed. Try again in a moment.' },
} as const;
