/** The words of the runbook. The ids of its chapters are what workflows/current-details.ts links to. */

export const RUNBOOK = {
  title: 'Runbook',
  back: 'Back to operations',
  text: 'Rows in PostgreSQL decide what is valid; a workflow only drives what comes next. Ending or resetting one in Temporal changes no right of anybody, and its row starts it again.',
  chapters: [
    {
      id: 'enrollment',
      title: 'Enrollment',
      text: 'A new customer proves phone, identity and e-mail, then creates a passkey. It may take three days, over many visits to the app.',
      cases: [
        {
          sign: 'It waits for the customer.',
          action:
            'Nothing to do: a reminder goes out after a day and it expires by itself. Tell a caller that the app goes on where it stopped.',
        },
        {
          sign: 'It waits for the identity vendor.',
          action:
            'The vendor is asked again, ever more slowly, for as long as its step lasts. When many wait, ask the vendor; no customer needs to begin anew.',
        },
        {
          sign: 'It ended as denied.',
          action:
            'The reason is in its details. A customer who exists already logs in or recovers; a refused identity goes to a branch. Nobody can wave it through.',
        },
        {
          sign: 'Its activity shows failures.',
          action:
            'The database or the vendor is not reachable. It goes on by itself afterwards; nothing is lost in between.',
        },
      ],
    },
    {
      id: 'step_up',
      title: 'Step-up',
      text: 'A customer is asked to approve one action, within minutes, and the service that asked uses the approval once. A fraud signal ends it until then.',
      cases: [
        {
          sign: 'It waits for the customer.',
          action:
            'Nothing to do: it expires by itself. A phone that was not rung finds it by opening the app.',
        },
        {
          sign: 'It was approved and waits for its use.',
          action:
            'The service that asked has to use it in its time; afterwards it asks anew. Nobody can use it in its place.',
        },
        {
          sign: 'It ended as denied.',
          action:
            'The reason is in its details. “Not me” means that somebody else asked in the customer’s name: look at who asked, and for a hold.',
        },
        {
          sign: 'Its receipt is not sealed.',
          action:
            'The key management is not reachable. The approval stands; the receipt is made when the key management is back.',
        },
      ],
    },
    {
      id: 'recovery',
      title: 'Account recovery',
      text: 'A customer has lost the phone. A contact and the person are proved, staff look at the case, the owner has time to object, then a new phone is bound. It may take days, and survives restarts.',
      cases: [
        {
          sign: 'It waits for a liveness check.',
          action:
            'The customer does it in the app. When the vendor is silent it is asked again by itself; who cannot do it brings evidence instead: branch, video, or a document with two people.',
        },
        {
          sign: 'It waits for staff.',
          action:
            'Somebody takes it from the queue. Nobody approves what they prepared, and an edit of the case makes an approval void.',
        },
        {
          sign: 'It waits for the time to object.',
          action:
            'Nothing to do: it goes on by itself. Only the owner shortens it, by passkey on an old phone that nobody reported, and never below its floor.',
        },
        {
          sign: 'It is held.',
          action:
            'Fraud was signalled, or somebody objected who could not prove to be the owner. Its clocks stand still. A supervisor refuses it, or releases it: then the person is proved anew.',
        },
        {
          sign: 'It ended without a new phone.',
          action:
            'The account is as it was before. The customer may begin again at once; the reason is in its details.',
        },
      ],
    },
    {
      id: 'session',
      title: 'Session',
      text: 'One for each login, asleep for up to three months. It wakes at its deadline or when its row was ended, asks the row, and closes.',
      cases: [
        {
          sign: 'It is open although the customer logged out.',
          action:
            'The session is dead all the same: its row ended in the moment of the logout. The workflow is woken by the outbox; look at the dead letters.',
        },
        {
          sign: 'A customer wants a session ended.',
          action: 'latchkey sessions end SESSION --reason REASON, as agent or supervisor.',
        },
      ],
    },
    {
      id: 'revocation',
      title: 'Revocation',
      text: 'After the fraud engine cut a customer off. The cut-off was effective before this began: every later refresh, payment and approval is refused.',
      cases: [
        {
          sign: 'It waits for the second listing.',
          action:
            'Nothing to do: it lets the longest possible transaction end, looks once more for who slipped in, and seals the receipt.',
        },
        {
          sign: 'The alarm is raised.',
          action:
            'A workflow of an ended session or ceremony does not close. See that workers run and poll, then the dead letters. The customer is safe meanwhile.',
        },
        {
          sign: 'It was a false alarm.',
          action:
            'latchkey holds release HOLD --reason false_alarm asks for the release; a supervisor who is somebody else approves it.',
        },
      ],
    },
  ],
} as const;
