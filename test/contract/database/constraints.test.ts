/** The states that PostgreSQL lets in are the states that the code knows, column by column. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActorKind } from '../../../db/audit.ts';
import { CUT_OFF_KINDS } from '../../../db/cut-off-feed.ts';
import { PUSH_PLATFORMS } from '../../../db/push.ts';
import type { CodeAttempt } from '../../../db/step-attempts.ts';
import type { StepUpEvidence } from '../../../db/step-up-evidence.ts';
import { APPROVAL_STATUSES } from '../../../domain/approval.ts';
import type { AttestationLevel, DeviceStatus } from '../../../domain/auth-strength.ts';
import { DEVICE_REPORTS } from '../../../domain/device-reports.ts';
import { FREEZE_WAYS } from '../../../domain/freeze.ts';
import { CEREMONY_OUTCOMES, ENROLLMENT_STATES } from '../../../domain/enrollment.ts';
import { FACTOR_METHODS } from '../../../domain/factor-ledger.ts';
import { KEY_PURPOSES } from '../../../domain/key-canary.ts';
import type { Risk } from '../../../domain/ports.ts';
import { RECOVERY_REPORTS, RECOVERY_STATES } from '../../../domain/recovery.ts';
import type { RevocationFacts } from '../../../domain/revocation.ts';
import * as states from '../../../domain/row-states.ts';
import type { SessionEndReason } from '../../../domain/session.ts';
import { SIGNING_KEY_RETIRE_REASONS } from '../../../domain/signing-keys.ts';
import {
  STAFF_SESSION_END_REASONS,
  STAFF_SESSION_KINDS,
  STAFF_SESSION_STATUSES,
} from '../../../domain/staff.ts';
import { REQUESTER_KINDS, STEP_UP_STATES } from '../../../domain/step-up.ts';
import type { StepUpStrength } from '../../../domain/step-up.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';

/** The members of a union, which the compiler holds complete: one too many or too few does not compile. */
const membersOf = <Union extends string>(members: Readonly<Record<Union, true>>) =>
  Object.keys(members);

const STRENGTHS = membersOf<StepUpStrength>({ 'latchkey:3': true, 'latchkey:4': true });

