/** Temporal killed and started again over the same data: ceremonies pause, everything that PostgreSQL decides goes on, workflows catch up. */
import { describe, expect, test } from 'vitest';
import { workflowId } from '../../domain/ids.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { fraudEngine, watchRevocation } from '../setup/faults.ts';
import {
  beginEnrollment,
  codeSentTo,
  createSoftwarePhone,
  enrollPhone,
  reach,
} from '../setup/software-phone.ts';

const bed = prepareFaultBed({ hasOwnTemporal: true, hasShortSecondListing: true });

const UNAVAILABLE = { status: 503, retryAfter: expect.stringMatching(/^\d+$/) };

function ceremony(enrollmentId: string) {
  return bed.rows<{ state: string; seq: number }[]>`
    select state, seq from ceremony where ceremony_id = ${enrollmentId}`;
}

describe('Temporal killed', () => {
  test('a start and a step of enrollment answer 503 with Retry-After, grant nothing, and are taken up under their first keys', async () => {
    const begun = createSoftwarePhone(bed.stack);
    const enrollmentId = await beginEnrollment(begun);
    const code = await codeSentTo(bed.stack, begun.number);
    const before = await ceremony(enrollmentId);
    await bed.stack.killTemporal();

    const fresh = createSoftwarePhone(bed.stack);
    const start = () => fresh.latchkey.enrollment.start({ phone: fresh.number, locale: 'en' });
    await expect(start()).rejects.toMatchObject({ code: 'temporal_unavailable' });
    expect(fresh.callsOf('/auth/enrollments').at(-1)).toMatchObject(UNAVAILABLE);
    const step = () => begun.latchkey.enrollment.submitPhoneCode(enrollmentId, code);
    await expect(step()).rejects.toMatchObject({ isUndecided: true });
    expect(begun.callsOf('/phone-code').at(-1)).toMatchObject(UNAVAILABLE);
    expect(await ceremony(enrollmentId)).toEqual(before);
    const attempts = () =>
      bed.rows`select status from step_attempt where ceremony_id = ${enrollmentId}`;
    expect(await attempts()).toEqual([{ status: 'open' }]);
    // What only reads goes on.
    expect(await begun.latchkey.enrollment.view(enrollmentId)).toMatchObject({ state: 'phone' });

    await bed.stack.startTemporal();
    await expect
      .poll(() => step().catch(() => undefined), { timeout: 60_000 })
      .toMatchObject({ enrollmentId, state: 'identity' });
    expect(new Set(begun.callsOf('/phone-code').map((call) => call.idempotencyKey)).size).toBe(1);
    expect(await attempts()).toEqual([{ status: 'matched' }]);
    const started = await start();
    await reach(fresh, started.enrollmentId, 'phone');
    const starts = fresh.callsOf('/auth/enrollments');
    expect(new Set(starts.map((call) => call.idempotencyKey)).size).toBe(1);
    const [of] = await bed.rows<{ ceremonies: number }[]>`
      select count(*)::int as ceremonies from ceremony c
      where c.jkt = (select jkt from ceremony where ceremony_id = ${started.enrollmentId})`;
    expect(of).toEqual({ ceremonies: 1 });
  });

  test('login, refresh, gateway check and cut-off go on; sessions are started and the revocation is sealed afterwards', async () => {
    const phone = await enrollPhone(bed.stack);
    const victim = await enrollPhone(bed.stack);
    await victim.latchkey.logIn();
    const bank = `${bed.stack.stageControl.url}/bank/accounts`;
    await bed.stack.killTemporal();

    const { sessionId } = await phone.latchkey.logIn();
    expect((await phone.latchkey.session.refresh()).sessionId).toBe(sessionId);
    expect(await phone.latchkey.callService('bank', bank)).toMatchObject({
      seenByTheBank: { userId: phone.customerId, sessionId },
    });
    const engine = fraudEngine(bed.stack);
    expect(await victim.latchkey.callService('bank', bank)).toBeDefined();
    const cutOff = await engine.call({
      method: 'POST',
      path: '/fraud/signals',
      body: { customerId: victim.customerId, reason: 'account_takeover' },
    });
    expect(cutOff.status).toBe(202);
    const { revocationId } = (await cutOff.json()) as { revocationId: string };
    const [cut, held] = [{ code: 'session_ended' }, { code: 'customer_on_hold' }];
    await expect(victim.latchkey.callService('bank', bank)).rejects.toMatchObject(cut);
    await expect(victim.latchkey.logIn()).rejects.toMatchObject(held);
    expect(phone.calls.filter(({ status }) => status >= 500)).toEqual([]);
    // The relay has tried, and gave the row back.
    const startRow = () => bed.rows<{ status: string; isLeased: boolean }[]>`
      select status, leased_by is not null as is_leased from outbox
      where topic = 'session.start' and payload ->> 'sessionId' = ${sessionId}`;
    for (const isLeased of [true, false])
      await expect
        .poll(startRow, { timeout: 30_000, interval: 5 })
        .toEqual([{ status: 'pending', isLeased }]);

    await bed.stack.startTemporal();
    const { receipt } = await watchRevocation(engine, revocationId);
    expect(receipt.stopped).toEqual({ devices: 1, credentials: 1, sessions: 1, ceremonies: 0 });
    const found = await bed.rows<{ tenantId: string; sessionId: string; customerId: string }[]>`
      select tenant_id, session_id, customer_id from session where customer_id in (${phone.customerId}, ${victim.customerId})`;
    expect(found).toHaveLength(2);
    for (const session of found) {
      const id = workflowId('session', session.tenantId, session.sessionId);
      const status = session.customerId === phone.customerId ? 'RUNNING' : 'COMPLETED';
      await expect
        .poll(() => bed.temporal.runsOf(id), { timeout: 30_000 })
        .toEqual([{ workflowId: id, status }]);
    }
    expect(await phone.latchkey.me()).toMatchObject({ session: { sessionId } });
  });
});
