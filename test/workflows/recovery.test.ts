/** A recovery's workflow with real rows and skipped time: its timers to the second, what people and vendors may do, that it goes on from its row. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { recordFactor } from '../../db/recovery-ledger.ts';
import { workflowId } from '../../domain/ids.ts';
import { passed, RecoveryBed } from '../setup/beds/recovery-bed.ts';
import type { Lost } from '../setup/beds/recovery-bed.ts';
import { colleague, RECOVERY_TOOLS } from '../setup/recoveries.ts';
import { historyText } from '../setup/temporal/history-text.ts';
import { recordHistory } from '../setup/temporal/recorded-history.ts';
import { TIME_SKIPPING_NAMESPACE } from '../setup/temporal/time-skipping.ts';

const HOUR = 3_600_000;

let bed: RecoveryBed;
beforeAll(async () => {
  bed = await RecoveryBed.create();
});
afterAll(async () => {
  await bed?.close();
});
const asUsual = (check: Parameters<typeof passed>[0]) =>
  Promise.resolve({ status: 'done' as const, verdict: passed(check) });
afterEach(() => {
  bed.reading = asUsual;
});

const refusedAs = (code: string) => expect.objectContaining({ code });

async function keep(one: Lost, name: string): Promise<string> {
  const id = workflowId('recovery', bed.tenantId, one.recoveryId);
  const execution = { namespace: TIME_SKIPPING_NAMESPACE, workflowId: id };
  await recordHistory(bed.env.connection, { name, ...execution });
  return await historyText(bed.env.connection, execution);
}

describe('the history of a recovery', () => {
  test('that gave the account back over three days holds ids and nothing of the person', async () => {
    const one = await bed.start('stolen');
    await bed.to(one, 'rebind');
    await bed.bind(one);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'completed', reason: 'completed' });
    const text = await keep(one, 'recovery.completed');
    expect(text).toContain('binary/encrypted');
    expect(text).toContain(one.recoveryId);
    const { email, phone, customerId, newJkt, personEvidence } = one.customer;
    for (const secret of [email, phone, customerId, newJkt, personEvidence])
      expect(text).not.toContain(secret);
  });

  test('that was held, released and refused shows it', async () => {
    const one = await bed.start();
    await bed.to(one, 'cooling');
    await bed.object(one, 'mailbox');
    await bed.reaches(one, 'held');
    await bed.decide(one, 'release');
    await bed.reaches(one, 'identity');
    await bed.to(one, 'review');
    await bed.decide(one, 'refuse');
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'denied', reason: 'refused_by_staff' });
    expect(await keep(one, 'recovery.held')).toContain(one.recoveryId);
  });

  test('that nobody went on with ends by its timer', async () => {
    const one = await bed.start();
    await bed.advanceTo(((await bed.row(one)).stepDeadlineMs ?? 0) + 1_000);
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'expired', reason: 'step_timeout' });
    expect(await keep(one, 'recovery.abandoned')).toContain(one.recoveryId);
  });
});

describe('the time to object', () => {
  test('is waited to its end: not a second before, and at once after it.', async () => {
    const one = await bed.start('stolen');
    await bed.to(one, 'cooling');
    const overMs = await bed.coolingOverMs(one);
    expect(overMs - bed.nowAtTick()).toBeGreaterThan(23 * HOUR);
    await bed.advanceTo(overMs - 1_000);
    expect(await bed.row(one)).toMatchObject({ state: 'cooling' });
    await expect(bed.bind(one)).rejects.toThrow(refusedAs('wrong_step'));
    await bed.advanceTo(overMs + 200);
    await bed.reaches(one, 'rebind');
  });

  test('is used by the owner on the old phone: the case ends, and the account is as it was.', async () => {
    const one = await bed.start();
    await bed.to(one, 'cooling');
    await bed.object(one, 'old phone');
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'denied', reason: 'vetoed' });
    const [device] = await bed.inTenant(
      (tx) => tx`select status from device where device_id = ${one.customer.deviceId}`,
    );
    expect(device).toEqual({ status: 'trusted' });
  });
});

describe('a review', () => {
  test('that nobody takes goes to the supervisors when it is due, once, and still takes approvals.', async () => {
    const one = await bed.start();
    await bed.to(one, 'review');
    const { reviewDueMs } = await bed.row(one);
    await bed.advanceTo((reviewDueMs ?? 0) - 1_000);
    expect((await bed.row(one)).reviewDueMs).toBe(reviewDueMs);
    await bed.advanceTo((reviewDueMs ?? 0) + 200);
    await expect.poll(async () => (await bed.row(one)).reviewDueMs, { timeout: 20_000 }).toBeNull();
    await bed.approve(one);
    await bed.reaches(one, 'cooling');
  });

  test('that sends it back asks for the person anew.', async () => {
    const one = await bed.start();
    await bed.to(one, 'review');
    await bed.decide(one, 'send_back');
    await bed.reaches(one, 'identity');
    expect((await bed.row(one)).missing).toEqual(['identity']);
    await bed.to(one, 'cooling');
  });
});

describe('a second contact that nobody can answer', () => {
  test('is left behind once staff have seen the person in a branch, and two people look at the case', async () => {
    const one = await bed.startWithYoungPhone();
    const { staffId } = await colleague(bed.run, bed.tenantId);
    await bed.inTenant((tx) =>
      recordFactor(tx, RECOVERY_TOOLS, {
        subject: bed.subjectOf(one),
        method: 'branch',
        evidenceId: 'branch-7',
        staffId,
      }),
    );
    await bed.signal(one, 'changed');
    await bed.reaches(one, 'review');
    expect(await bed.row(one)).toMatchObject({ missing: [], people: 2 });
  });
});

describe('a liveness check', () => {
  test('is begun once however often the vendor is asked, and its verdict moves the case.', async () => {
    const begun = bed.sessionsBegun;
    let asked = 0;
    bed.reading = (check) => {
      asked += 1;
      return asked < 3 ? Promise.resolve({ status: 'pending' }) : asUsual(check);
    };
    const one = await bed.start();
    await bed.to(one, 'review');
    expect({ asked, begun: bed.sessionsBegun - begun }).toEqual({ asked: 3, begun: 1 });
  });

  test('whose session ended at the vendor’s is counted, and the next one may pass.', async () => {
    bed.reading = () => Promise.resolve({ status: 'expired' });
    const one = await bed.start();
    await bed.look(one);
    await expect
      .poll(
        async () =>
          await bed.inTenant(
            (tx) => tx`select verdict from step_attempt where ceremony_id = ${one.recoveryId}`,
          ),
        { timeout: 20_000 },
      )
      .toEqual([{ verdict: 'timed_out' }]);
    expect(await bed.row(one)).toMatchObject({ state: 'identity' });
    bed.reading = asUsual;
    await bed.to(one, 'review');
  });

  test('of somebody else, five times, ends the case and leaves the account as it was.', async () => {
    bed.reading = (check) =>
      Promise.resolve({ status: 'done', verdict: { ...passed(check), outcome: 'failed' } });
    const one = await bed.start();
    for (let tries = 1; tries <= 5; tries += 1) {
      await bed.look(one);
      await expect
        .poll(
          async () =>
            await bed.inTenant(
              (tx) => tx`select 1 from step_attempt
                where ceremony_id = ${one.recoveryId} and verdict = 'failed'`,
            ),
          { timeout: 20_000 },
        )
        .toHaveLength(tries);
    }
    await bed.closes(one);
    expect(await bed.row(one)).toMatchObject({ outcome: 'denied', reason: 'identity_not_proved' });
  });

  test('that the vendor cannot begin is tried again, and the case waits.', async () => {
    let troubles = 2;
    bed.reading = (check) => {
      troubles -= 1;
      return troubles >= 0 ? Promise.reject(new Error('away')) : asUsual(check);
    };
    const one = await bed.start();
    await bed.to(one, 'review');
    expect(troubles).toBe(-1);
  });
});

describe('Temporal carries no authority', () => {
  test.each(['changed', 'revoke'])('A %s that nobody wrote down changes nothing.', async (bell) => {
    const one = await bed.start();
    const { seq } = await bed.row(one);
    await bed.signal(one, bell);
    await bed.look(one);
    await bed.reaches(one, 'review');
    expect((await bed.row(one)).seq).toBe(seq + 1);
  });

  test('A passkey that was handed in for another case binds nothing here.', async () => {
    const [mine, other] = [await bed.start(), await bed.start()];
    await bed.to(mine, 'rebind');
    await expect(bed.bind({ ...mine, customer: other.customer })).rejects.toThrow(
      refusedAs('internal_error'),
    );
    expect(await bed.row(mine)).toMatchObject({ state: 'rebind', outcome: null });
  });
});

// Last: the server skips no time after a loss.
describe('a case whose workflow was lost', () => {
  test('goes on from its row, and gives the account back.', async () => {
    const one = await bed.start('stolen');
    await bed.to(one, 'rebind');
    await bed.lose(one);
    await bed.startWorkflow(one, 1);
    await bed.bind(one, 1);
    await bed.closes(one, 1);
    expect(await bed.row(one)).toMatchObject({ outcome: 'completed' });
  });
});
