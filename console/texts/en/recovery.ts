/** What the customer reads when the phone is lost: on the new phone from the first question to the last, and on the phone that is still there. */
type Words = Readonly<Record<string, string | undefined>>;

const CALL_US = 'Call the bank at the number on your card.';

export const recovery = {
  begin: 'I lost my phone',
  ask: {
    title: 'What happened to your phone?',
    reports: {
      lost: 'Lost',
      stolen: 'Stolen',
      broken: 'Broken',
      replaced: 'I have a new one',
    },
    reportsLabel: 'What happened',
    by: 'How shall we reach you?',
    byEmail: 'By e\u2011mail',
    byPhone: 'By SMS',
    byPhoneLost: 'A message to a phone that is gone proves nothing. E\u2011mail is better.',
    email: 'E\u2011mail address',
    emailHint: 'The one that the bank knows.',
    phone: 'Mobile number',
    phoneHint: 'With its country code. The one that the bank knows.',
    send: 'Send a message there',
    freeze: 'Freeze my account first',
  },
  request: {
    title: 'Look into your messages',
    text: 'If the bank knows that contact, a message is on its way. Do one of two things.',
    number: 'Your check number',
    numberText: 'Open the link in the message, on any device, and type this number there.',
    or: 'or',
    code: 'Code from the message',
    confirm: 'Confirm',
    never: 'Nobody from the bank asks for the code or this number.',
    again: 'Another contact',
    until: (time: string) => `Valid for ${time}`,
    triesLeft: (left: number) => (left === 1 ? '1 try left.' : `${left} tries left.`),
    over: {
      superseded: { title: 'There is a newer message', text: 'Use the newest one, or ask again.' },
      exhausted: {
        title: 'Too many wrong tries',
        text: 'For your safety this message counts no more. Your account is as it was. You can ask again.',
      },
      expired: {
        title: 'That took too long',
        text: 'The message counts no more. Your account is as it was. You can ask again.',
      },
    },
    askAgain: 'Ask again',
  },
  elsewhere: {
    title: 'Another phone has this case',
    text: `Somebody is setting up your account on another phone, and neither goes on before the bank has looked. ${CALL_US}`,
    close: 'Close',
  },
  road: {
    label: 'Where your case stands',
    steps: {
      contact: 'A message reached you',
      identity: 'It is you',
      review: 'The bank looks at it',
      cooling: 'Time to object',
      rebind: 'This phone',
    },
    done: 'done',
    now: 'now',
  },
  actors: {
    customer: 'Your turn',
    bank: 'The bank’s turn',
    nobody: 'Nobody has to do anything',
  },
  next: (time: string) => `Next step at the latest ${time}`,
  yourTurn: (time: string) => `You have time until ${time}`,
  close: 'You may close the app. We keep your place and send you a message.',
  reference: (id: string) => `Case ${id}`,
  cancel: 'I found my phone: stop this',
  cancelled: 'Stopping',
  starting: { title: 'Opening your case', text: 'This takes a second.' },
  contact: {
    title: 'One more contact',
    text: 'Something about your account is new. So we ask for a second contact, on another way than the first.',
    titleFirst: 'Prove a contact',
    textFirst: 'The bank has opened your case. Now a message has to reach you.',
    stuck: `You cannot? ${CALL_US}`,
  },
  identity: {
    title: 'Show that it is you',
    text: 'You look into the camera for a few seconds. Our partner compares you with the document of your enrollment. We keep no picture.',
    begin: 'Start the check',
    again: 'Check again',
    starting: 'Opening the camera check',
    looking: 'Look into the camera',
    lookingText: 'This stage has no camera: the liveness vendor behind it decides.',
    waits: 'We wait for the result. It may take a moment, and nothing is lost meanwhile.',
    left: (left: number) => (left === 1 ? '1 try left' : `${left} tries left`),
    cannot: 'I cannot do this check',
    cannotText: `No camera, bad sight, something else? That is no reason to lose your account. ${CALL_US} Then come to a branch, or show your document by video.`,
    verdicts: {
      failed: {
        title: 'That was not clear enough',
        text: 'We could not see that it is you. Try again in good light, without glasses or hat.',
      },
      low_confidence: {
        title: 'Almost',
        text: 'The picture was not good enough to be sure. Try again in good light.',
      },
      injection_suspected: {
        title: 'That did not look like a live camera',
        text: 'Use the camera of this phone, without other video apps. The bank sees this too.',
      },
      timed_out: {
        title: 'The check ran out of time',
        text: 'Nothing is lost. Start it again when you are ready.',
      },
    },
    onceMore: {
      title: 'Once more, please',
      text: 'The bank has looked at your case, and it goes on. After that we check anew that it is you.',
    },
    none: {
      title: 'No more tries here',
      text: `That is no reason to lose your account. ${CALL_US}`,
    },
  },
  review: {
    title: 'The bank looks at your case',
    text: 'People compare what you have proved. You need not do anything.',
  },
  cooling: {
    title: 'Time to object',
    text: 'Your case was approved. Before this phone gets your account, whoever owns it can still object.',
    until: (time: string) => `Until ${time}`,
    left: (time: string) => `in ${time}`,
    how: 'How the owner can object',
    ways: [
      'In the app on the old phone: “This was not me”',
      'By the link in the message to every contact',
      'By a call to the number on the card',
    ],
  },
  held: {
    title: 'Your case is on hold',
    text: 'Somebody objected, or the bank saw something unusual. Nothing goes on before people of the bank have looked. Your account is as it was.',
    now: CALL_US,
  },
  rebind: {
    title: 'Create your passkey',
    text: 'The time to object is over. This phone gets your account now.',
    effects: [
      'Every old phone, passkey and login ends in the same moment',
      'For a while payments are asked for everything there is',
    ],
    create: 'Create passkey',
    cancelled: 'No passkey was made, and nothing is lost. Create it whenever you are ready.',
  },
  done: {
    title: 'This phone is yours now',
    text: 'Your account is set up here, and every old phone and passkey has ended.',
    limited: (time: string) =>
      `Until ${time} every payment needs your passkey, this phone’s key and a code.`,
    logIn: 'Log in',
  },
  ends: {
    identity_not_proved: {
      title: 'We could not see that it is you',
      text: `Your account is as it was. ${CALL_US} There are other ways to prove who you are.`,
    },
    refused_by_staff: {
      title: 'The bank refused this',
      text: `Your account is as it was, and passkeys that worked go on working. ${CALL_US}`,
    },
    vetoed: {
      title: 'The owner objected',
      text: 'This phone gets no account. Everything is as it was before.',
    },
    step_timeout: {
      title: 'That took too long',
      text: 'Your account is as it was. You can begin again.',
    },
    abandoned: {
      title: 'Your case has expired',
      text: 'Your account is as it was. You can begin again.',
    },
    never_started: {
      title: 'We could not open your case',
      text: 'That is not your fault, and nothing was changed. Begin again.',
    },
    cancelled_by_customer: {
      title: 'Stopped',
      text: 'Your account is as it was. Log in on the phone that you have.',
    },
    unknown: { title: 'This case has ended', text: 'Your account is as it was.' },
  },
  ended: { again: 'Begin again', close: 'Close' },
  /** On the phone that is still there. */
  notice: {
    card: 'Somebody recovers your account',
    text: (report: string) => `On another phone. They say that this one ${report}.`,
    byStaff: 'The bank opened it with a caller on the line.',
    reports: {
      lost: 'is lost',
      stolen: 'was stolen',
      broken: 'is broken',
      replaced: 'was replaced',
    },
    states: {
      starting: 'It has just begun',
      contact: 'It waits for a contact',
      identity: 'It waits for a check of the person',
      review: 'People of the bank look at it',
      cooling: 'It was approved',
      rebind: 'The other phone may be bound now',
      held: 'It is on hold: the bank looks at it',
      ended: 'The other phone was bound',
    },
    since: (time: string) => `Since ${time}`,
    over: (time: string) => `Object before ${time}`,
    object: 'This was not me',
    shorten: 'It was me: no need to wait',
    shortenFrom: (time: string) => `Possible from ${time}`,
    objected: {
      ended: {
        title: 'It is over',
        text: 'Your account stays here. The other phone gets nothing.',
      },
      held: {
        title: 'It is on hold',
        text: `Nobody gets your account before the bank has looked. ${CALL_US}`,
      },
      stopped: {
        title: 'Everything is cut off',
        text: `That recovery had completed. Every phone and login has ended. ${CALL_US}`,
      },
    },
    completed: 'Recovered lately',
    completedText: (time: string) =>
      `Your account moved to this phone ${time}. If you did not do that, say so: everything is cut off at once.`,
    shortened: { title: 'Thank you', text: 'The other phone can be set up now.' },
  },
  limited: {
    title: 'Lower limits for a while',
    text: (time: string) =>
      `Your account was recovered. Until ${time} every payment needs passkey, phone key and a code.`,
  },
  freeze: {
    title: 'Freeze your account',
    text: 'It stops payments and changes at once. We send a code to your number first.',
    send: 'Send the code',
    codeText: 'If the bank knows that number, a code is on its way.',
    confirm: 'Freeze now',
    done: 'Your account is frozen',
    doneText: (time: string) =>
      `No money moves until ${time}. Logging in with a passkey can end it earlier.`,
    goOn: 'Go on: I lost my phone',
  },
  phones: {
    label: 'Whose phone',
    old: 'Old phone',
    new: 'New phone',
  },
  desk: {
    tab: 'Recovery',
    title: 'Recovery',
    vendor: 'Liveness vendor',
    vendorText: 'How the next check ends. The following pass again.',
    ends: {
      pass: 'Passes',
      fail: 'Fails',
      low_confidence: 'Low confidence',
      injection_suspected: 'Injection suspected',
      time_out: 'Times out',
      late: 'Comes too late',
      duplicate: 'Comes twice',
      wrong_case: 'Of a wrong case',
      silent: 'Stays silent',
    } as Words,
    waiting: (count: number) => (count === 1 ? '1 check waits' : `${count} checks wait`),
    release: 'Let it answer',
    failed: 'The vendor’s control does not answer.',
    time: 'Simulated time',
    timeText: 'It moves this demo’s rows back. No bank has such buttons.',
    year: 'A year passes since enrollment',
    yearDone: 'A customer for a year',
    cooling: 'The time to object passes',
    nobody: 'Enroll on the old phone first.',
    noCase: 'No case is open on the new phone.',
    staff: 'Staff',
    staffText: 'Approve, refuse or release it as one of the bank’s people.',
    openCase: 'Open the case',
    thief: 'The thief',
    thiefText:
      'Open this page in another browser profile and try to get in with the owner’s contact. Or take the old phone.',
    failedTime: (title: string) => `That did not work: ${title}`,
  },
  link: { open: 'Open the link', object: 'Open “that was not me”' },
} as const;
