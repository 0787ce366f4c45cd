/** What stands around the phone, in English: for the people watching, not for a customer. */
export const stage = {
  title: 'Latchkey',
  subtitle: 'Stage',
  panes: { phone: 'Phone', behind: 'Behind it', inbox: 'Inbox' },
  startOver: 'Start over',
  startOverHint:
    'Forgets this phone: its keys, its session, its place in the ceremony. Past events stay in the audit trail.',
  loading: 'Opening the stage',
  noControl: {
    title: 'The stage has no control',
    text: 'This page belongs to a development stack. Start one with npm start, then reload.',
    retry: 'Reload',
  },
  stories: {
    label: 'Story',
    enroll: {
      name: 'Enroll',
      text: 'A stranger becomes a customer with a trusted device.',
      steps: ['Number', 'Code', 'Identity', 'E-mail', 'Passkey', 'Logged in'],
    },
    'lost-network': {
      name: 'Lost network',
      text: 'Drop an answer, then take a step. It happens once, and only once.',
      steps: ['Under way', 'Answer lost', 'Asked again', 'Logged in'],
    },
    fraud: {
      name: 'Fraud button',
      text: 'One signal cuts a customer off, everywhere, at once.',
      steps: ['Logged in', 'Cut off', 'Refused', 'Released', 'Back in'],
    },
    'pay-40': {
      name: '40: signed',
      text: 'Below the threshold: the phone’s key signs the request, nobody is asked.',
      steps: ['Logged in', 'Paid'],
    },
    'pay-400': {
      name: '400: passkey',
      text: 'The bank asks; the customer signs exactly that payment. It is made once.',
      steps: ['Logged in', 'Asked', 'Approved', 'Paid', 'Receipt checked'],
    },
    'pay-40000': {
      name: '40,000: and SMS',
      text: 'A high value adds a code, in a message that names it. So does all else on that day.',
      steps: ['Logged in', 'Asked', 'Keys proved', 'Code right', 'Paid', 'Receipt checked'],
    },
    'pay-changed': {
      name: 'Changed after',
      text: 'Somebody at the bank changes the amount after the approval. It is refused.',
      steps: ['Logged in', 'Approved', 'Change refused', 'Paid as approved'],
    },
    'pay-replay': {
      name: 'Replay',
      text: 'The same request and the same approval, used a second time. Neither pays.',
      steps: ['Logged in', 'Paid', 'Replay refused'],
    },
    'pay-fraud': {
      name: 'Fraud in between',
      text: 'Press the fraud button while the payment waits for its answer.',
      steps: ['Logged in', 'Asked', 'Cut off', 'Not paid'],
    },
    'pay-lost': {
      name: 'Lost answer',
      text: 'Drop the answer to the approval. It counts once, and is asked for again.',
      steps: ['Logged in', 'Asked', 'Answer lost', 'Paid once'],
    },
    'pay-workflow': {
      name: 'Workflow',
      text: 'A payments workflow awaits the approval by Nexus. See it in Temporal’s UI.',
      steps: ['Logged in', 'Workflow waits', 'Approved', 'Workflow done'],
    },
    call: {
      name: 'Verified call',
      text: 'Who calls? The app names the agent, the agent sees that it is the customer.',
      steps: ['Logged in', 'Agent asks', 'Both know'],
    },
    login: {
      name: 'Risky login',
      text: 'The risk engine dislikes the next login: one more proof, then in.',
      steps: ['Risk set', 'Code asked for', 'Logged in'],
    },
    'lost-phone': {
      name: 'Lost phone',
      text: 'The phone is gone. The owner gets in on a new one, the thief does not. On another profile, or with the old phone, you are the thief.',
      steps: [
        'Customer for a year',
        'Contact proved',
        'Person proved',
        'Approved',
        'Time to object over',
        'New phone bound',
      ],
    },
  },
  pay: 'Pay',
  payLabel: 'Which payment',
  stepDone: 'done',
  stepNow: 'now',
  inbox: {
    title: 'Inbox',
    empty: 'No messages yet',
    emptyText:
      'Codes and notices to the customer arrive here over real SMTP and the real SMS call.',
    sms: 'SMS',
    email: 'E-mail',
    to: (to: string) => `to ${to}`,
    use: (code: string) => `Use ${code}`,
    lost: 'Inbox lost. Trying again.',
  },
} as const;
