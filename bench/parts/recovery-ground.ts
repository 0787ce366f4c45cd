/**
 * What a contact centre's queue is measured on: open cases of recovery in every state, half as many again that have ended, and who works on them,
 * written straight into the tables as their transactions leave them; and customers whose addresses somebody can ask about.
 */
import { randomBytes } from 'node:crypto';
import { newId } from '../../adapters/random.ts';
import { newStaffToken, staffTokenHash } from '../../api/staff/tokens.ts';
import { STAFF_COOKIE } from '../../api/staff/cookies.ts';
import { DEMO_APP_CLIENT } from '../../db/bootstrap.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import type { Bed } from '../bed.ts';
import type { Phone } from '../people.ts';

/** A statement takes 65,535 parameters at most; these rows have up to 22. */
const ROWS_AT_ONCE = 2_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Of a hundred open cases so many stand in each state. */
const SHARES = { contact: 15, identity: 30, review: 30, cooling: 15, rebind: 5, held: 5 } as const;
type OpenState = keyof typeof SHARES;
const STATES: readonly OpenState[] = Object.entries(SHARES).flatMap(([state, share]) =>
  // Object.entries forgets which keys there are.
  Array.from({ length: share }, () => state as OpenState),
);

export interface Desk {
  /** The header of a supervisor's requests. */
  readonly cookie: string;
  readonly customerId: string;
}

/** One open case for each customer, each second of whom had one before. */
export async function seedDesk(bed: Bed, customers: readonly Phone[]): Promise<Desk> {
  const staff = await insertStaff(bed);
  for (let from = 0; from < customers.length; from += ROWS_AT_ONCE) {
    const some = customers.slice(from, from + ROWS_AT_ONCE);
    const open = some.map((customer, index) => openCase(customer, from + index, staff));
    const ended = some
      .filter((_, index) => index % 2 === 0)
      .map((customer) => endedCase(customer, staff));
    await insertCases(bed, [...open, ...ended]);
  }
  // As autovacuum would in time.
  await bed.sql`vacuum analyze ceremony, recovery, recovery_factor, recovery_decision, staff, staff_session`;
  return {
    cookie: await logIn(bed, staff[0]),
    customerId: customers[Math.floor(customers.length / 2)]?.customerId ?? '',
  };
}

type Staff = readonly [string, ...string[]];
const PEOPLE = 40;

async function insertStaff({ sql, tenantId }: Bed): Promise<Staff> {
  const first = newId('staff');
  const ids: Staff = [first, ...Array.from({ length: PEOPLE - 1 }, () => newId('staff'))];
  const now = new Date();
  await sql`insert into staff ${sql(
    ids.map((staffId, index) => ({
      tenant_id: tenantId,
      staff_id: staffId,
      issuer: 'https://staff.example',
      subject: staffId,
      employee_id: `E-${String(index)}`,
      name: `Somebody ${String(index)}`,
      roles: ['agent', 'supervisor'],
      created_at: now,
      last_login_at: now,
    })),
  )}`;
  return ids;
}

async function logIn({ sql, tenantId }: Bed, staffId: string): Promise<string> {
  const token = newStaffToken(tenantId);
  const now = Date.now();
  await sql`insert into staff_session ${sql({
    tenant_id: tenantId,
    staff_session_id: newId('staffSession'),
    staff_id: staffId,
    kind: 'browser',
    status: 'live',
    token_hash: staffTokenHash(token),
    roles: ['agent', 'supervisor'],
    auth_time: new Date(now),
    started_at: new Date(now),
    last_seen_at: new Date(now),
    idle_deadline: new Date(now + DAY_MS),
    absolute_deadline: new Date(now + DAY_MS),
  })}`;
  return `${STAFF_COOKIE}=${token}`;
}

interface Case {
  readonly recoveryId: string;
  readonly customerId: string;
  readonly state: OpenState | 'ended';
  readonly createdAt: Date;
  readonly reviewDueAt: Date | null;
  readonly escalatedAt: Date | null;
  readonly claimedBy: string | null;
  readonly approvedBy: readonly string[];
  readonly people: number;
}

const pick = <One>(all: readonly [One, ...One[]], turn: number): One =>
  all[turn % all.length] ?? all[0];