const UNIONS: Readonly<Record<string, readonly string[]>> = {
  'approval.status': APPROVAL_STATUSES,
  'audit.actor_kind': membersOf<ActorKind>({
    customer: true,
    machine: true,
    vendor: true,
    system: true,
    operator: true,
    staff: true,
  }),
  'ceremony.kind': ['enrollment', 'step_up', 'recovery'],
  'ceremony.outcome': CEREMONY_OUTCOMES,
  'ceremony.state (enrollment)': ENROLLMENT_STATES,
  'ceremony.state (recovery)': RECOVERY_STATES,
  'ceremony.state (step_up)': STEP_UP_STATES,
  'client.kind': states.CLIENT_KINDS,
  'client.status': states.CLIENT_STATUSES,
  'contact.kind': states.CONTACT_KINDS,
  'contact.status': states.CONTACT_STATUSES,
  'credential.status': states.CREDENTIAL_STATUSES,
  'customer_freeze.how': FREEZE_WAYS,
  'customer_freeze.placed_by_kind': ['customer', 'staff'],
  'customer_freeze.released_by_kind': ['customer', 'staff'],
  'cut_off.kind': CUT_OFF_KINDS,
  'customer.status': states.CUSTOMER_STATUSES,
  'device.attestation_level': membersOf<AttestationLevel>({ software: true, hardware: true }),
  'device.reported_as': DEVICE_REPORTS,
  'device.restricted_from': ['untrusted', 'trusted'],
  'device.status': membersOf<DeviceStatus>({
    pending: true,
    untrusted: true,
    trusted: true,
    restricted: true,
    suspended: true,
    revoked: true,
  }),
  'event_delivery.status': states.OUTBOX_STATUSES,
  'freeze_request.status': ['sent', 'matched', 'exhausted'],
  'hold.status': states.HOLD_STATUSES,
  'key_canary.purpose': KEY_PURPOSES,
  'outbox.status': states.OUTBOX_STATUSES,
  'push_registration.platform': PUSH_PLATFORMS,
  'recovery.opened_by_kind': ['customer', 'staff'],
  'recovery.report': RECOVERY_REPORTS,
  'recovery.risk': membersOf<Risk>({ not_evaluated: true, low: true, medium: true, high: true }),
  'recovery_decision.kind': ['approve', 'refuse', 'send_back', 'release'],
  'recovery_factor.method': Object.keys(FACTOR_METHODS),
  'recovery_factor.recorded_by_kind': ['customer', 'vendor', 'staff'],
  'recovery_request.contact_kind': states.CONTACT_KINDS,
  'recovery_request.report': RECOVERY_REPORTS,
  'recovery_request.status': ['sent', 'proved', 'superseded', 'exhausted'],
  'revocation.status': membersOf<RevocationFacts['status']>({ running: true, sealed: true }),
  'session.end_reason': membersOf<SessionEndReason>({
    expired_idle: true,
    expired_absolute: true,
    logged_out: true,
    ended_by_customer: true,
    ended_by_staff: true,
    superseded: true,
    limit_reached: true,
    revoked: true,
    reuse_detected: true,
    device_suspended: true,
    device_revoked: true,
    credential_revoked: true,
  }),
  'session.status': states.SESSION_STATUSES,
  'signing_key.purpose': states.SIGNING_KEY_PURPOSES,
  'signing_key.retire_reason': SIGNING_KEY_RETIRE_REASONS,
  'staff_session.end_reason': STAFF_SESSION_END_REASONS,
  'staff_session.kind': STAFF_SESSION_KINDS,
  'staff_session.status': STAFF_SESSION_STATUSES,
  'step_up.at_least': STRENGTHS,
  'step_up.required': STRENGTHS,
  'step_up.requester_kind': REQUESTER_KINDS,
  'step_up_evidence.factor': membersOf<keyof StepUpEvidence>({ keys: true, code: true }),
  'step_attempt.method': states.ATTEMPT_METHODS,
  'step_attempt.status': membersOf<CodeAttempt['status']>({
    open: true,
    matched: true,
    superseded: true,
    exhausted: true,
    failed: true,
  }),
};

let testDatabase: TestDatabase;
let sql: postgres.Sql;
/** `table.column` → the values that a check constraint lists. */
const lists = new Map<string, readonly string[]>();

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  sql = postgres(testDatabase.superuserUrl, { max: 1 });
  const checks = await sql<{ table: string; definition: string }[]>`
    select conrelid::regclass::text as table, pg_get_constraintdef(oid) as definition from pg_constraint
    where contype = 'c' and connamespace = 'public'::regnamespace`;
  for (const { table, definition } of checks) {
    // One column, one list a kind of row.
    const [, kind] = /kind <> '(\w+)'/.exec(definition) ?? [];
    const ofKind = kind === undefined ? '' : ` (${kind})`;
    for (const [, column = '', array = ''] of definition.matchAll(
      /\((\w+) = ANY \(ARRAY\[([^\]]*)\]\)/g,
    )) {
      lists.set(
        `${table}.${column}${ofKind}`,
        [...array.matchAll(/'([^']*)'::text/g)].map(([, value = '']) => value),
      );
    }
    // A list of one is written as a comparison.
    const [, column, value] = /^CHECK \(\((\w+) = '([^']*)'::text\)\)$/.exec(definition) ?? [];
    if (column !== undefined && value !== undefined) lists.set(`${table}.${column}`, [value]);
  }
});
afterAll(async () => {
  await sql.end();
  await testDatabase.drop();
});

describe('check constraints', () => {
  it('list states for exactly the columns that this test knows', () => {
    expect([...lists.keys()].toSorted()).toStrictEqual(Object.keys(UNIONS).toSorted());
  });

  it.each(Object.keys(UNIONS))('let into %s exactly what the code knows', (column) => {
    expect(lists.get(column)?.toSorted()).toStrictEqual(UNIONS[column]?.toSorted());
  });
});
