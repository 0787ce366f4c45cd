/**
 * How a request for recovery stands, for the phone that sent it alone: whether its contact has answered and which case that opened. It says the same
 * of a contact that nobody has, and never holds the contact.
 */
import { timingSafeEqual } from 'node:crypto';
import type { OtpCodes } from '../domain/ports.ts';
import type { Tx } from './connection.ts';
import { activePolicy } from './policies.ts';
import { checkNumberOf } from './recovery-requests.ts';

/** `expired` is a matter of time alone: no row says it. */
export const REQUEST_STATUSES = ['sent', 'proved', 'superseded', 'exhausted', 'expired'] as const;
export type RequestStatus = (typeof REQUEST_STATUSES)[number];

export interface RequestStanding {
  readonly requestId: string;
  readonly status: RequestStatus;
  /** Only while the case is for this very phone: another may have it. */
  readonly recoveryId: string | null;
  readonly checkNumber: string;
  readonly expiresAtMs: number;
}

/** undefined: there is no such request of this key. */
export async function requestStanding(
  tx: Tx,
  { otpCodes }: { readonly otpCodes: OtpCodes },
  { tenantId, requestId, jkt }: { tenantId: string; requestId: string; jkt: string },
): Promise<RequestStanding | undefined> {
  const [row] = await tx<
    { status: RequestStatus; recoveryId: string | null; expiresAt: Date; isOver: boolean }[]
  >`
    select q.status, r.recovery_id, q.expires_at, q.expires_at <= latchkey_now() as is_over
    from recovery_request q
    left join recovery r on r.tenant_id = q.tenant_id and r.recovery_id = q.recovery_id and r.jkt = q.jkt
    where q.tenant_id = ${tenantId} and q.request_id = ${requestId} and q.jkt = ${jkt}`;
  if (row === undefined) return undefined;
  const { recoveryId, expiresAt, isOver } = row;
  return {
    requestId,
    status: row.status === 'sent' && isOver ? 'expired' : row.status,
    recoveryId,
    checkNumber: checkNumberOf(otpCodes, requestId),
    expiresAtMs: expiresAt.getTime(),
  };
}

/** Of a link: its age and end, for whoever shows it. undefined: forgotten, or none. */
export async function requestStatusOf(
  tx: Tx,
  { tenantId, requestId }: { readonly tenantId: string; readonly requestId: string },
): Promise<RequestStatus | undefined> {
  const [row] = await tx<{ status: RequestStatus; isOver: boolean }[]>`
    select status, expires_at <= latchkey_now() as is_over from recovery_request
    where tenant_id = ${tenantId} and request_id = ${requestId}`;
  if (row === undefined) return undefined;
  return row.status === 'sent' && row.isOver ? 'expired' : row.status;
}

/** Whether that is what was sent, had anything been: only then may anybody else be asked about its owner, so that time tells nothing. */
export async function isCodeOfRequest(
  tx: Tx,
  { otpCodes }: { readonly otpCodes: OtpCodes },
  { tenantId, requestId, code }: { tenantId: string; requestId: string; code: string },
): Promise<boolean> {
  const { document } = await activePolicy(tx, tenantId);
  const [given, right] = [code, otpCodes.codeFor(requestId, document.otp.digits)].map((text) =>
    Buffer.from(text),
  );
  if (given === undefined || right === undefined) return false;
  return given.length === right.length && timingSafeEqual(given, right);
}
