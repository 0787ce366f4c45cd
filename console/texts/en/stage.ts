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
  },
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
