/**
 * The one table of authentication strength: which acr a login earns (DESIGN.md section 10) and its amr values (RFC 8176 section 2).
 */

export type Acr = 'latchkey:1' | 'latchkey:2' | 'latchkey:3' | 'latchkey:4';
export type Amr = 'hwk' | 'swk' | 'user' | 'mfa' | 'pop' | 'sms';
export type DeviceStatus =
  | 'pending'
  | 'untrusted'
  | 'trusted'
  | 'restricted'
  | 'suspended'
  | 'revoked';
export type AttestationLevel = 'software' | 'hardware';

export const READ_ONLY_SCOPES = ['openid', 'accounts:read'] as const;
/** `profile`, `email` and `phone` open personal data in full (OpenID Connect Core section 5.4): never to a session that may only read. */
export const FULL_SCOPES = [
  'openid',
  'profile',
  'email',
  'phone',
  'accounts:read',
  'payments:write',
  'profile:write',
] as const;

/** Such a session sees what is the customer's own masked, and may change nothing. */
export function isReadOnly(acr: Acr): boolean {
  return acr === 'latchkey:1';
}

export interface LoginStrength {
  readonly acr: Acr;
  readonly amr: readonly Amr[];
  readonly scopes: readonly string[];
}

/**
 * A passkey with user verification on a trusted device is latchkey:2; on an unknown, untrusted or restricted one latchkey:1, which
 * may only read. undefined: the device may not log in at all.
 */
export function loginStrength(
  device:
    | { readonly status: DeviceStatus; readonly attestationLevel: AttestationLevel }
    | undefined,
): LoginStrength | undefined {
  if (device === undefined)
    return { acr: 'latchkey:1', amr: ['user', 'mfa', 'pop'], scopes: READ_ONLY_SCOPES };
  const key: Amr = device.attestationLevel === 'hardware' ? 'hwk' : 'swk';
  switch (device.status) {
    case 'trusted':
      return { acr: 'latchkey:2', amr: [key, 'user', 'mfa', 'pop'], scopes: FULL_SCOPES };
    case 'untrusted':
    case 'restricted':
      return { acr: 'latchkey:1', amr: [key, 'user', 'mfa', 'pop'], scopes: READ_ONLY_SCOPES };
    case 'pending':
    case 'suspended':
    case 'revoked':
      return undefined;
  }
}
