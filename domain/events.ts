/**
 * The catalogue of what Latchkey tells the bank: one row an event type, its version and its members. The types of `enqueue`, the JSON Schemas
 * in docs/events and docs/events.md's table all come from here. To add a type: a row here, `npm run events`, and a test that emits it.
 * A member must never be removed or change its kind under the same version: `.ci/event-schemas.ts` refuses it.
 */
import type { Acr } from './auth-strength.ts';
import type { CeremonyOutcome, EnrollmentReason } from './enrollment.ts';
import { code, count, id, name, nullable, optional } from './event-fields.ts';
import type { Field } from './event-fields.ts';
import type { FreezeHow } from './freeze.ts';
import type { Risk } from './ports.ts';
import type { RecoveryReason, RecoveryReport } from './recovery.ts';
import type { SessionEndReason } from './session.ts';
import type { StepUpReason, StepUpRequester, StepUpStrength } from './step-up.ts';

interface EventEntry {
  /** 1, and one more for each change that a receiver could stumble over. */
  readonly version: number;
  readonly description: string;
  readonly data: Readonly<Record<string, Field<unknown>>>;
}

const customerId = id('customer', 'Whom it is about.');
const sessionId = id('session', 'The session.');
const revocationId = optional(id('revocation', 'The cut-off that ended it, when one did.'));

const changedDevice = {
  customerId,
  deviceId: id('device', 'The device.'),
  by: code<'customer' | 'staff'>('Who did it: customer or staff.'),
  sessionsEnded: count('How many sessions ended with it.'),
};

const reportedDevice = {
  customerId,
  deviceId: id('device', 'The device.'),
  by: code<'customer' | 'staff' | 'system'>('Who did it: customer, staff, or a ceremony.'),
};

const stepUp = {
  customerId,
  stepUpId: id('ceremony', 'The step-up.'),
  requesterKind: code<StepUpRequester['kind']>('Who asked: client, staff or login.'),
  requesterId: name('The client or the member of staff.'),
  actionType: code<string>('What for, as the type of the action.'),
};

