/**
 * Step-ups as rows: a ceremony of the kind `step_up` and a row of the same id with what only a step-up has. Reading them stands here; what
 * moves them in step-up-moves.ts. What was asked for is sealed under the customer's key (step-up-sealed.ts), so a record alone never tells it.
 */
import type { IdKind } from '../domain/ids.ts';
import type { Policy } from '../domain/policy.ts';
import type { Risk } from '../domain/ports.ts';
import type {
  StepUpRequester,
  StepUpSnapshot,
  StepUpStrength,
  StepUpSubject,
} from '../domain/step-up.ts';
import type { Database, Tx } from './connection.ts';
import type { PersonalData } from './personal-data.ts';
import { isRequester } from './step-up-requester.ts';
import { recordSelect, toRecord, type StepUpDbRow } from './step-up-rows.ts';
import { together } from './together.ts';

/** What every change of a step-up needs. */
export interface StepUpTools {
  readonly personalData: PersonalData;
  readonly newId: (kind: IdKind) => string;
}

/** Everything the rows say in clear, with the policy they pinned. Times in milliseconds of the database. */
export interface StepUpRecord extends StepUpSnapshot, StepUpSubject {
  readonly customerId: string;
  readonly requester: StepUpRequester;
  readonly actionType: string;
  /** Which app and key began a login; null for every other kind. */
  readonly clientId: string | null;
  readonly jkt: string | null;
  readonly epoch: number;
  readonly locale: string;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
  readonly healCount: number;
  readonly policyVersion: number;
  readonly policy: Policy;
  /** What the requester named; null where any trusted device may answer. */
  readonly sessionId: string | null;
  readonly deviceId: string | null;
  readonly credentialId: string | null;
  readonly atLeast: StepUpStrength | null;
  readonly delaySeconds: number;
  readonly spend: StepUpSpend | null;
  /** SHA-256 of the preimage that was sent last; null until it was opened. */
  readonly challenge: Uint8Array | null;
  readonly openedDeviceId: string | null;
  readonly openedAs: Uint8Array | null;
  /** Who approved with what, once the keys were good. */
  readonly approvedDeviceId: string | null;
  readonly approvedSessionId: string | null;
  readonly approvedCredentialId: string | null;
  readonly risk: Risk | null;
  readonly provedAtMs: number | null;
  readonly approvedAtMs: number | null;
  readonly consumedAtMs: number | null;
  /** null until the worker has sealed it. */
  readonly receiptId: string | null;
}

/** What it adds to the day's total. */
export interface StepUpSpend {
  readonly currency: string;
  /** UTC, `2027-01-31`. */
  readonly day: string;
  readonly minor: bigint;
  /** The day's total with it, as it stood when it was asked for. */
  readonly dayTotalMinor: bigint;
}

/** undefined when there is no such step-up. Locked: its ceremony, until the transaction ends; the customer's row comes before that. */
export async function readStepUp(
  tx: Tx,
  { tenantId, stepUpId }: StepUpSubject,
  isLocked = false,
): Promise<StepUpRecord | undefined> {
  // What stands beside the ceremony is read by a statement of its own after the lock: in the same it would keep the snapshot from before.
  const lock = isLocked
    ? tx`
      select 1 from ceremony
      where tenant_id = ${tenantId} and ceremony_id = ${stepUpId} and kind = 'step_up' for update`
    : Promise.resolve();
  const [, [row]] = await together([
    lock,
    tx<StepUpDbRow[]>`
    ${recordSelect(tx)} where c.tenant_id = ${tenantId} and c.ceremony_id = ${stepUpId} and c.kind = 'step_up'`,
  ]);
  return row === undefined ? undefined : toRecord(row);
}

/** As it stands now, in one round trip; for whoever only looks. */
export async function glanceAtStepUp(
  database: Pick<Database, 'statement'>,
  { tenantId, stepUpId }: StepUpSubject,
): Promise<StepUpRecord | undefined> {
  const [row] = await database.statement<StepUpDbRow>({
    tenantId,
    build: ({ sql, bound, isBound }) => sql<StepUpDbRow[]>`
      with ${bound} ${recordSelect(sql)}
      where ${isBound} and c.tenant_id = ${tenantId} and c.ceremony_id = ${stepUpId} and c.kind = 'step_up'`,
  });
  return row === undefined ? undefined : toRecord(row);
}

/** Of that customer alone; somebody else's is as good as none. */
export async function stepUpOfCustomer(
  tx: Tx,
  { customerId, ...subject }: StepUpSubject & { readonly customerId: string },
): Promise<StepUpRecord | undefined> {
  const record = await readStepUp(tx, subject);
  // A login is answered by the key that began it, not by a session.
  return record?.customerId === customerId && record.requester.kind !== 'login'
    ? record
    : undefined;
}

/** Of that requester alone. */
export async function stepUpOfRequester(
  tx: Tx,
  { requester, ...subject }: StepUpSubject & { readonly requester: StepUpRequester },
): Promise<StepUpRecord | undefined> {
  const record = await readStepUp(tx, subject);
  return record !== undefined && isRequester(record, requester) ? record : undefined;
}

const LISTED = 20;

/** What a customer may look at: everything that waits, and of the rest the youngest. */
export async function listStepUps(
  tx: Tx,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<readonly StepUpRecord[]> {
  const rows = await tx<StepUpDbRow[]>`
    ${recordSelect(tx)}
    where c.tenant_id = ${tenantId} and c.customer_id = ${customerId} and c.kind = 'step_up' and s.requester_kind <> 'login'
      and c.state <> 'starting'
    order by (c.outcome is null) desc, c.created_at desc, c.ceremony_id desc limit ${LISTED}`;
  return rows.map(toRecord);
}

/** The last thing a workflow does. The reconciler looks at open ones only. */
export async function markStepUpClosed(
  database: Pick<Database, 'statement'>,
  { tenantId, stepUpId }: StepUpSubject,
): Promise<void> {
  await database.statement({
    tenantId,
    build: ({ sql, bound, isBound }) => sql`
      with ${bound}
      update ceremony set workflow_closed_at = latchkey_now()
      where ${isBound} and tenant_id = ${tenantId} and ceremony_id = ${stepUpId} and kind = 'step_up' and outcome is not null
        and workflow_closed_at is null`,
  });
}

/** What the workflow may know: no customer, no key, no action, no policy. */
export function toStepUpSnapshot(record: StepUpRecord): StepUpSnapshot {
  return {
    state: record.state,
    outcome: record.outcome,
    reason: record.reason,
    required: record.required,
    isLogin: record.isLogin,
    approveByMs: record.approveByMs,
    consumableAtMs: record.consumableAtMs,
    consumeByMs: record.consumeByMs,
    consumeMs: record.consumeMs,
    delayMs: record.delayMs,
    seq: record.seq,
    nowMs: record.nowMs,
    maxUpdates: record.maxUpdates,
  };
}
