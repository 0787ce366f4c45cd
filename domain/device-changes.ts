/**
 * What may be done to a device, by whom, and what then follows (DESIGN.md section 10, "What stops what"). A device is never suspended, resumed or
 * revoked from itself; what was revoked never comes back; what fraud suspended comes back with the hold's release and in no other way.
 */
import type { DeviceStatus } from './auth-strength.ts';
import type { ErrorCode } from './errors.ts';
import { ID_PREFIXES } from './ids.ts';

export const DEVICE_ACTIONS = ['suspend', 'resume', 'revoke'] as const;
export type DeviceAction = (typeof DEVICE_ACTIONS)[number];

export interface DeviceFacts {
  readonly status: DeviceStatus;
  /** Id of the customer, the member of staff or the revocation. */
  readonly suspendedBy: string | null;
  /** What it was before. */
  readonly suspendedFrom: DeviceStatus | null;
  /** The owner's own session stands on it, by its key or by one of its passkeys. */
  readonly isOwnersOwn: boolean;
  /** Whoever asks to lift a suspension is the member of staff who imposed it. */
  readonly isOwnSuspension: boolean;
}

export type DeviceChange =
  | { readonly becomes: DeviceStatus }
  /** It is so already. */
  | { readonly stays: DeviceStatus }
  | {
      readonly refused: Extract<
        ErrorCode,
        'other_device_needed' | 'device_ended' | 'caller_not_allowed' | 'four_eyes_required'
      >;
    };

export function judgeDeviceChange(
  action: DeviceAction,
  by: 'owner' | 'staff',
  facts: DeviceFacts,
): DeviceChange {
  const { status, suspendedFrom } = facts;
  if (by === 'owner' && facts.isOwnersOwn) return { refused: 'other_device_needed' };
  if (action === 'revoke') return status === 'revoked' ? { stays: status } : { becomes: 'revoked' };
  if (status === 'revoked') return { refused: 'device_ended' };
  const isOfFraud = facts.suspendedBy?.startsWith(`${ID_PREFIXES.revocation}_`) === true;
  if (action === 'suspend') {
    // Staff who suspend what fraud has suspended keep it so beyond the hold's release.
    const isTakenOver = isOfFraud && by === 'staff';
    return status === 'suspended' && !isTakenOver ? { stays: status } : { becomes: 'suspended' };
  }
  if (status !== 'suspended') return { stays: status };
  if (isOfFraud) return { refused: 'caller_not_allowed' };
  if (by === 'staff' && facts.isOwnSuspension) return { refused: 'four_eyes_required' };
  return { becomes: suspendedFrom ?? 'untrusted' };
}
