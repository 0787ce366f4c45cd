/** What the phone says of a freeze: what it stops, until when, and how it ends. */
export const freeze = {
  card: 'Something wrong?',
  open: 'Freeze your account to stop payments and changes at once. You can go on reading.',
  frozen: 'Your account is frozen. No money moves and nothing sensitive changes.',
  until: (moment: string) => `Ends by itself ${moment}`,
  tag: 'Frozen',
  freeze: 'Freeze my account',
  lift: 'End the freeze with my passkey',
} as const;
