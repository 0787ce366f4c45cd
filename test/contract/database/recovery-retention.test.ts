/** How long the identification record of a recovery is kept: to the second that its policy says, beyond it under a hold, and never less. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recoveryRecordOf } from '../../../db/recovery-record.ts';
import { createSweepPort } from '../../../db/sweeping.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import { cutOffCustomer, releaseCustomer } from '../../setup/customer.ts';
import {
  colleague,
  insertRecoverable,
  opened,
  proved,
  RECOVERY_TOOLS,
  said,
} from '../../setup/recoveries.ts';
import type { RecoverableCustomer, Run } from '../../setup/recoveries.ts';

const KEPT_MS = DEFAULT_POLICY.recovery.recordSeconds * 1000;
const START_MS = Date.parse('2027-03-01T10:00:00Z');

let rows: RecoveryRows;
let tenantId: string;
let customer: RecoverableCustomer;
let subject: RecoverySubject;

beforeAll(async () => {
  rows = await RecoveryRows.open();
  ({ tenantId } = rows);
});
afterAll(async () => {
  await rows.close();
});
beforeEach(async () => {
  rows.nowMs = START_MS;
  customer = await rows.customer();
  subject = await refusedCase();
});

const run: Run = (work) => rows.run(work);
const recordOf = () => run((tx) => recoveryRecordOf(tx, subject, 'https://bank.example'));
const sweepAt = async (atMs: number) => {
  rows.nowMs = atMs;
  await createSweepPort(rows.database, RECOVERY_TOOLS.personalData).sweepTenant(tenantId);
  return await recordOf();
};

/** With a contact, a check of the person, and somebody's word in it. */
async function refusedCase(): Promise<RecoverySubject> {
  const one = await proved(run, customer);
  await said(run, one, await colleague(run, tenantId), { kind: 'refuse' });
  return one;
}

const remains = () =>
  run(async (tx) => {
    const [row] = await tx`
      select (select count(*)::integer from recovery_factor where recovery_id = ${subject.recoveryId}) as factors,
        (select count(*)::integer from recovery_decision where recovery_id = ${subject.recoveryId}) as decisions,
        (select count(*)::integer from step_attempt where ceremony_id = ${subject.recoveryId} and num_nonnulls(evidence_id, verdict,
          vendor_reference, sealed_detail, liveness_confidence, match_confidence) > 0) as results,
        (select outcome from ceremony where ceremony_id = ${subject.recoveryId}) as outcome`;
    return row;
  });

describe('the record of a case', () => {
  it('says until when it is kept, stands a millisecond before that, and is gone then; that there was a case stays', async () => {
    const record = await recordOf();
    expect(record?.times.keptUntil).toBe(new Date(START_MS + KEPT_MS).toISOString());
    expect(await remains()).toMatchObject({ factors: 2, results: 1, outcome: 'denied' });
    expect((await sweepAt(START_MS + KEPT_MS - 1))?.evidence).toHaveLength(2);
    expect(await sweepAt(START_MS + KEPT_MS)).toBeUndefined();
    expect(await remains()).toEqual({ factors: 0, decisions: 0, results: 0, outcome: 'denied' });
    const noted = await run(
      (tx) => tx`
        select actor_id from audit where ceremony_id = ${subject.recoveryId} and action = 'recovery.record_swept'`,
    );
    expect([...noted]).toEqual([{ actorId: 'sweeper' }]);
    const again = await createSweepPort(rows.database, RECOVERY_TOOLS.personalData).sweepTenant(
      tenantId,
    );
    expect(again).toBe(0);
  });

  it('is kept as the policy said that the case began with, whatever a later one says', async () => {
    const newer = (recordSeconds: number) =>
      run(
        (tx) => tx`
          insert into policy (tenant_id, version, document, prepared_by, approved_by)
          select tenant_id, version + 1, jsonb_set(document, '{recovery,recordSeconds}', to_jsonb(${recordSeconds}::integer)), 'one', 'two'
          from policy where version = (select max(version) from policy)`,
      );
    await newer(30 * 86_400);
    try {
      expect(await sweepAt(START_MS + KEPT_MS - 1)).toBeDefined();
    } finally {
      await newer(KEPT_MS / 1000);
    }
  });

  it('is kept while fraud or a dispute holds the customer, and goes once the hold is released', async () => {
    await run((tx) => cutOffCustomer(tx, customer));
    expect(await sweepAt(START_MS + KEPT_MS)).toBeDefined();
    await run((tx) => releaseCustomer(tx, customer));
    expect(await sweepAt(START_MS + KEPT_MS)).toBeUndefined();
  });

  it('is kept while the customer has another case open', async () => {
    rows.nowMs = START_MS + KEPT_MS;
    await opened(run, customer);
    expect(await sweepAt(rows.nowMs)).toBeDefined();
  });

  it('of a case that is open has no end', async () => {
    rows.nowMs = START_MS + KEPT_MS;
    subject = await proved(run, await run((tx) => insertRecoverable(tx, tenantId)));
    const record = await recordOf();
    expect(record?.times.keptUntil).toBeNull();
    // Its own deadlines are the workflow's: no sweep looks at what nobody has decided.
    expect((await sweepAt(rows.nowMs + KEPT_MS))?.evidence).toHaveLength(2);
  });

  it.each(['recovery_factor', 'recovery_decision'])(
    'is deleted from %s by nobody before its time, whatever the application asks',
    async (table) => {
      const gone = () =>
        run((tx) => tx`delete from ${tx(table)} where recovery_id = ${subject.recoveryId}`);
      rows.nowMs = START_MS + KEPT_MS - 1;
      await expect(gone()).rejects.toMatchObject({ constraint_name: 'recovery_record_kept' });
      rows.nowMs += 1;
      expect((await gone()).count).toBeGreaterThan(0);
    },
  );
});
