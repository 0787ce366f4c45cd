/** Every word of what is for reading on a customer's page: what went on lately, a contact in clear. */

export const readingTexts = {
  reveal: {
    act: { phone: 'Show the number', email: 'Show the address' },
    title: {
      phone: 'Show the whole phone number?',
      email: 'Show the whole e-mail address?',
    },
    effects: [
      'It stands here for half a minute, then it is hidden again.',
      'Your name, the time and the reason are written down, and it counts as one of your searches.',
    ],
    reasons: [
      ['call_back', 'To call the customer back'],
      ['confirm_with_caller', 'To confirm it with the caller'],
      ['complaint', 'For a complaint about a message'],
    ] as const,
    none: 'Shown.',
    hide: 'Hide it now',
  },
  ceremonies: {
    title: 'What went on lately',
    empty: 'Nothing yet.',
    kinds: { enrollment: 'Enrollment', step_up: 'Approval', recovery: 'Recovery' },
    open: 'Open the case',
    running: 'under way',
    forbidden: 'For agents and supervisors.',
  },
};