/** Spread over three days; of those under review a tenth is overdue, a sixth was approved by one of two. */
function openCase({ customerId }: Phone, turn: number, staff: Staff): Case {
  const state = STATES[(turn * 37) % STATES.length] ?? 'review';
  const isReview = state === 'review';
  const dueInMs = ((turn * 7919) % 4_000) * MINUTE_MS * 0.1 - 40 * MINUTE_MS;
  return {
    recoveryId: newId('ceremony'),
    customerId,
    state,
    createdAt: new Date(Date.now() - ((turn * 104_729) % (3 * DAY_MS))),
    reviewDueAt: isReview ? new Date(Date.now() + dueInMs) : null,
    escalatedAt: state === 'held' || turn % 97 === 0 ? new Date(Date.now() - turn * 1_000) : null,
    claimedBy: turn % 4 === 0 ? pick(staff, turn / 4) : null,
    approvedBy: isReview && turn % 6 === 0 ? [pick(staff, turn + 1)] : [],
    people: turn % 2 === 0 ? 2 : 1,
  };
}

function endedCase({ customerId }: Phone, staff: Staff): Case {
  return {
    recoveryId: newId('ceremony'),
    customerId,
    state: 'ended',
    createdAt: new Date(Date.now() - 40 * DAY_MS),
    reviewDueAt: null,
    escalatedAt: null,
    claimedBy: pick(staff, 1),
    approvedBy: [pick(staff, 2), pick(staff, 3)],
    people: 2,
  };
}

async function insertCases({ sql, tenantId }: Bed, cases: readonly Case[]): Promise<void> {
  const later = new Date(Date.now() + 3 * DAY_MS);
  await sql`insert into ceremony ${sql(
    cases.map(({ recoveryId, customerId, state, createdAt }) => ({
      tenant_id: tenantId,
      ceremony_id: recoveryId,
      kind: 'recovery',
      customer_id: customerId,
      state,
      outcome: state === 'ended' ? 'completed' : null,
      ended_at: state === 'ended' ? createdAt : null,
      epoch: 1,
      policy_version: 1,
      locale: 'en',
      step_deadline: state === 'ended' ? null : later,
      deadline: later,
      created_at: createdAt,
    })),
  )}`;
  await sql`insert into recovery ${sql(cases.map((one) => recoveryRow(tenantId, one)))}`;
  await sql`insert into recovery_factor ${sql(
    cases.map(({ recoveryId, customerId, createdAt }) => ({
      tenant_id: tenantId,
      factor_id: newId('factor'),
      recovery_id: recoveryId,
      customer_id: customerId,
      method: 'email_code',
      epoch: 1,
      evidence_id: newId('recoveryRequest'),
      recorded_by_kind: 'customer',
      recorded_by: customerId,
      recorded_at: createdAt,
    })),
  )}`;
  await sql`insert into recovery_decision ${sql(
    cases.flatMap(({ recoveryId, approvedBy, createdAt }) =>
      approvedBy.map((staffId) => ({
        tenant_id: tenantId,
        decision_id: newId('decision'),
        recovery_id: recoveryId,
        kind: 'approve',
        revision: 2,
        reason: 'person_recognised',
        staff_id: staffId,
        employee: staffId,
        decided_at: createdAt,
      })),
    ),
  )}`;
}

function recoveryRow(tenantId: string, one: Case) {
  return {
    tenant_id: tenantId,
    recovery_id: one.recoveryId,
    customer_id: one.customerId,
    opened_by_kind: 'customer',
    opened_by: newId('contact'),
    report: 'lost',
    opened_at: one.createdAt,
    record_until: one.state === 'ended' ? new Date(Date.now() + 365 * DAY_MS) : null,
    client_id: DEMO_APP_CLIENT,
    jkt: randomBytes(32).toString('base64url'),
    risk: 'medium',
    contacts_required: 1,
    people_required: one.people,
    cooling_seconds: 86_400,
    cooling_floor_seconds: 900,
    review_due_at: one.reviewDueAt,
    escalated_at: one.escalatedAt,
    held_at: one.state === 'held' ? one.escalatedAt : null,
    claimed_by: one.claimedBy,
    claimed_at: one.claimedBy === null ? null : one.createdAt,
    revision: 2,
  };
}

/** Gives so many customers a proved address each; answers those. */
export async function seedAddresses(
  { sql, tenantId, kms }: Bed,
  customers: readonly Phone[],
): Promise<readonly string[]> {
  const personalData = createPersonalData(kms);
  const now = new Date();
  const known = customers.map(({ customerId }) => ({
    customerId,
    email: `${randomBytes(8).toString('hex')}@example.test`,
  }));
  await sql`insert into contact ${sql(
    known.map(({ customerId, email }) => ({
      tenant_id: tenantId,
      contact_id: newId('contact'),
      customer_id: customerId,
      kind: 'email',
      blind_index: personalData.blindIndex(tenantId, 'email', email),
      // Nobody opens it here: no relay runs.
      sealed_value: randomBytes(60),
      status: 'proved',
      created_at: now,
      proved_at: now,
    })),
  )}`;
  await sql`vacuum analyze contact`;
  return known.map(({ email }) => email);
}
