/**
 * What the console asks the operations door for on behalf of a member of staff. The cookie travels by itself and no script can read it; a refusal
 * comes back as its code with the server's own words. A change that got no answer is sent again under the same key by whoever asked for it.
 */

import { presenceHeaders } from './presence.ts';
import { recoveryApi } from './recoveries/recovery-api.ts';

export type Reason = 'customer_request' | 'lost_device' | 'suspicious_activity' | 'other';
export type ReleaseReason = 'false_alarm' | 'customer_verified';

export interface HoldView {
  readonly holdId: string;
  readonly customerId: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: string;
  readonly epoch: number;
  readonly approvalId: string | null;
}

export interface DeviceOfCustomer {
  readonly deviceId: string;
  readonly name: string;
  readonly platform: string;
  readonly status: string;
  readonly reportedAs: string | null;
  readonly attestationLevel: string;
}

export interface Customer {
  readonly customerId: string;
  readonly status: 'prospect' | 'active' | 'erased';
  readonly epoch: number;
  readonly createdAt: string;
  readonly givenName: string | null;
  readonly phone: string | null;
  readonly email: string | null;
  readonly liveSessions: number;
  readonly hold: HoldView | null;
  readonly frozenUntil: string | null;
  readonly devices: readonly DeviceOfCustomer[];
}

export interface SessionOfCustomer {
  readonly sessionId: string;
  readonly standing: 'good' | 'session_ended' | 'customer_on_hold' | 'device_not_allowed';
  readonly deviceId: string | null;
  readonly deviceName: string | null;
  readonly platform: string | null;
  readonly clientId: string;
  readonly acr: string;
  readonly startedAt: string;
  readonly lastSeenAt: string;
}

export interface Approval {
  readonly approvalId: string;
  readonly holdId: string;
  readonly customerId: string;
  readonly reason: string;
  readonly status: 'pending' | 'approved' | 'declined' | 'expired' | 'void';
  readonly preparedBy: string;
  readonly preparedByName: string;
  readonly preparedAt: string;
  readonly expiresAt: string;
  readonly decidedByName: string | null;
  readonly decidedAt: string | null;
}

export interface Call {
  readonly stepUpId: string;
  readonly customerId: string;
  readonly caseReference: string;
  readonly status: string;
  readonly approveBy: string;
  readonly provedSecondsAgo: number | null;
  readonly deviceName: string | null;
  readonly deviceTrustedSince: string | null;
}

export interface Revealed {
  readonly value: string;
  readonly hideAfterSeconds: number;
}

export interface CeremonyOfCustomer {
  readonly ceremonyId: string;
  readonly kind: 'enrollment' | 'step_up' | 'recovery';
  readonly state: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly createdAt: string;
}

/** One line of the trail, which nobody changes. */
export interface AuditEntry {
  readonly position: string;
  readonly at: string;
  readonly action: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly subject: { readonly kind: string; readonly id: string };
  readonly customerId: string | null;
  readonly ceremonyId: string | null;
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

export interface WorkingPart {
  readonly name: string;
  readonly standing: 'works' | 'slow' | 'down';
  readonly waiting: number;
  readonly oldestSeconds: number;
  readonly undelivered: number;
}

/** `silent`: nobody answered, so that nobody knows whether it happened. */
export type Told<Value> =
  | { readonly kind: 'answered'; readonly value: Value }
  | { readonly kind: 'refused'; readonly code: string; readonly title: string }
  | { readonly kind: 'logged-out' }
  | { readonly kind: 'silent' };

export type StaffApi = ReturnType<typeof createStaffApi>;

export function createStaffApi(slug: string) {
  const base = `/t/${slug}/staff`;
  const read = <Value>(path: string) =>
    send<Value>(`${base}${path}`, { method: 'GET', headers: presenceHeaders() });
  const change = <Value>(path: string, body: object, key: string) =>
    send<Value>(`${base}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });
  return {
    find: (phone: string) =>
      change<{ customers: readonly Customer[] }>(
        '/customers/search',
        { phone },
        crypto.randomUUID(),
      ),
    customer: (customerId: string) => read<Customer>(`/customers/${customerId}`),
    sessions: (customerId: string) =>
      read<{ sessions: readonly SessionOfCustomer[]; next: string | null }>(
        `/customers/${customerId}/sessions?limit=50`,
      ),
    endSession: (sessionId: string, reason: Reason, key: string) =>
      change(`/sessions/${sessionId}/end`, { reason }, key),
    changeDevice: (
      deviceId: string,
      action: 'suspend' | 'resume' | 'revoke',
      reason: Reason,
      key: string,
    ) => change(`/devices/${deviceId}/${action}`, { reason }, key),
    reportDevice: (deviceId: string, kind: string, reason: Reason, key: string) =>
      change(`/devices/${deviceId}/report`, { kind, reason }, key),
    liftReport: (deviceId: string, reason: Reason, key: string) =>
      change(`/devices/${deviceId}/lift-report`, { reason }, key),
    freeze: (customerId: string, reason: Reason, key: string) =>
      change(`/customers/${customerId}/freeze`, { reason }, key),
    liftFreeze: (customerId: string, reason: Reason, key: string) =>
      change(`/customers/${customerId}/lift-freeze`, { reason }, key),
    reveal: (customerId: string, contact: 'phone' | 'email', reason: string, key: string) =>
      change<Revealed>(`/customers/${customerId}/reveal-contact`, { contact, reason }, key),
    ceremonies: (customerId: string) =>
      read<{ ceremonies: readonly CeremonyOfCustomer[] }>(`/customers/${customerId}/ceremonies`),
    requestRelease: (holdId: string, reason: ReleaseReason, key: string) =>
      change(`/holds/${holdId}/release-requests`, { reason }, key),
    approvals: () => read<{ approvals: readonly Approval[] }>('/approvals?limit=50'),
    decide: (approvalId: string, decision: 'approve' | 'decline', key: string) =>
      change(`/approvals/${approvalId}/${decision}`, {}, key),
    startCall: (customerId: string, caseReference: string, key: string) =>
      change<Call>(`/customers/${customerId}/calls`, { caseReference }, key),
    call: (stepUpId: string) => read<Call>(`/calls/${stepUpId}`),
    audit: (search: URLSearchParams) =>
      read<{ entries: readonly AuditEntry[]; next: string | null }>(`/audit?${search.toString()}`),
    auditFile: (search: URLSearchParams) =>
      read<{ readonly isComplete: boolean; readonly entries: readonly AuditEntry[] }>(
        `/audit/export?${search.toString()}`,
      ),
    worksNow: () => read<{ at: string; parts: readonly WorkingPart[] }>('/works-now'),
    recoveries: recoveryApi({ base, read, change }),
  };
}

async function send<Value>(path: string, options: RequestInit): Promise<Told<Value>> {
  try {
    const answer = await fetch(path, options);
    const body: unknown = await answer.json();
    // The door's own answers, held by its schemas.
    if (answer.ok) return { kind: 'answered', value: body as Value };
    const { code, title } = problemOf(body);
    if (code === 'staff_login_required') return { kind: 'logged-out' };
    return answer.status >= 500 && code !== 'temporal_unavailable'
      ? { kind: 'silent' }
      : { kind: 'refused', code, title };
  } catch {
    return { kind: 'silent' };
  }
}

function problemOf(body: unknown): { readonly code: string; readonly title: string } {
  const member = (name: string): string => {
    if (typeof body !== 'object' || body === null) return '';
    const value: unknown = Reflect.get(body, name);
    return typeof value === 'string' ? value : '';
  };
  return { code: member('code'), title: member('title') };
}
