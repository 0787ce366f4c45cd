/**
 * What a report of loss or theft makes of a device, and what its lifting does (DESIGN.md section 10, "What stops what"): it only reads, and comes back
 * to what it was. What is suspended meanwhile stays suspended; what was revoked never comes back; nothing lifts its own report.
 */
import type { DeviceStatus } from './auth-strength.ts';
import type { ErrorCode } from './errors.ts';

export const DEVICE_REPORTS = ['lost', 'stolen'] as const;
export type DeviceReport = (typeof DEVICE_REPORTS)[number];

interface ReportFacts {
  readonly status: DeviceStatus;
  readonly suspendedFrom: DeviceStatus | null;
  readonly restrictedFrom: 'untrusted' | 'trusted' | null;
  readonly reportedAs: DeviceReport | null;
}

interface Standing {
  readonly status: DeviceStatus;
  readonly suspendedFrom: DeviceStatus | null;
  readonly restrictedFrom: 'untrusted' | 'trusted' | null;
}

/** stays: it is so already. A device that is being set up has nothing to lose yet. */
export function judgeReport(
  { status, suspendedFrom, restrictedFrom, reportedAs }: ReportFacts,
  as: DeviceReport,
):
  | Standing
  | { readonly stays: true }
  | { readonly refused: Extract<ErrorCode, 'device_ended' | 'device_not_allowed'> } {
  if (status === 'revoked') return { refused: 'device_ended' };
  if (status === 'pending') return { refused: 'device_not_allowed' };
  // What is known to be stolen is not merely lost again.
  if (reportedAs === as || reportedAs === 'stolen') return { stays: true };
  const was = status === 'suspended' ? suspendedFrom : status;
  const from = restrictedFrom ?? (was === 'trusted' || was === 'untrusted' ? was : null);
  if (status === 'suspended')
    return { status, suspendedFrom: afterReport(suspendedFrom), restrictedFrom: from };
  return { status: afterReport(status), suspendedFrom, restrictedFrom: from };
}

function afterReport<Status extends DeviceStatus | null>(status: Status): Status | 'restricted' {
  return status === 'trusted' || status === 'untrusted' ? 'restricted' : status;
}

export function judgeLift(
  { status, suspendedFrom, restrictedFrom, reportedAs }: ReportFacts,
  { isOwnersOwn, isOwnReport }: { readonly isOwnersOwn: boolean; readonly isOwnReport: boolean },
):
  | Standing
  | { readonly stays: true }
  | {
      readonly refused: Extract<
        ErrorCode,
        'other_device_needed' | 'device_ended' | 'four_eyes_required'
      >;
    } {
  if (isOwnersOwn) return { refused: 'other_device_needed' };
  if (status === 'revoked') return { refused: 'device_ended' };
  if (reportedAs === null) return { stays: true };
  if (isOwnReport) return { refused: 'four_eyes_required' };
  const back = restrictedFrom ?? 'untrusted';
  const restored = (from: DeviceStatus) => (from === 'restricted' ? back : from);
  if (status === 'suspended')
    return {
      status,
      suspendedFrom: suspendedFrom === null ? null : restored(suspendedFrom),
      restrictedFrom: null,
    };
  return { status: restored(status), suspendedFrom, restrictedFrom: null };
}
