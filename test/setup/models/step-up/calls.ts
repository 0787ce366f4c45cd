/** What was called and answered in one life, in the order of one observer: what the specification has to explain. */
import type { Timed } from '../linearizable.ts';
import type { Amount, Reference, Requester } from './actions.ts';

export type Refused = { readonly refused: string };

interface Called extends Timed {
  /** The database's time, which stands still while calls overlap. */
  readonly nowMs: number;
}

/** undefined: nobody heard whether it happened. */
type Answer<Facts> = Facts | Refused | undefined;

export interface Ask extends Called {
  readonly kind: 'ask';
  readonly requester: Requester;
  readonly reference: Reference;
  readonly amount: Amount;
  readonly answer: Answer<{ readonly id: string; readonly required: string }>;
}

export interface Open extends Called {
  readonly kind: 'open';
  readonly id: string;
  readonly locale: string;
  /** Under which epoch the session began that asked. */
  readonly sessionEpoch: number;
  readonly answer: Answer<{ readonly challenge: string; readonly signs: string }>;
}

export interface Ring extends Called {
  readonly kind: 'ring';
  readonly id: string;
  /** What was signed, when it was handed in, and under which epoch the session that did began. */
  readonly challenge: string;
  readonly handedInAtMs: number;
  readonly sessionEpoch: number;
  readonly answer: Answer<{ readonly isTaken: true }>;
}

export interface Code extends Called {
  readonly kind: 'code';
  readonly id: string;
  readonly isRight: boolean;
  readonly answer: Answer<{ readonly isTaken: true }>;
}

export interface End extends Called {
  readonly kind: 'not_me' | 'declined' | 'cancel';
  readonly id: string;
  /** undefined: the customer, by the session that began under that epoch. */
  readonly requester: Requester | undefined;
  readonly sessionEpoch: number;
  /** Whether it had ended so before is nothing that the API tells. */
  readonly answer: Answer<{ readonly isTaken: true }>;
}

export interface Consume extends Called {
  readonly kind: 'consume';
  readonly id: string;
  readonly requester: Requester;
  readonly amount: Amount;
  readonly answer: Answer<{ readonly isRepeat: boolean; readonly isRevokedSince: boolean }>;
}

export interface EndRows extends Called {
  readonly kind: 'end rows';
  /** Of the cut-off that they follow. */
  readonly newEpoch: number;
  readonly answer: Answer<{ readonly isDone: true }>;
}

export interface Simple extends Called {
  readonly kind: 'cut off' | 'release' | 'sweep';
  readonly answer: Answer<{ readonly isDone: true }>;
}

/** Between two rounds, when nothing else is under way. */
export interface Look extends Called {
  readonly kind: 'look';
  readonly answer: {
    readonly epoch: number;
    readonly isHeld: boolean;
    readonly totalMinor: number;
    /** As the audit counts them: one each. */
    readonly uses: number;
    /** By id. */
    readonly stepUps: Readonly<Record<string, string>>;
  };
}

export type Call = Ask | Open | Ring | Code | End | Consume | EndRows | Simple | Look;

export function describeCall(call: Call): string {
  const { invokedAt, answeredAt, ...rest } = call;
  return `${String(invokedAt)}-${String(answeredAt)} ${JSON.stringify(rest)}`;
}
