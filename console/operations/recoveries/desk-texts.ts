/** The words of what staff do with a recovery: each as a question with its effect, and what is said once it has happened. */

export const hours = (seconds: number): string => {
  if (seconds < 3_600) return `${String(Math.round(seconds / 60))} min`;
  const whole = Math.round(seconds / 3_600);
  return whole < 48 ? `${String(whole)} h` : `${String(Math.round(whole / 24))} days`;
};

export const deskTexts = {
  acts: {
    claim: {
      act: 'Take it',
      title: 'Take this case?',
      effects: ['Colleagues see that you work on it.', 'It gives no right and decides nothing.'],
      done: 'It is yours.',
    },
    hand_over: {
      act: 'Hand it over',
      title: 'Hand this case over?',
      effects: ['Whatever you put on its record stays.', 'The next one is named in the timeline.'],
      to: 'To whom?',
      queue: 'Back to the queue',
      me: 'To me',
      done: 'Handed over.',
    },
    record_evidence: {
      act: 'Record evidence',
      title: 'What have you seen?',
      effects: [
        'It stands for the liveness check, for a customer who cannot do one, and for a second contact that is missing.',
        'From then on two people approve the case, and not you.',
        'Every approval so far is void.',
      ],
      how: 'How?',
      methods: [
        ['branch', 'Seen in a branch, with a document'],
        ['video', 'Seen by video: a second person confirms it'],
        ['document', 'Documents: a second person confirms them'],
      ] as const,
      field: 'Reference',
      hint: 'As the branch, the video system or the archive names it. No name, no number.',
      done: 'It stands on the record.',
    },
    call_back: {
      act: 'Record a call back',
      title: 'Did you reach the customer under the bank’s number?',
      effects: [
        'You rang the number on record; they did not ring you.',
        'It counts as a contact, and for nothing where that number rings on the reported phone.',
        'You cannot approve this case then.',
      ],
      field: 'Call',
      hint: 'As your telephone system names it.',
      done: 'The call stands on the record.',
    },
    confirm_evidence: {
      act: 'Confirm the evidence',
      title: 'Did you see it too?',
      effects: (method: string, by: string) => [
        `${method}, recorded by ${by}, counts in full from then on.`,
        'Every approval so far is void.',
      ],
      done: 'Confirmed.',
    },
    approve: {
      act: 'Approve',
      title: 'Approve this recovery?',
      effects: (approved: number, needed: number, coolingSeconds: number) => [
        approved + 1 >= needed
          ? `You are the last one needed. The owner then has ${hours(coolingSeconds)} to object.`
          : 'You are the first of two: a supervisor has to be one of them.',
        'After that the new phone may be bound, and every old phone, passkey and session ends.',
        'It counts for the case as it stands now; any edit makes it void.',
      ],
      reasons: [
        ['person_recognised', 'The person is clearly the customer'],
        ['evidence_consistent', 'The evidence fits together'],
        ['customer_confirmed', 'The customer confirmed it in a call'],
      ] as const,
      done: 'Approved.',
    },
    send_back: {
      act: 'Send back',
      title: 'Have the person proved anew?',
      effects: [
        'Proofs of the person and every approval count no more.',
        'The customer is asked for a new liveness check.',
      ],
      reasons: [
        ['person_doubtful', 'The person is in doubt'],
        ['evidence_insufficient', 'The evidence is not enough'],
        ['other', 'Another reason'],
      ] as const,
      done: 'Sent back.',
    },
    refuse: {
      act: 'Refuse',
      title: 'Refuse this recovery?',
      effects: [
        'The case ends at once and the new phone is not bound.',
        'The account stays as it was: passkeys that worked go on working.',
        'The customer is told on every contact.',
      ],
      reasons: [
        ['suspected_fraud', 'It looks like fraud'],
        ['customer_objects', 'The customer objects'],
        ['evidence_insufficient', 'The evidence is not enough'],
        ['other', 'Another reason'],
      ] as const,
      done: 'Refused.',
    },
    release: {
      act: 'Release',
      title: 'Let this case go on?',
      effects: [
        'Its clocks run again, with the time that they stood still added.',
        'The person is proved anew, and it is approved anew.',
      ],
      reasons: [
        ['false_alarm', 'It was a false alarm'],
        ['customer_confirmed', 'The customer confirmed it in a call'],
      ] as const,
      done: 'It goes on.',
    },
  },
  open: {
    act: 'Open a recovery',
    there: 'A recovery is open',
    see: 'Open the case',
    title: 'Open a recovery for this customer?',
    effects: {
      call_back: 'For a customer whom you have called back under the bank’s number.',
      verified_call: 'The caller has proved in the app who they are: that counts as a first proof.',
      all: [
        'A phone that is lost or stolen may only read from then on.',
        'The customer is told on every contact, with a way to stop it.',
        'You cannot approve this case.',
      ],
    },
    what: 'What happened to the phone?',
    device: 'Which phone?',
    field: 'Call',
    hint: 'As your telephone system names your call to the number on record.',
    opened: 'The case is open.',
  },
} as const;
