/**
 * A customer's own history of logins, read from the audit trail: what began, what was refused, what ended and why, and what became of his
 * devices and passkeys. It must never be written here, and shows nothing of what staff looked at.
 */
import type { ErrorCode } from '../domain/errors.ts';
import { appendAudit, type ActorKind } from './audit.ts';
import type { Tx } from './connection.ts';
import type { PersonalData } from './personal-data.ts';

/** The trail's word → the customer's. */
const SHOWN = {
  'session.created': 'logged_in',
  'session.ended': 'session_ended',
  'login.refused': 'login_refused',
  'device.trusted': 'device_trusted',
  'device.suspended': 'device_suspended',
  'device.resumed': 'device_resumed',
  'device.revoked': 'device_revoked',
  'credential.revoked': 'passkey_removed',
  'fraud.cut_off': 'account_held',
  'fraud.released': 'account_released',
} as const satisfies Readonly<Record<string, string>>;

type ShownAction = keyof typeof SHOWN;
export type HistoryEvent = (typeof SHOWN)[ShownAction];
export const HISTORY_EVENTS: readonly HistoryEvent[] = Object.values(SHOWN);

export interface HistoryEntry {
  readonly position: number;
  readonly atMs: number;
  readonly event: HistoryEvent;
  readonly by: ActorKind;
  /** Why it ended or was refused, as a code. */
  readonly reason: string | null;
  readonly sessionId: string | null;
  readonly acr: string | null;
  readonly deviceName: string | null;
  readonly platform: string | null;
  readonly model: string | null;
  readonly place: string | null;
}

interface HistoryRow extends Omit<HistoryEntry, 'event' | 'atMs' | 'place'> {
  readonly action: ShownAction;
  readonly at: Date;
  readonly sealedPlace: Uint8Array | null;
}

export interface HistoryQuery {
  readonly tenantId: string;
  readonly customerId: string;
  /** Only what stands before this position. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** The youngest first. */
export async function readLoginHistory(
  tx: Tx,
  personalData: PersonalData,
  { tenantId, customerId, before, limit }: HistoryQuery,
): Promise<readonly HistoryEntry[]> {
  const rows = await tx<HistoryRow[]>`
    select a.position, a.at, a.action, a.actor_kind as by, coalesce(a.detail ->> 'reason', a.detail ->> 'code') as reason,
      s.session_id, s.acr, s.sealed_place, d.name as device_name, d.platform, d.model
    from audit a
    left join session s on s.tenant_id = a.tenant_id and a.subject_kind = 'session' and s.session_id = a.subject_id
    left join device d on d.tenant_id = a.tenant_id and d.customer_id = a.customer_id
      and d.device_id = coalesce(s.device_id, a.detail ->> 'deviceId', case when a.subject_kind = 'device' then a.subject_id end)
    where a.tenant_id = ${tenantId} and a.customer_id = ${customerId} and a.action = any(${Object.keys(SHOWN)})
      ${before === undefined ? tx`` : tx`and a.position < ${before}`}
    order by a.position desc limit ${limit}`;
  const places = await openPlaces(tx, personalData, { tenantId, customerId }, rows);
  return rows.map(({ action, at, sealedPlace: _sealed, ...row }) => ({
    ...row,
    atMs: at.getTime(),
    event: SHOWN[action],
    place: (row.sessionId === null ? undefined : places.get(row.sessionId)) ?? null,
  }));
}

/** What a session's place is sealed for. */
export const PLACE = 'session.place';

/** By session; what has no place is not there. One customer's rows only: his key is opened once. */
export async function openPlaces(
  tx: Tx,
  personalData: PersonalData,
  customer: { readonly tenantId: string; readonly customerId: string },
  rows: readonly { readonly sessionId: string | null; readonly sealedPlace: Uint8Array | null }[],
): Promise<ReadonlyMap<string, string>> {
  const sealed = new Map<string, Uint8Array>();
  for (const { sessionId, sealedPlace } of rows)
    if (sessionId !== null && sealedPlace !== null) sealed.set(sessionId, sealedPlace);
  const target = { ...customer, purpose: PLACE };
  const texts = await personalData.openAll(tx, target, [...sealed.values()]);
  return new Map([...sealed.keys()].map((sessionId, index) => [sessionId, texts[index] ?? '']));
}

/** What was refused to somebody who proved one of the customer's passkeys: he should know. In a transaction of its own, the login's is gone. */
export async function recordRefusedLogin(
  tx: Tx,
  {
    tenantId,
    customerId,
    credentialId,
    jkt,
  }: {
    readonly tenantId: string;
    readonly customerId: string;
    readonly credentialId: string;
    readonly jkt: string;
  },
  code: ErrorCode,
): Promise<void> {
  const [device] = await tx<{ deviceId: string }[]>`
    select device_id from device
    where tenant_id = ${tenantId} and customer_id = ${customerId} and session_jkt = ${jkt} limit 1`;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'customer', id: customerId },
    action: 'login.refused',
    subject: { kind: 'credential', id: credentialId },
    customerId,
    detail: { code, deviceId: device?.deviceId ?? null },
  });
}
