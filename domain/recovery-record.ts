/**
 * The identification record of a recovery as a file: everything that was shown, by whom and with what result, to be kept for years and verified without
 * asking anybody. Ids and codes only. docs/receipts.md says how the signature is made.
 */
import type { CeremonyOutcome } from './enrollment.ts';
import type { FactorChannel, FactorKind, FactorMethod } from './factor-ledger.ts';
import type { Risk } from './ports.ts';
import type { RecoveryReason, RecoveryReport, RecoveryState } from './recovery.ts';

/** `typ` of the bank's signature. */
export const RECOVERY_RECORD_JWS_TYPE = 'latchkey-recovery-record+jwt';

/** Times ISO 8601 in UTC. `signature` is over the canonical form (RFC 8785) of everything else. */
export interface RecoveryRecordFile {
  readonly type: 'latchkey-recovery-record';
  readonly version: 1;
  readonly iss: string;
  readonly tenant: string;
  readonly recoveryId: string;
  readonly customer: string;
  /** The version that the case began with and kept. */
  readonly policy: string;
  readonly epoch: number;
  readonly report: RecoveryReport;
  readonly reportedDevice: string | null;
  readonly openedBy: { readonly kind: 'customer' | 'staff'; readonly id: string };
  readonly risk: Risk;
  readonly required: {
    readonly identityStrength: number;
    readonly contacts: number;
    readonly people: number;
    readonly coolingSeconds: number;
  };
  readonly revision: number;
  readonly state: RecoveryState;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: RecoveryReason | null;
  readonly newDevice: string | null;
  readonly times: {
    readonly openedAt: string;
    readonly coolingFrom: string | null;
    readonly endedAt: string | null;
    readonly keptUntil: string | null;
    readonly sealedAt: string;
  };
  readonly evidence: readonly {
    readonly factorId: string;
    readonly method: FactorMethod;
    readonly kind: FactorKind;
    readonly channel: FactorChannel;
    /** What it was worth at the reading; 0: nothing. */
    readonly strength: number;
    readonly evidenceId: string;
    readonly epoch: number;
    readonly isOnReportedHandset: boolean;
    readonly recordedBy: { readonly kind: 'customer' | 'vendor' | 'staff'; readonly id: string };
    readonly employee: string | null;
    readonly recordedAt: string;
    readonly confirmedBy: string | null;
    readonly isVoid: boolean;
  }[];
  readonly decisions: readonly {
    readonly decisionId: string;
    readonly kind: 'approve' | 'refuse' | 'send_back' | 'release';
    readonly revision: number;
    readonly reason: string;
    readonly staff: string;
    readonly employee: string;
    readonly decidedAt: string;
    readonly voidedAt: string | null;
  }[];
  readonly signature: string;
}
