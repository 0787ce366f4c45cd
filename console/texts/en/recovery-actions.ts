/** A recovery behind the phone, one line an event, in English. */
type Detail = Readonly<Record<string, unknown>>;

const word = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value).replaceAll('_', ' ') : '';

const NEXT: Readonly<Record<string, string | undefined>> = {
  contact: 'a contact',
  identity: 'the person',
  review: 'people of the bank',
  cooling: 'the time to object',
  rebind: 'the new phone',
};

export const recoveryActions = {
  'recovery.opened': ({ report, people, contacts }: Detail) =>
    `A contact answered: a case for a phone that is ${word(report)}. It takes ${word(contacts)} contact(s), the person and ${word(people)} approval(s)`,
  'recovery.phone_joined': () =>
    'A phone joined the case: what was proved for another counts no more',
  'recovery.factor_recorded': ({ method }: Detail) => `Proof on the ledger: ${word(method)}`,
  'recovery.factor_confirmed': ({ method }: Detail) =>
    `A second person confirmed a proof: ${word(method)}`,
  'recovery.step_done': ({ to }: Detail) => `Goes on. Next: ${NEXT[String(to)] ?? word(to)}`,
  'recovery.liveness_begun': () => 'A liveness check was begun, bound to the case and the new key',
  'recovery.liveness_judged': ({ verdict, outcome }: Detail) =>
    `The vendor’s result was judged: ${word(verdict ?? outcome)}`,
  'recovery.liveness_late': () =>
    'A result came that nobody waited for: written down, nothing moved',
  'recovery.decided_approve': () => 'Staff approved the case as it stands',
  'recovery.decided_refuse': () => 'Staff refused the case',
  'recovery.decided_send_back': () => 'Staff want the person proved anew',
  'recovery.decided_release': () => 'A supervisor released the case onto the epoch of now',
  'recovery.escalated': () => 'Brought before a supervisor',
  'recovery.claimed': () => 'A member of staff took the case',
  'recovery.handed_over': () => 'The case was handed over',
  'recovery.held': ({ because }: Detail) =>
    because === undefined
      ? 'Held: its clocks stand still'
      : `Held, ${word(because)}: its clocks stand still`,
  'recovery.objection_noted': () =>
    'Objected to once more, as good as by a mailbox: the bank has looked at one like it, so it is written down and stops nothing',
  'recovery.ended': ({ outcome, reason }: Detail) =>
    ['Ended', word(outcome), word(reason)].filter((part) => part !== '').join(', '),
  'recovery.completed': () =>
    'New phone bound, epoch raised, every old phone, passkey and session ended, in one transaction',
} as const;
