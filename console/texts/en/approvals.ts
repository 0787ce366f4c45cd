/** What the customer reads when the bank asks for something: the action itself, the code, every end of it, and a login that needs more. */
type Words = Readonly<Record<string, string | undefined>>;

export const approvals = {
  asks: (who: string) => `${who} asks you`,
  /** Before the payee. */
  to: 'to',
  approve: 'Approve',
  notMe: 'Not me',
  decline: 'It is me, but do not do it',
  until: (time: string) => `Waits for ${time}`,
  over: 'Its time is over',
  thenCode: 'A code by SMS follows.',
  exactly: 'Exactly what you sign',
  challenge: 'Challenge',
  notices: {
    onCall: 'You are on a call. Nobody from the bank asks you to approve a payment.',
    screenShared: 'Your screen is shared. Whoever watches sees this too.',
    accessibilityService: 'Another app can read this screen and press its buttons.',
  },
  delay: (time: string) => `If you approve, the bank still waits ${time} before it pays.`,
  cancelled: 'You closed the passkey prompt. Nothing was approved.',
  call: {
    otherwise: 'If you are not on the phone with us right now, hang up.',
    approve: 'It is me',
    notMe: 'No call',
  },
  code: {
    title: 'Enter the code we sent you',
    compare: 'The message names this payment. If it names another one, do not enter the code.',
  },
  approved: {
    title: 'Approved',
    text: 'The bank carries it out now.',
    later: (time: string) => `The bank carries it out in ${time}.`,
    laterText: 'You can still stop it until then.',
    stop: 'Stop it: not me',
    call: 'It is you',
    callText: (agent: string) => `${agent} sees that now. You can talk.`,
    other: 'You approved it. There is nothing more to do.',
  },
  /** What an end leaves as it was, by the type of the action: said in every text below. */
  unchanged: {
    payment: 'The payment was not made.',
    add_payee: 'The payee was not added.',
    change_limits: 'Your limits stay as they were.',
    change_contact: 'Your contact details stay as they were.',
    log_in: 'Nobody was logged in.',
    verified_call: 'The bank was not told that it is you.',
  } as Words,
  /** Of an action that the bank has added itself. */
  unchangedOther: 'Nothing was carried out.',
  ends: {
    consumed: { title: 'Done', text: () => 'What you approved was carried out, once.' },
    not_me: {
      title: 'Stopped',
      text: (unchanged: string) =>
        `${unchanged} We have told the fraud desk that this was not you.`,
    },
    declined: { title: 'Not approved', text: (unchanged: string) => unchanged },
    wrong_codes: {
      title: 'Too many wrong codes',
      text: (unchanged: string) =>
        `For your safety this has ended. ${unchanged} You can begin again.`,
    },
    risk: {
      title: 'We stopped this',
      text: (unchanged: string) =>
        `The bank saw something unusual. ${unchanged} Call us at the number on your card.`,
    },
    not_approved: {
      title: 'That took too long',
      text: (unchanged: string) => `It was not approved in time. ${unchanged} You can begin again.`,
    },
    not_consumed: {
      title: 'It was not carried out',
      text: (unchanged: string) => `You approved it, but it was not used in time. ${unchanged}`,
    },
    never_started: {
      title: 'We could not ask you',
      text: (unchanged: string) => `That is not your fault. ${unchanged} Try again.`,
    },
    by_requester: {
      title: 'Withdrawn',
      text: (unchanged: string) => `Whoever asked has taken it back. ${unchanged}`,
    },
    superseded: {
      title: 'Replaced by a newer request',
      text: () => 'This one no longer counts. Look at the new one before you approve it.',
    },
    cut_off: {
      title: 'We stopped this',
      text: (unchanged: string) =>
        `The bank ended everything that was under way to protect you. ${unchanged}`,
    },
  },
  waits: {
    title: 'The bank asks you something else',
    show: 'Look at it',
  },
  showNewer: 'Show the newer one',
  done: 'Done',
  login: {
    title: 'One more proof',
    text: 'This login is unusual. Enter the code we sent you by SMS.',
    textTo: (to: string) => `This login is unusual. Enter the code we sent to ${to}.`,
    confirm: 'Log in',
    leave: 'Not now',
  },
} as const;

export const pay = {
  card: 'Pay',
  begin: 'Pay somebody',
  cardText:
    'Small amounts go at once. For larger ones, or many on one day, the bank asks you first.',
  title: 'Whom do you pay?',
  amount: 'Amount',
  payee: 'Payee',
  account: 'Account',
  reference: 'Reference',
  send: (amount: string) => `Pay ${amount}`,
  sendPlain: 'Pay',
  carrying: {
    title: 'Approved',
    text: 'The bank carries the payment out.',
    held: 'Approved, not carried out yet. Somebody at the bank’s desk has it.',
    delayed: (time: string) => `The bank still waits ${time}. You can stop it until then.`,
  },
  paid: {
    title: 'Paid',
    to: 'to',
    bySignature: 'Signed by this phone’s key',
    byPasskey: 'Your passkey and this phone’s approval key',
    byCode: 'Your passkey, this phone’s approval key and a code by SMS',
    at: 'At',
    how: 'How',
    receipt: 'Show the receipt',
    done: 'Done',
  },
  refused: {
    title: 'Not paid',
    reasons: {
      not_me: 'You said that it was not you. The fraud desk knows.',
      declined: 'You did not approve it.',
      wrong_codes: 'Too many wrong codes were entered.',
      risk: 'The bank saw something unusual. Call us at the number on your card.',
      not_approved: 'It was not approved in time.',
      by_requester: 'It was taken back.',
      superseded: 'A newer request took its place.',
      cut_off: 'The bank stopped everything to protect you.',
      customer_frozen: 'Your account is frozen. End the freeze with your passkey to pay again.',
      step_up_pending: 'Another payment waits for your answer. Answer that one first.',
      step_ups_paused:
        'You refused two requests. For your safety the bank asks nothing more for a while.',
      action_invalid: 'The bank cannot pay this. Check the amount, the payee and the account.',
    } as Words,
    unknown: 'The bank did not make this payment. Nothing left your account.',
    again: 'Change it',
  },
  receipt: {
    title: 'Receipt',
    text: 'Signed by the bank. It can be checked without the bank, for years.',
    check: 'Check it',
    checks: 'What was checked',
    save: 'Save the file',
    page: 'Check a saved file',
    raw: 'What it holds',
    verdicts: {
      genuine: 'Genuine',
      withheld: 'Genuine, with parts withheld',
      unconfirmed: 'Consistent, but nobody vouches for it',
      refused: 'Not genuine',
    },
  },
} as const;
