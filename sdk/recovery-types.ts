/** What recovery answers, as an app reads it: the contract's words (docs/openapi.json), held to the server's schemas by test/unit/sdk-types.test.ts. */
import type { CeremonyOutcome } from './types.ts';

export type RecoveryReport = 'lost' | 'stolen' | 'broken' | 'replaced';

export type RecoveryState =
  | 'starting'
  | 'contact'
  | 'identity'
  | 'review'
  | 'cooling'
  | 'rebind'
  | 'held'
  | 'ended';

export type RecoveryReason =
  | 'completed'
  | 'identity_not_proved'
  | 'refused_by_staff'
  | 'vetoed'
  | 'step_timeout'
  | 'abandoned'
  | 'never_started'
  | 'cancelled_by_customer';

/** Of a number or an address; the answer is the same whether or not it is a customer's. */
export type RecoveryAsked = {
  readonly report: RecoveryReport;
  readonly locale: string;
} & ({ readonly phone: string } | { readonly email: string });

export interface RecoveryRequestView {
  readonly requestId: string;
  readonly status: 'sent' | 'proved' | 'superseded' | 'exhausted' | 'expired';
  /** Left out where another phone has the case. */
  readonly recoveryId?: string;
  /** To be shown while it waits. */
  readonly checkNumber: string;
  readonly expiresAt: string;
}

export interface LivenessView {
  readonly attemptId: string;
  readonly status: 'starting' | 'ready' | 'passed' | 'failed' | 'superseded';
  readonly verdict?: 'passed' | 'failed' | 'low_confidence' | 'injection_suspected' | 'timed_out';
  readonly expiresAt?: string;
  /** For the vendor's own part of the app. */
  readonly clientParameters?: { readonly [name: string]: string };
}

export interface RecoveryView {
  readonly recoveryId: string;
  readonly state: RecoveryState;
  readonly outcome?: CeremonyOutcome;
  readonly reason?: RecoveryReason;
  readonly actor: 'customer' | 'bank' | 'nobody';
  readonly missing: readonly ('contact' | 'second_contact' | 'identity')[];
  readonly factors: readonly { readonly method: string; readonly provedAt: string }[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly stepExpiresAt?: string;
  readonly nextAt?: string;
  readonly objectUntil?: string;
  readonly livenessAttemptsLeft: number;
  readonly liveness?: LivenessView;
  readonly limitedUntil?: string;
  /** These two only when completed. */
  readonly customerId?: string;
  readonly deviceId?: string;
}

export interface OwnRecovery {
  readonly recoveryId: string;
  readonly state: RecoveryState;
  readonly outcome?: CeremonyOutcome;
  readonly reason?: RecoveryReason;
  readonly report: RecoveryReport;
  readonly openedBy: 'customer' | 'staff';
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly objectUntil: string | null;
  readonly coolingOverAt: string | null;
  readonly shortenFrom: string | null;
}

export interface Objected {
  readonly result: 'ended' | 'held' | 'stopped' | 'noted';
}