export const EVENTS = {
  'bank.app.session_created': {
    version: 1,
    description: 'A customer has logged in.',
    data: {
      customerId,
      sessionId,
      acr: code<Acr>('How strongly, latchkey:1 to latchkey:4.'),
      risk: code<Risk>('What the risk engine said; not_evaluated when it was not asked.'),
      deviceId: nullable(id('device', 'The known device, or null.')),
    },
  },
  'bank.app.session_revoked': {
    version: 1,
    description: 'A session has ended, whatever ended it: nothing is accepted under it any more.',
    data: {
      customerId,
      sessionId,
      reason: code<SessionEndReason>('Why it ended.'),
      revocationId,
    },
  },
  'bank.app.device_suspended': {
    version: 1,
    description: 'A device and its passkeys may not be used until somebody allows it again.',
    data: changedDevice,
  },
  'bank.app.device_resumed': {
    version: 1,
    description: 'A suspended device may be used again; what was ended stays ended.',
    data: changedDevice,
  },
  'bank.app.device_revoked': {
    version: 1,
    description: 'A device and its passkeys are gone for ever.',
    data: changedDevice,
  },
  'bank.app.device_restricted': {
    version: 1,
    description:
      'A device was reported lost or stolen: it may only read until the report is lifted.',
    data: {
      ...reportedDevice,
      reportedAs: code<'lost' | 'stolen'>('As what: lost or stolen.'),
    },
  },
  'bank.app.report_lifted': {
    version: 1,
    description: 'The report of a device was lifted: it may do again what it could before.',
    data: reportedDevice,
  },
  'bank.app.customer_frozen': {
    version: 1,
    description: 'No money moves and nothing sensitive changes for this customer, for a while.',
    data: {
      customerId,
      freezeId: id('freeze', 'The freeze.'),
      how: code<FreezeHow>('From where: app, link, phone_code or staff.'),
      forSeconds: count('How long at most, from now.'),
    },
  },
  'bank.app.freeze_lifted': {
    version: 1,
    description: 'A freeze was ended before its time. One that runs out says nothing.',
    data: { customerId, by: code<'customer' | 'staff'>('Who ended it: customer or staff.') },
  },
  'bank.app.credential_revoked': {
    version: 1,
    description: 'A customer has removed a passkey for ever.',
    data: {
      customerId,
      credentialId: id('credential', 'The passkey.'),
      deviceId: id('device', 'The device it was made on.'),
      sessionsEnded: count('How many sessions ended with it.'),
    },
  },
  'bank.app.refresh_reused': {
    version: 1,
    description:
      'An old refresh token was shown by the right key: a copy exists, and the session has ended.',
    data: {
      customerId,
      sessionId,
      shown: count('The generation that was shown.'),
      current: count('The generation that the session had.'),
    },
  },
  'bank.app.refresh_superseded': {
    version: 1,
    description:
      'The refresh token before the current one was shown without the request id that replaced it: refused, the session goes on at high risk.',
    data: {
      customerId,
      sessionId,
      shown: count('The generation that was shown.'),
      current: count('The generation that the session has.'),
    },
  },
  'bank.app.customer_cut_off': {
    version: 1,
    description:
      'A fraud signal has cut the customer off: what began under an older epoch is void.',
    data: {
      customerId,
      revocationId: id('revocation', 'The cut-off; its receipt says what was stopped.'),
      reason: code<string>('The reason that the fraud engine gave.'),
      oldEpoch: count('The security epoch before.'),
      newEpoch: count('The security epoch from now on.'),
      devices: count('How many devices were suspended.'),
      credentials: count('How many passkeys were suspended.'),
    },
  },
  'bank.app.hold_released': {
    version: 1,
    description: 'The hold of a cut-off was lifted.',
    data: {
      customerId,
      holdId: id('hold', 'The hold.'),
      reason: code<string>('The reason that was given.'),
      devices: count('How many devices were reinstated.'),
      credentials: count('How many passkeys were reinstated.'),
    },
  },
  'bank.app.customer_enrolled': {
    version: 1,
    description: 'An enrollment has completed: the customer is active and the device trusted.',
    data: {
      customerId,
      deviceId: id('device', 'The device.'),
      enrollmentId: id('ceremony', 'The enrollment.'),
      clientId: name('The app.'),
    },
  },
  'bank.app.enrollment_ended': {
    version: 1,
    description: 'An enrollment has ended without completing.',
    data: {
      customerId,
      enrollmentId: id('ceremony', 'The enrollment.'),
      outcome: code<CeremonyOutcome>('How: expired, cancelled, denied, revoked.'),
      reason: nullable(code<EnrollmentReason>('Why, or null.')),
      revocationId,
    },
  },
  'bank.app.step_up_requested': {
    version: 1,
    description: 'A requester wants a customer to approve an action.',
    data: {
      ...stepUp,
      required: code<StepUpStrength>('How strongly: latchkey:3 or latchkey:4.'),
    },
  },
  'bank.app.step_up_approved': {
    version: 1,
    description: 'A customer has approved an action; the requester may use that once.',
    data: {
      ...stepUp,
      acr: code<StepUpStrength>('What was proved: latchkey:3 or latchkey:4.'),
    },
  },
  'bank.app.step_up_denied': {
    version: 1,
    description:
      "An action was refused: by the customer, for wrong codes, or for its risk. `not_me` means that somebody else asks in the customer's name.",
    data: {
      ...stepUp,
      reason: code<StepUpReason>('Why: not_me, declined, wrong_codes or risk.'),
    },
  },
  'bank.app.step_up_consumed': {
    version: 1,
    description: 'The requester has used an approval; it is worth nothing any more.',
    data: {
      ...stepUp,
      acr: code<StepUpStrength>('What was proved: latchkey:3 or latchkey:4.'),
    },
  },
  'bank.app.step_up_ended': {
    version: 1,
    description: 'A step-up has ended without being refused or used.',
    data: {
      ...stepUp,
      outcome: code<CeremonyOutcome>('How: expired, cancelled, revoked.'),
      reason: nullable(code<StepUpReason>('Why, or null.')),
      revocationId,
    },
  },
  'bank.app.recovery_opened': {
    version: 1,
    description:
      'A case of account recovery was opened: a contact of the customer has answered, or staff opened it with the caller on the line.',
    data: {
      customerId,
      recoveryId: id('ceremony', 'The case.'),
      openedBy: code<'customer' | 'staff'>('Who opened it: customer or staff.'),
      report: code<RecoveryReport>(
        'What is said of the old phone: lost, stolen, broken or replaced.',
      ),
    },
  },
  'bank.app.recovery_escalated': {
    version: 1,
    description:
      'A case of account recovery waits for a supervisor: nobody reviewed it in time, or it was held. Said once a case.',
    data: {
      customerId,
      recoveryId: id('ceremony', 'The case.'),
      because: code<'overdue' | 'held'>('Why: overdue or held.'),
    },
  },
  'bank.app.recovery_ended': {
    version: 1,
    description:
      'A case of account recovery has ended. Unless it completed, the account is as it was.',
    data: {
      customerId,
      recoveryId: id('ceremony', 'The case.'),
      outcome: code<CeremonyOutcome>('How: completed, expired, cancelled, denied.'),
      reason: code<RecoveryReason>('Why.'),
    },
  },
  'bank.app.customer_recovered': {
    version: 1,
    description:
      'A recovery has bound a new phone under a new epoch: every device, passkey and session from before is void, and limits are lowered for a while.',
    data: {
      customerId,
      recoveryId: id('ceremony', 'The case.'),
      deviceId: id('device', 'The new device.'),
      clientId: name('The app.'),
      revocationId: id('revocation', 'What ended everything old.'),
    },
  },
} as const satisfies Readonly<Record<string, EventEntry>>;

export type EventType = keyof typeof EVENTS;

type Fields<Type extends EventType> = (typeof EVENTS)[Type]['data'];
type ValueOf<Kind> = Kind extends Field<infer Value> ? Value : never;
type OptionalName<Data> = {
  [Name in keyof Data]: Data[Name] extends { readonly isOptional: true } ? Name : never;
}[keyof Data];
type DataOf<Data> = {
  readonly [Name in Exclude<keyof Data, OptionalName<Data>>]: ValueOf<Data[Name]>;
} & { readonly [Name in OptionalName<Data>]?: ValueOf<Data[Name]> };

export type EventData<Type extends EventType> = DataOf<Fields<Type>>;

/** One event type with its own data. */
export type EventPayload = {
  [Type in EventType]: { readonly type: Type; readonly data: EventData<Type> };
}[EventType];
