/** What happens behind the phone, one line an event, in English. `detail` members are filled in by the page. */
import { recoveryActions } from './recovery-actions.ts';

type Detail = Readonly<Record<string, unknown>>;

const word = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value).replaceAll('_', ' ') : '';

const STEPS: Readonly<Record<string, string | undefined>> = {
  code_matched: 'The code matched',
  identity_submitted: 'Identity details were handed in',
  identity_verified: 'The workflow took up the verdict',
  email_submitted: 'An e-mail address was handed in',
  email_taken: 'The e-mail address is not free',
  passkey_bound: 'The passkey was bound',
};

const NEXT: Readonly<Record<string, string | undefined>> = {
  identity_check: 'the vendor’s verdict',
  email: 'an e-mail address',
  // A hyphen that no line breaks at.
  email_code: 'the code from the e\u2011mail',
};

export const behind = {
  title: 'Behind it',
  legend: 'Who did it',
  lanes: {
    decided: 'PostgreSQL decided',
    driven: 'Temporal drove',
    refused: 'Refused',
    lost: 'Lost on the way',
    waits: 'Not known yet',
    broken: 'Broken at this stage',
    mended: 'Mended at this stage',
  },
  lanesShort: {
    decided: 'PostgreSQL',
    driven: 'Temporal',
    refused: 'Refused',
    lost: 'Lost',
    waits: 'Waits',
    broken: 'Stage',
    mended: 'Stage',
  },
  desks: {
    label: 'What to press',
    parts: 'Break it',
    identity: 'Identity vendor',
    fraud: 'Fraud desk',
    payments: 'Payments',
    calls: 'Agent',
    recovery: 'Recovery',
  },
  askedAgain: 'Asked again under its first key: answered, and done once',
  times: (count: number) => `${count} times`,
  payments: {
    title: 'Payments',
    nobody: 'Nobody is logged in on the phone.',
    none: 'No payment yet. Make one on the phone.',
    of: (amount: string, payee: string) => `${amount} to ${payee}`,
    states: {
      deciding: 'Asking Latchkey',
      waiting: 'Waits for the customer',
      approved: 'Approved, not paid yet',
      paid: 'Paid',
      refused: 'Not paid',
    },
    why: (code: string) => code.replaceAll('_', ' '),
    hold: 'Wait before paying',
    holdText: 'An approved payment stands here until somebody pays it.',
    execute: 'Pay it as approved',
    change: (amount: string) => `Change it to ${amount} and pay`,
    replay: 'Replay request and approval',
    tries: 'What was tried',
    tried: {
      paid: (amount: string) => `${amount} paid`,
      refused: (amount: string) => `${amount} refused`,
    },
    replayed: 'The copied request again',
    reasons: {
      action_mismatch: 'not what was approved',
      used_before: 'that approval was used already',
      dpop_proof_replayed: 'that proof was used already',
      step_up_ended: 'it has ended',
      revoked: 'cut off by the fraud desk',
      cut_off: 'cut off by the fraud desk',
      not_me: 'the customer says it was not him',
      by_requester: 'taken back',
      consumed: 'it was paid',
      declined: 'the customer said no',
      wrong_codes: 'too many wrong codes',
      risk: 'the risk engine found it too risky',
      not_approved: 'not answered in time',
      not_consumed: 'approved, and not paid in time',
      never_started: 'the customer could not be asked',
      superseded: 'a newer request took its place',
      step_up_expired: 'its time is over',
      step_up_pending: 'another request waits for this customer',
      step_ups_paused: 'the customer has refused twice: wait',
      too_many_requests: 'too many requests went unanswered: wait',
      step_up_not_approved: 'not approved yet',
      step_up_delayed: 'approved beside a call or a shared screen: a little later',
      action_invalid: 'it cannot be asked for like that',
      customer_on_hold: 'the account is on hold',
      customer_frozen: 'the account is frozen',
      device_not_allowed: 'that device may not approve',
    } as Readonly<Record<string, string | undefined>>,
    workflow: 'Pay 400.00 by workflow',
    workflowText: 'A workflow of the bank asks by Nexus and waits.',
    openWorkflow: 'Open in Temporal',
    workflowStates: {
      running: 'Workflow waits',
      completed: 'Workflow done',
      failed: 'Workflow ended without paying',
    },
    failed: (title: string) => `That did not work: ${title}`,
    notices: 'What the phone notices',
    flags: {
      onCall: 'On a call',
      screenShared: 'Screen shared',
      accessibilityService: 'Accessibility service',
    },
  },
  calls: {
    title: 'Agent',
    who: 'Ana Agent, on the line with a caller',
    ask: 'Is it the customer?',
    nobody: 'Nobody has the app open.',
    ready: 'Ask the caller to open the app. Who cannot prove it there is told nothing.',
    waiting: 'Waits for the caller to prove it in the app',
    proved: (ago: string) => `Proved by passkey ${ago}`,
    device: (name: string, since: string) => `on ${name}, trusted since ${since}`,
    refused: 'Not proved. Tell the caller nothing, and end the call',
    endedText: 'It ended without a proof.',
    again: 'Ask again',
    caseOf: (reference: string) => `Case ${reference}`,
    failed: (title: string) => `That did not work: ${title}`,
  },
  risk: {
    label: 'Risk of the next login',
    low: 'Low',
    high: 'High',
    text: 'At high risk a login needs a code besides the passkey.',
  },
  /** Successes of the hot path, which leave no audit row. */
  hotPath: {
    token: 'A new access token; the refresh token was rotated',
    getAccounts: 'The gateway check let the call through to the bank',
    pay: 'The payments service took the signed request',
  } as Readonly<Record<string, string | undefined>>,
  empty: 'Nothing has happened yet',
  emptyText:
    'Every event stands here as it is committed: decided by PostgreSQL, driven by Temporal, or refused and why.',
  live: 'Live',
  connecting: 'Connecting',
  lost: (age: string) => `Stream lost, last heard ${age}. Trying again.`,
  idle: 'Waiting for a customer',
  openInTemporal: 'Open in Temporal',
  events: (count: number) => (count === 1 ? '1 event' : `${count} events`),
  refusal: (operation: string) => `Refused: ${operation}`,
  groups: {
    enrollment: 'Enrollment',
    step_up: 'Step-up',
    session: 'Session',
    revocation: 'Cut-off',
    recovery: 'Recovery',
    customer: 'Customer',
    calls: 'Calls of this phone',
  },
  actions: {
    'enrollment.started': () => 'An application was opened, and the row came first',
    'enrollment.opened': () => 'The workflow took over and sent a code',
    'enrollment.step_done': ({ event, to }: Detail) =>
      `${STEPS[String(event)] ?? word(event)}. Next: ${NEXT[String(to)] ?? word(to)}`,
    'enrollment.reminded': () => 'A reminder was sent',
    'enrollment.code_refused': ({ attemptsLeft }: Detail) =>
      `A wrong code was counted, ${word(attemptsLeft)} left`,
    'enrollment.code_resent': () => 'A new code was sent',
    'enrollment.completed': () => 'Completed: the customer is active',
    'enrollment.ended': ({ outcome, reason }: Detail) =>
      ['Ended', word(outcome), word(reason)].filter((part) => part !== '').join(', '),
    'step_up.requested': ({ actionType, required }: Detail) =>
      `The bank asked: ${word(actionType)}, ${word(required)} needed. The row came first`,
    'step_up.not_required': ({ actionType }: Detail) =>
      `The bank asked: ${word(actionType)}. Below the threshold, nobody is asked`,
    'step_up.opened': () => 'The workflow took over, and the phone was told',
    'step_up.shown': ({ onCall, screenShared, accessibilityService }: Detail) =>
      onCall === true || screenShared === true || accessibilityService === true
        ? 'What will be signed was fixed and sent, with what the phone notices around it'
        : 'What will be signed was fixed and sent to the phone',
    'step_up.keys_proved': () => 'Passkey and approval key proved it. A code goes out',
    'step_up.code_refused': ({ attemptsLeft }: Detail) =>
      `A wrong code was counted, ${word(attemptsLeft)} left`,
    'step_up.code_resent': () => 'A new code was sent',
    'step_up.approved': ({ required }: Detail) =>
      `Approved, ${word(required)}: exactly that, for ten minutes, once`,
    'step_up.consumed': () => 'Used by whoever asked, once. There is no second time',
    'step_up.denied': ({ reason }: Detail) => `Denied: ${word(reason)}`,
    'step_up.ended': ({ outcome, reason }: Detail) =>
      ['Ended', word(outcome), word(reason)].filter((part) => part !== '').join(', '),
    ...recoveryActions,
    'receipt.sealed': () => 'The receipt was sealed in the key service, once',
    'identity.verdict': ({ verdict }: Detail) =>
      verdict === undefined
        ? 'The identity vendor answered'
        : `The identity vendor answered: ${word(verdict)}`,
    'device.trusted': () => 'The device is trusted, with software keys',
    'customer.erased': () => 'The prospect’s personal data was erased',
    'customer.roles_set': ({ roles }: Detail) =>
      roles === '' ? 'The bank took every role away' : `The bank set the roles: ${word(roles)}`,
    'session.created': ({ acr }: Detail) =>
      `A session began${acr === undefined ? '' : `, ${word(acr)}`}`,
    'login.refused': ({ code }: Detail) => `A proved passkey was refused a login: ${word(code)}`,
    'device.suspended': ({ sessionsEnded }: Detail) =>
      `A device was suspended, its passkeys with it; sessions ended: ${word(sessionsEnded)}`,
    'device.resumed': () => 'A suspended device may log in again',
    'device.revoked': ({ sessionsEnded }: Detail) =>
      `A device was removed for ever; sessions ended: ${word(sessionsEnded)}`,
    'device.reported': ({ reportedAs }: Detail) =>
      `A device was reported ${word(reportedAs)}: it may only read from now on`,
    'device.report_lifted': () => 'The report of a device was lifted',
    'customer.frozen': ({ how }: Detail) =>
      `Frozen (${word(how)}): one column of the customer’s row, which every final grant shares`,
    'customer.freeze_lifted': () => 'The freeze was ended',
    'credential.revoked': ({ sessionsEnded }: Detail) =>
      `A passkey was removed for ever; sessions ended: ${word(sessionsEnded)}`,
    'session.ended': ({ reason }: Detail) => `The session ended: ${word(reason)}`,
    'refresh.redelivery_exhausted': () => 'Too many lost answers: the passkey is asked for again',
    'refresh.future': () => 'A refresh token from lost commits: log in again',
    'refresh.superseded': () => 'A superseded refresh token was refused',
    'refresh.reused': () => 'A used refresh token came again: the session ended',
    'credential.counter_regressed': () => 'The passkey’s counter went back: risk is high',
    'fraud.cut_off': ({ oldEpoch, newEpoch }: Detail) =>
      oldEpoch === undefined
        ? 'Cut off: epoch raised, account held, devices suspended, in one transaction'
        : `Cut off: epoch ${word(oldEpoch)} to ${word(newEpoch)}, held and suspended in one transaction`,
    'fraud.released': () => 'The hold was lifted, devices and passkeys reinstated',
    'revocation.alarm': () => 'The cut-off takes longer than it may: an alarm was raised',
    'revocation.sealed': () => 'Second look found nothing: the receipt is sealed',
    'revocation.workflows_closed': () => 'Every workflow reported itself closed',
  } as Readonly<Record<string, ((detail: Detail) => string) | undefined>>,
  identity: {
    title: 'Identity vendor',
    text: 'How it answers the next check',
    normal: 'Verifies',
    slow: 'Stays silent',
    refuses: 'Refuses',
    waiting: (count: number) => (count === 1 ? '1 check waits' : `${count} checks wait`),
    release: 'Let it answer',
    failed: 'The vendor’s control does not answer.',
  },
  fraud: {
    title: 'Fraud desk',
    nobody: 'Enroll first. Then there is somebody to protect.',
    ready: 'One signal, effective when it is answered.',
    cutOff: 'Cut off',
    confirmTitle: 'Cut this customer off?',
    effects: {
      sessions: (count: number | undefined) =>
        count === undefined
          ? 'Ends every session and every running ceremony'
          : `Ends ${count === 1 ? '1 session' : `${count} sessions`} and every running ceremony`,
      devices: 'Suspends every device and every passkey',
      epoch: (epoch: number | undefined) =>
        epoch === undefined
          ? 'Raises the security epoch: what began before is dead'
          : `Raises the security epoch from ${epoch} to ${epoch + 1}: what began before is dead`,
      login: 'Refuses every login until the hold is lifted',
    },
    cancel: 'Keep it running',
    running: 'Cut off, sealed in about 30 s',
    sealed: 'Cut off and sealed',
    effectiveAt: 'Effective',
    epoch: 'Epoch',
    stopped: 'Suspended',
    stoppedText: (devices: number, credentials: number) =>
      `${devices === 1 ? '1 device' : `${devices} devices`}, ${credentials === 1 ? '1 passkey' : `${credentials} passkeys`}`,
    ended: 'Ended',
    endedText: (sessions: number, ceremonies: number) =>
      `${sessions === 1 ? '1 session' : `${sessions} sessions`}, ${ceremonies === 1 ? '1 ceremony' : `${ceremonies} ceremonies`}`,
    lastToken: 'Last token dies',
    receipt: 'Receipt',
    receiptTitle: 'Receipt of the cut-off',
    receiptText:
      'What was stopped, when it took effect, and when the last token that a service checks by itself dies.',
    raw: 'As it was sealed',
    close: 'Close',
    release: 'Release',
    released: (time: string) => `Released ${time}. The customer can log in again.`,
    failed: (title: string) => `The fraud engine was refused: ${title}`,
  },
} as const;
