/** What the console asks the operations door about recoveries: the queue, one case, its bell, and every step of the desk. */
import type { Told } from '../staff-api.ts';

export type RecoveryState =
  | 'starting'
  | 'contact'
  | 'identity'
  | 'review'
  | 'cooling'
  | 'rebind'
  | 'held'
  | 'ended';
export type RecoveryAction =
  | 'claim'
  | 'hand_over'
  | 'record_evidence'
  | 'call_back'
  | 'confirm_evidence'
  | 'approve'
  | 'refuse'
  | 'send_back'
  | 'release';
export type DecisionKind = 'approve' | 'refuse' | 'send_back' | 'release';

interface StaffName {
  readonly staffId: string;
  readonly name: string;
}

export interface QueuedRecovery {
  readonly recoveryId: string;
  readonly customerId: string;
  readonly state: RecoveryState;
  readonly report: string;
  readonly risk: string;
  readonly openedBy: 'customer' | 'staff';
  readonly openedAt: string;
  readonly people: { readonly needed: number; readonly approved: number };
  readonly claimedBy: StaffName | null;
  readonly isMine: boolean;
  readonly reviewDueAt: string | null;
  readonly escalatedAt: string | null;
  readonly heldAt: string | null;
  readonly stepEndsAt: string | null;
  readonly isOverdue: boolean;
}

export interface LedgerFactor {
  readonly factorId: string;
  readonly method: string;
  readonly channel: string;
  readonly strength: number;
  readonly recordedBy: { readonly kind: string; readonly name: string | null };
  readonly recordedAt: string;
  readonly confirmedBy: string | null;
  readonly needsSecondPerson: boolean;
  readonly isVoid: boolean;
  readonly isOnReportedPhone: boolean;
}

export interface CaseEntry {
  readonly position: number;
  readonly at: string;
  readonly action: string;
  readonly by: { readonly kind: string; readonly name: string | null };
  readonly detail: Readonly<Record<string, string | number>>;
}

export interface RecoveryCase {
  readonly recoveryId: string;
  readonly revision: number;
  readonly asOf: string;
  readonly state: RecoveryState;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly report: string;
  readonly risk: string;
  readonly doubts: readonly string[];
  readonly customer: {
    readonly customerId: string;
    readonly givenName: string | null;
    readonly phone: string | null;
    readonly email: string | null;
    readonly isOnHold: boolean;
  };
  readonly devices: readonly {
    readonly deviceId: string;
    readonly name: string;
    readonly platform: string;
    readonly status: string;
    readonly isReported: boolean;
    readonly isNew: boolean;
  }[];
  readonly openedBy: { readonly kind: string; readonly name: string | null };
  readonly openedAt: string;
  readonly endedAt: string | null;
  readonly endsAt: string;
  readonly dueAt: string | null;
  readonly reviewDueAt: string | null;
  readonly escalatedAt: string | null;
  readonly heldAt: string | null;
  readonly coolingOverAt: string | null;
  readonly limitedUntil: string | null;
  readonly claimedBy: StaffName | null;
  readonly isMine: boolean;
  readonly hasPhone: boolean;
  readonly needed: {
    readonly contacts: number;
    readonly people: number;
    readonly approved: number;
    readonly coolingSeconds: number;
    readonly missing: readonly string[];
  };
  readonly liveness: {
    readonly begun: number;
    readonly left: number;
    readonly failed: number;
    readonly waitingSince: string | null;
  };
  readonly ledger: readonly LedgerFactor[];
  readonly timeline: readonly CaseEntry[];
  readonly actions: readonly {
    readonly action: RecoveryAction;
    readonly because: string | null;
  }[];
}

export interface OpenRecovery {
  readonly report: string;
  readonly reportedDeviceId?: string;
  readonly proof:
    | { readonly method: 'verified_call'; readonly callId: string }
    | { readonly method: 'call_back'; readonly reference: string };
}

interface Ways {
  readonly base: string;
  readonly read: <Value>(path: string) => Promise<Told<Value>>;
  readonly change: <Value>(path: string, body: object, key: string) => Promise<Told<Value>>;
}

export function recoveryApi({ base, read, change }: Ways) {
  const at = (recoveryId: string, rest = '') => `/recoveries/${recoveryId}${rest}`;
  return {
    list: (filters: URLSearchParams) => {
      const query = new URLSearchParams(filters);
      query.set('limit', '50');
      return read<{ recoveries: readonly QueuedRecovery[]; next: string | null }>(
        `/recoveries?${query.toString()}`,
      );
    },
    one: (recoveryId: string) => read<RecoveryCase>(at(recoveryId)),
    bell: (recoveryId: string) => new EventSource(`${base}${at(recoveryId, '/stream')}`),
    recordAddress: (recoveryId: string) => `${base}${at(recoveryId, '/record')}`,
    open: (customerId: string, body: OpenRecovery, key: string) =>
      change<{ recoveryId: string; joined: boolean }>(
        `/customers/${customerId}/recoveries`,
        body,
        key,
      ),
    claim: (recoveryId: string, key: string) => change(at(recoveryId, '/claim'), {}, key),
    handOver: (recoveryId: string, to: string | null, key: string) =>
      change(at(recoveryId, '/hand-over'), { to }, key),
    evidence: (recoveryId: string, method: string, evidenceId: string, key: string) =>
      change(at(recoveryId, '/evidence'), { method, evidenceId }, key),
    confirm: (recoveryId: string, factorId: string, key: string) =>
      change(at(recoveryId, `/evidence/${factorId}/confirm`), {}, key),
    callBack: (recoveryId: string, reference: string, key: string) =>
      change(at(recoveryId, '/call-back'), { reference }, key),
    decide: (
      recoveryId: string,
      decision: { readonly kind: DecisionKind; readonly revision: number; readonly reason: string },
      key: string,
    ) => change(at(recoveryId, '/decisions'), decision, key),
  };
}
