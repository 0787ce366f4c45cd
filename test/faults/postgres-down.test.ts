/** PostgreSQL killed and started again over the same data: 503 while it is down, nothing half-done, and no process has to be restarted. */
import { describe, expect, test, vi } from 'vitest';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { abandonClaims, fraudEngine, openRows } from '../setup/faults.ts';
import {
  beginEnrollment,
  codeSentTo,
  createSoftwarePhone,
  enrollPhone,
  reach,
  type SoftwarePhone,
} from '../setup/software-phone.ts';

const bed = prepareFaultBed({ hasOwnPostgres: true });

const UNAVAILABLE = { status: 503, retryAfter: expect.stringMatching(/^\d+$/) };
const PATIENCE = { timeout: 60_000 };

/** How many rows there are of all that a request of this file could write. */
async function census() {
  const [counted] = await bed.rows`
    select (select count(*)::int from customer) as customers, (select count(*)::int from contact) as contacts,
      (select count(*)::int from ceremony) as ceremonies, (select count(*)::int from step_attempt) as attempts,
      (select count(*)::int from step_submission) as submissions, (select count(*)::int from device) as devices,
      (select count(*)::int from session) as sessions, (select sum(generation)::int from session) as refreshes,
      (select count(*)::int from spent_challenge) as challenges, (select count(*)::int from revocation) as revocations,
      (select count(*)::int from hold) as holds, (select count(*)::int from idempotency) as keys,
      (select count(*)::int from outbox) as outbox, (select count(*)::int from audit) as audited`;
  return counted;
}

async function readiness(): Promise<{ status: number; notReady: readonly string[] }> {
  const answer = await fetch(`${bed.stack.publicUrl}/readyz`);
  // The schema of the operation says so.
  const { checks } = (await answer.json()) as { checks: { name: string; ready: boolean }[] };
  const notReady = checks.filter(({ ready }) => !ready).map(({ name }) => name);
  return { status: answer.status, notReady };
}

/** The call's outcome once the database is back: whatever is undecided is asked again by the SDK's key. */
function eventually<T>(call: () => Promise<T>): Promise<T> {
  return vi.waitFor(call, PATIENCE);
}

