/** Cases of recovery from the first proof to the new phone: what each transaction writes and tells, and what Temporal may say of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { cancelRecovery, expireStartingRecoveries } from '../../../db/recovery-ends.ts';
import { endRevokedRows } from '../../../db/revocation.ts';
import { createRecoveryStore } from '../../../db/recovery-store.ts';
import { openRecovery } from '../../../db/recovery-open.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import { insertLiveSession } from '../../setup/customer.ts';
import { faultsOf, typesOf, typesSeen } from '../../setup/emitted-events.ts';
import type { EmittedEvent } from '../../setup/emitted-events.ts';
import {
  approved,
  checked,
  drive,
  follow,
  newKey,
  opened,
  proved,
  read,
  readyToBind,
  RECOVERY_TOOLS,
  waitOut,
} from '../../setup/recoveries.ts';
import type { RecoverableCustomer, Run } from '../../setup/recoveries.ts';

let rows: RecoveryRows;
let customer: RecoverableCustomer;
let tenantId: string;

beforeAll(async () => {
  rows = await RecoveryRows.open();
  ({ tenantId } = rows);
});
afterAll(async () => {
  await rows.close();
});
beforeEach(async () => {
  customer = await rows.customer();
});

const run: Run = (work) => rows.run(work);
const refused = (code: string) => expect.objectContaining({ code });
const state = (subject: RecoverySubject) => rows.state(subject);
const templates = () => rows.templates(customer);
const epochs = (subject: RecoverySubject) => rows.epochs(subject);
const outbox = (id: string) => rows.outbox(id);
const bound = (subject: RecoverySubject, changes = {}) => rows.bind(customer, subject, changes);

describe('a case', () => {
  it('goes from a contact to the person, to people, to time, to a new phone under a new epoch', async () => {
    await run((tx) => insertLiveSession(tx, customer));
    const subject = await opened(run, customer);
    expect(await outbox(subject.recoveryId)).toMatchObject([
      { topic: 'ceremony.start' },
      { topic: 'ceremony.signal' },
    ]);
    expect(await follow(run, subject)).toMatchObject({ state: 'identity', missing: ['identity'] });
    await checked(run, customer, subject);
    expect(await follow(run, subject)).toMatchObject({ state: 'review', missing: [], people: 1 });
    expect(await approved(run, subject)).toMatchObject({ state: 'cooling' });
    expect(await waitOut(run, subject)).toMatchObject({ state: 'rebind' });
    expect(await bound(subject)).toMatchObject({
      isMoved: true,
      snapshot: { state: 'ended', outcome: 'completed', reason: 'completed' },
    });
    const devices = await run(
      (tx) => tx`
        select status, session_jkt, name from device where customer_id = ${customer.customerId} order by created_at`,
    );
    expect([...devices]).toMatchObject([
      { status: 'revoked' },
      { status: 'trusted', sessionJkt: customer.newJkt, name: 'New phone' },
    ]);
    const credentials = await run(
      (tx) =>
        tx`select status from credential where customer_id = ${customer.customerId} order by created_at`,
    );
    expect([...credentials]).toMatchObject([{ status: 'revoked' }, { status: 'active' }]);
    expect(await epochs(subject)).toEqual({ case: 1, customer: 2 });
    const holds = await run(
      (tx) => tx`select 1 from hold where customer_id = ${customer.customerId}`,
    );
    expect(holds).toHaveLength(0);
    const record = await run((tx) => read(tx, subject));
    expect(record.limitedUntilMs).toBe(rows.nowMs + DEFAULT_POLICY.recovery.limitedSeconds * 1000);
    expect(await templates()).toEqual(
      ['recovery_opened', 'recovery_cooling', 'recovery_ready', 'recovery_completed'].flatMap(
        (template) => [template, template],
      ),
    );
  });

  it('ends the old sessions by its revocation, and tells nobody of a hold', async () => {
    const sessionId = await run((tx) => insertLiveSession(tx, customer));
    const subject = await readyToBind(run, customer);
    await bound(subject);
    const [revocation] = await run(
      (tx) => tx<{ revocationId: string; reason: string; devices: number; credentials: number }[]>`
        select revocation_id, reason, devices, credentials from revocation where customer_id = ${customer.customerId}`,
    );
    expect(revocation).toMatchObject({ reason: 'recovered', devices: 1, credentials: 1 });
    const revocationId = revocation?.revocationId ?? '';
    expect(await run((tx) => endRevokedRows(tx, { tenantId, revocationId }))).toBe(1);
    const [session] = await run(
      (tx) => tx`select status, end_reason from session where session_id = ${sessionId}`,
    );
    expect(session).toMatchObject({ status: 'ended', endReason: 'revoked' });
    expect(await state(subject)).toBe('ended');
    expect(await templates()).not.toContain('session_cut_off');
  });

  it('is one a customer: whoever proves a contact again joins it', async () => {
    const subject = await opened(run, customer);
    expect(await opened(run, customer)).toEqual(subject);
    const { ledger, revision } = await run((tx) => read(tx, subject));
    expect(ledger).toHaveLength(2);
    expect(revision).toBe(2);
  });

  it('that another phone joins early is that phone’s, and nothing that was proved of the first counts', async () => {
    const subject = await opened(run, customer);
    await follow(run, subject);
    await checked(run, customer, subject);
    const other = newKey();
    expect(await opened(run, customer, { jkt: other })).toEqual(subject);
    const record = await run((tx) => read(tx, subject));
    expect(record).toMatchObject({ jkt: other, missing: ['identity'] });
    expect(record.ledger.map(({ isVoid }) => isVoid)).toEqual([true, true, false]);
  });

  it('that another phone joins after the person was proved is held, and stays the first one’s', async () => {
    const subject = await proved(run, customer);
    await opened(run, customer, { jkt: newKey() });
    const record = await run((tx) => read(tx, subject));
    expect(record).toMatchObject({ state: 'held', jkt: customer.newJkt });
    expect(record.ledger).toHaveLength(2);
    expect(record.escalatedAtMs).not.toBeNull();
    const told = await run(
      (tx) => tx`
        select payload -> 'data' as data from outbox
        where subject = ${customer.customerId} and payload ->> 'type' = 'bank.app.recovery_escalated'`,
    );
    const { customerId } = customer;
    expect(told).toMatchObject([
      { data: { customerId, recoveryId: subject.recoveryId, because: 'held' } },
    ]);
  });

  it('restricts the phone that was reported, once a contact has answered and not before', async () => {
    const status = async () => {
      const [row] = await run(
        (tx) => tx`select status, reported_as from device where device_id = ${customer.deviceId}`,
      );
      return row;
    };
    expect(await status()).toMatchObject({ status: 'trusted' });
    const subject = await opened(run, customer, { report: 'stolen' });
    expect(await status()).toMatchObject({ status: 'restricted', reportedAs: 'stolen' });
    expect(await run((tx) => read(tx, subject))).toMatchObject({
      reportedDeviceId: customer.deviceId,
      people: 2,
    });
  });

  it('counts nothing that reaches the reported phone: a code to its number opens the case and proves nothing in it', async () => {
    const contact = { kind: 'phone', value: customer.phone } as const;
    const subject = await opened(run, customer, { contact, report: 'lost' });
    expect(await follow(run, subject)).toMatchObject({
      state: 'contact',
      missing: ['contact', 'identity'],
    });
    await opened(run, customer);
    expect(await follow(run, subject)).toMatchObject({ state: 'identity' });
  });

  it('asks for more when a later report is worse, and what was proved over that phone stops counting', async () => {
    const contact = { kind: 'phone', value: customer.phone } as const;
    const subject = await opened(run, customer, { contact });
    expect(await follow(run, subject)).toMatchObject({ state: 'identity', people: 1 });
    await run((tx) =>
      openRecovery(tx, RECOVERY_TOOLS, {
        tenantId,
        customerId: customer.customerId,
        by: { kind: 'staff', id: 'stf_x' },
        report: 'stolen',
        risk: 'low',
      }),
    );
    expect(await run((tx) => read(tx, subject))).toMatchObject({
      report: 'stolen',
      people: 2,
      missing: ['contact', 'identity'],
    });
    expect(await follow(run, subject)).toMatchObject({ state: 'contact' });
  });

  it('needs a second contact where a contact or phone is young', async () => {
    await run(
      (tx) =>
        tx`update contact set proved_at = latchkey_now() where contact_id = ${customer.phoneId}`,
    );
    const subject = await opened(run, customer);
    expect(await follow(run, subject)).toMatchObject({
      state: 'contact',
      missing: ['second_contact', 'identity'],
    });
  });

  it('of nobody and of an erased customer is not opened', async () => {
    for (const customerId of [newId('customer'), customer.customerId]) {
      await run(
        (tx) =>
          tx`update customer set status = 'erased', person_id = null where customer_id = ${customerId}`,
      );
      const opening = run((tx) =>
        openRecovery(tx, RECOVERY_TOOLS, {
          tenantId,
          customerId,
          by: { kind: 'staff', id: 'stf_x' },
          report: 'lost',
          risk: 'low',
        }),
      );
      await expect(opening).rejects.toEqual(refused('not_found'));
    }
  });
});

describe('what Temporal reports', () => {
  it('is worth nothing where the rows do not say it', async () => {
    const subject = await opened(run, customer);
    await follow(run, subject);
    for (const event of ['factor_recorded', 'liveness_exhausted'] as const)
      await expect(run((tx) => drive(tx, subject, event))).rejects.toEqual(refused('wrong_step'));
    await checked(run, customer, subject);
    await follow(run, subject);
    for (const event of ['approved', 'sent_back', 'refused', 'fraud_signalled'] as const)
      await expect(run((tx) => drive(tx, subject, event))).rejects.toEqual(refused('wrong_step'));
    await approved(run, subject);
    await expect(run((tx) => drive(tx, subject, 'cooling_over'))).rejects.toEqual(
      refused('cooling_off'),
    );
  });

  it.each(['vetoed', 'veto_doubted', 'released', 'cancelled', 'cooling_shortened'] as const)(
    'is never %s: that is a call of its own',
    async (event) => {
      const subject = await opened(run, customer);
      await follow(run, subject);
      await expect(run((tx) => drive(tx, subject, event))).rejects.toEqual(refused('wrong_step'));
    },
  );

  it('is read with the one fact that the rows hold and nothing about a person', async () => {
    const store = createRecoveryStore(rows.database, RECOVERY_TOOLS);
    const subject = await opened(run, customer);
    await follow(run, subject);
    expect(await store.read(subject)).toMatchObject({
      fact: null,
      isClosed: false,
      livenessAttemptId: null,
    });
    await checked(run, customer, subject);
    const reading = await store.read(subject);
    expect(reading).toMatchObject({ fact: 'factor_recorded' });
    expect(JSON.stringify(reading)).not.toContain(customer.customerId);
    expect(JSON.stringify(reading)).not.toContain(customer.newJkt);
  });
});

describe('an end', () => {
  it('by the phone that asked leaves the account as it was; no other key may', async () => {
    const subject = await proved(run, customer);
    await expect(run((tx) => cancelRecovery(tx, { subject, jkt: newKey() }))).rejects.toEqual(
      refused('recovery_not_found'),
    );
    await run((tx) => cancelRecovery(tx, { subject, jkt: customer.newJkt }));
    expect(await run((tx) => read(tx, subject))).toMatchObject({ outcome: 'cancelled' });
    expect(await opened(run, customer)).not.toEqual(subject);
  });

  it('comes to what no workflow opened in a day, and to nothing younger', async () => {
    const subject = await opened(run, customer);
    const sweep = () => run((tx) => expireStartingRecoveries(tx, { tenantId, limit: 100 }));
    await sweep();
    expect(await state(subject)).toBe('starting');
    await run(
      (tx) =>
        tx`update ceremony set created_at = created_at - interval '1 day' where ceremony_id = ${subject.recoveryId}`,
    );
    await sweep();
    expect(await run((tx) => read(tx, subject))).toMatchObject({
      outcome: 'expired',
      reason: 'never_started',
    });
  });
});

it('Every event that this file is named for was emitted, and none differs from its schema.', async () => {
  const events = await run(
    async (tx) =>
      await tx<EmittedEvent[]>`
        select payload->>'type' as type, (payload->>'version')::integer as version, payload->'data' as data from outbox
        where topic = 'event'`,
  );
  expect(events.flatMap(faultsOf)).toEqual([]);
  expect(typesSeen(events)).toEqual(
    expect.arrayContaining([...typesOf('test/contract/database/recoveries.test.ts')]),
  );
});