describe('PostgreSQL killed', () => {
  test('every operation answers 503 with Retry-After, no row is written, and all goes on by itself when it is back', async () => {
    const phone = await enrollPhone(bed.stack);
    const { sessionId } = await phone.latchkey.logIn();
    const begun = createSoftwarePhone(bed.stack);
    const enrollmentId = await beginEnrollment(begun);
    const code = await codeSentTo(bed.stack, begun.number);
    const fresh = createSoftwarePhone(bed.stack);
    const engine = fraudEngine(bed.stack);
    const signal = () =>
      engine.call({
        method: 'POST',
        path: '/fraud/signals',
        body: { customerId: phone.customerId, reason: 'other' },
        idempotencyKey: 'postgres-down',
      });
    await engine.call({ method: 'GET', path: '/fraud/revocations/rev_00000000000000000000000000' });
    const before = await census();
    await bed.stack.killPostgres();

    const calls: readonly [SoftwarePhone, string, () => Promise<unknown>][] = [
      [phone, '/auth/me', () => phone.latchkey.me()],
      [phone, '/oauth/token', () => phone.latchkey.session.refresh()],
      [phone, '/auth/login-options', () => phone.latchkey.logIn()],
      [fresh, '/auth/enrollments', () => start(fresh)],
      [begun, '/phone-code', () => begun.latchkey.enrollment.submitPhoneCode(enrollmentId, code)],
    ];
    for (const [caller, path, call] of calls) {
      await expect(call()).rejects.toMatchObject({ name: 'LatchkeyProblem' });
      expect(caller.callsOf(path).at(-1)).toMatchObject(UNAVAILABLE);
    }
    await expect(phone.latchkey.callService('bank', bank())).rejects.toMatchObject({ status: 503 });
    expect((await signal()).status).toBe(503);
    expect(await readiness()).toEqual({
      status: 503,
      notReady: expect.arrayContaining(['database']),
    });

    await bed.stack.startPostgres();
    expect(await census()).toEqual(before);
    await expect.poll(readiness, PATIENCE).toEqual({ status: 200, notReady: [] });
    const refresh = () => phone.latchkey.session.refresh();
    expect(await eventually(refresh)).toMatchObject({ sessionId });
    const step = () => begun.latchkey.enrollment.submitPhoneCode(enrollmentId, code);
    expect(await eventually(step)).toMatchObject({ state: 'identity' });
    expect(await eventually(() => start(fresh))).toHaveProperty('enrollmentId');
    const ids =
      await bed.rows`select ceremony_id from ceremony where ceremony_id <> ${enrollmentId}`;
    expect(ids).toHaveLength(2);
    expect((await signal()).status).toBe(202);
    await expect(phone.latchkey.logIn()).rejects.toMatchObject({ code: 'customer_on_hold' });
  });

  test('killed in the middle of transactions: each thing is done as a whole or not at all, and a repeat under its key does it once', async () => {
    const enrolled = await Promise.all([enrollPhone(bed.stack), enrollPhone(bed.stack)]);
    const strangers = Array.from({ length: 8 }, () => createSoftwarePhone(bed.stack));
    const before = await census();
    // The first three get through, the rest stand in their transactions when it happens.
    const starts = strangers.slice(0, 3).map((phone) => start(phone));
    await Promise.all(starts);
    const lock = openRows(bed.stack);
    await lock`begin`;
    await lock`lock table audit in share mode`;
    const failed = () => undefined;
    const late = strangers.slice(3).map((phone) => start(phone).catch(failed));
    const logins = enrolled.map((phone) => phone.latchkey.logIn().catch(failed));
    const waiting = () => bed.rows`
      select 1 from pg_locks where not granted and relation = 'audit'::regclass`;
    await expect.poll(async () => (await waiting()).length, PATIENCE).toBeGreaterThan(4);
    await bed.stack.killPostgres();
    expect(await Promise.all([...late, ...logins])).toEqual(Array(7).fill(undefined));
    await lock.end({ timeout: 0 });
    await bed.stack.startPostgres();

    expect(await halfDone()).toEqual({ ceremonies: 0, sessions: 0, keys: 0 });
    await abandonClaims(bed.rows);
    for (const [index, phone] of strangers.entries()) {
      const { enrollmentId } = await (starts[index] ?? eventually(() => start(phone)));
      await reach(phone, enrollmentId, 'phone');
    }
    for (const phone of enrolled)
      expect(await eventually(() => phone.latchkey.logIn())).toMatchObject({ status: 'active' });
    expect(await halfDone()).toEqual({ ceremonies: 0, sessions: 0, keys: 0 });
    for (const phone of strangers) {
      const keys = new Set(phone.callsOf('/auth/enrollments').map((call) => call.idempotencyKey));
      expect(keys.size).toBe(1);
      await codeSentTo(bed.stack, phone.number);
    }
    const live = await bed.rows`
      select 1 from session where status = 'live' and customer_id in ${bed.rows(enrolled.map(({ customerId }) => customerId))}`;
    expect(live).toHaveLength(enrolled.length);
    expect((await census())?.['ceremonies']).toBe(
      (before?.['ceremonies'] as number) + strangers.length,
    );
  });
});

const bank = () => `${bed.stack.stageControl.url}/bank/accounts`;

function start(phone: SoftwarePhone) {
  return phone.latchkey.enrollment.start({ phone: phone.number, locale: 'en' });
}

/** Rows without what the same transaction had to write beside them: exactly one audit row, the outbox row, the customer with key and number. */
async function halfDone() {
  const [found] = await bed.rows<{ ceremonies: number; sessions: number; keys: number }[]>`
    select
      (select count(*)::int from ceremony c where
        (select count(*) from audit a where a.ceremony_id = c.ceremony_id and a.action = 'enrollment.started') <> 1
        or (select count(*) from contact o where o.customer_id = c.customer_id and o.kind = 'phone') <> 1
        or (select count(*) from customer_key k where k.customer_id = c.customer_id) <> 1) as ceremonies,
      (select count(*)::int from session s where
        (select count(*) from audit a where a.subject_id = s.session_id and a.action = 'session.created') <> 1
        or (select count(*) from outbox o where o.topic = 'session.start' and o.payload ->> 'sessionId' = s.session_id) <> 1) as sessions,
      (select count(*)::int from idempotency i where i.reference is not null
        and not exists (select 1 from ceremony where ceremony_id = i.reference)
        and not exists (select 1 from step_submission where submission_id = i.reference)
        and not exists (select 1 from session where session_id = i.reference)
        and not exists (select 1 from revocation where revocation_id = i.reference)) as keys`;
  return found;
}
