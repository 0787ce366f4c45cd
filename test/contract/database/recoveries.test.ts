/** Cases of recovery from the first proof to the new phone: what each transaction writes, tells and refuses. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import {
  cancelRecovery,
  objectToRecovery,
  shortenCooling,
  expireStartingRecoveries,
} from '../../../db/recovery-ends.ts';
import { bindRecoveredPhone } from '../../../db/recovery-binding.ts';
import { takeSubmission } from '../../../db/step-submissions.ts';
import { endRevokedRows } from '../../../db/revocation.ts';
import { createRecoveryStore } from '../../../db/recovery-store.ts';
import { openRecovery } from '../../../db/recovery-open.ts';
import { reportByStaff } from '../../../db/device-reports.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { cutOffCustomer, insertLiveSession, releaseCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';
import { faultsOf, typesOf, typesSeen } from '../../setup/emitted-events.ts';
import type { EmittedEvent } from '../../setup/emitted-events.ts';
import {
  approved,
  checked,
  colleague,
  drive,
  follow,
  insertRecoverable,
  newKey,
  opened,
  proved,
  read,
  readyToBind,
  RECOVERY_TOOLS,
  said,
  submitPasskey,
  waitOut,
} from '../../setup/recoveries.ts';
import type { RecoverableCustomer } from '../../setup/recoveries.ts';

const DAY = 86_400_000;

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let nowMs = Date.parse('2027-03-01T10:00:00Z');
let customer: RecoverableCustomer;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  customer = await run((tx) => insertRecoverable(tx, tenantId));
});

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);
const refused = (code: string) => expect.objectContaining({ code });
const state = async (subject: RecoverySubject) => (await run((tx) => read(tx, subject))).state;

const outbox = async (id: string) =>
  await run(
    async (tx) =>
      await tx<{ topic: string; template: string | null }[]>`
        select topic, payload->>'template' as template from outbox
        where subject = ${id} or payload->>'customerId' = ${id} order by position`,
  );
const templates = async () =>
  (await outbox(customer.customerId)).flatMap(({ template }) =>
    template === null ? [] : [template],
  );
const epochs = async (subject: RecoverySubject) =>
  await run(async (tx) => {
    const [row] = await tx<{ case: number; customer: number }[]>`
      select c.epoch as "case", customer.security_epoch as customer from ceremony c join customer using (tenant_id, customer_id)
      where ceremony_id = ${subject.recoveryId}`;
    return row;
  });

async function bound(subject: RecoverySubject, changes = {}) {
  const submissionId = await run((tx) => submitPasskey(tx, customer, subject, changes));
  return await run((tx) => drive(tx, subject, 'rebound', submissionId));
}

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
    expect(record.limitedUntilMs).toBe(nowMs + DEFAULT_POLICY.recovery.limitedSeconds * 1000);
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

describe('the binding', () => {
  it('is repeated without a second phone', async () => {
    const subject = await readyToBind(run, customer);
    const { seq } = await run((tx) => read(tx, subject));
    const submissionId = await run((tx) => submitPasskey(tx, customer, subject));
    const store = createRecoveryStore(database, RECOVERY_TOOLS);
    const request = {
      ...subject,
      from: { state: 'rebind', seq },
      event: 'rebound',
      to: 'ended',
      submissionId,
    } as const;
    expect(await store.advance(request)).toMatchObject({ isMoved: true });
    expect(await store.advance(request)).toMatchObject({ isMoved: true });
    const devices = await run(
      (tx) => tx`select 1 from device where customer_id = ${customer.customerId}`,
    );
    expect(devices).toHaveLength(2);
  });

  /** Each with everything else valid. */
  const broken: readonly (readonly [
    name: string,
    breakIt: (tx: Tx, subject: RecoverySubject) => Promise<unknown>,
    code: string,
  ])[] = [
    [
      'an epoch that was raised without a hold',
      (tx) =>
        tx`update customer set security_epoch = security_epoch + 1 where customer_id = ${customer.customerId}`,
      'fraud_signalled',
    ],
    [
      'a hold that stands',
      async (tx) => {
        const cut = await cutOffCustomer(tx, customer);
        await tx`update customer set security_epoch = ${cut?.oldEpoch ?? 0} where customer_id = ${customer.customerId}`;
      },
      'fraud_signalled',
    ],
    [
      'a person who counts no more',
      (tx, { recoveryId }) =>
        tx`update recovery_factor set voided_at = latchkey_now() where recovery_id = ${recoveryId} and method = 'liveness'`,
      'factors_missing',
    ],
    [
      'a contact that counts no more',
      (tx, { recoveryId }) =>
        tx`update recovery_factor set on_reported_handset = true where recovery_id = ${recoveryId} and method = 'email_code'`,
      'factors_missing',
    ],
    [
      'an approval of an earlier revision',
      (tx, { recoveryId }) =>
        tx`update recovery set revision = revision + 1 where recovery_id = ${recoveryId}`,
      'approval_void',
    ],
    [
      'an approval that was voided',
      (tx, { recoveryId }) =>
        tx`update recovery_decision set voided_at = latchkey_now() where recovery_id = ${recoveryId}`,
      'approval_void',
    ],
    [
      'one person where two are asked for',
      (tx, { recoveryId }) =>
        tx`update recovery set people_required = 2 where recovery_id = ${recoveryId}`,
      'approval_void',
    ],
    [
      'time to object that was not waited',
      (tx, { recoveryId }) =>
        tx`update recovery set cooling_from = latchkey_now() - make_interval(secs => cooling_seconds - 1) where recovery_id = ${recoveryId}`,
      'cooling_off',
    ],
    [
      'time to object that never began',
      (tx, { recoveryId }) =>
        tx`update recovery set cooling_from = null where recovery_id = ${recoveryId}`,
      'cooling_off',
    ],
    [
      'time to object that was shortened below its floor',
      (tx, { recoveryId }) =>
        tx`update recovery set cooling_shortened_at = cooling_from + make_interval(secs => cooling_floor_seconds - 1)
          where recovery_id = ${recoveryId}`,
      'cooling_off',
    ],
    [
      'the key of another phone',
      (tx, { recoveryId }) =>
        tx`update recovery set jkt = 'another' where recovery_id = ${recoveryId}`,
      'dpop_key_mismatch',
    ],
    [
      'a better phone before it',
      (tx) =>
        tx`update device set attestation_level = 'hardware' where device_id = ${customer.deviceId}`,
      'device_too_weak',
    ],
    [
      'a deadline that has passed',
      (tx, { recoveryId }) =>
        tx`update ceremony set step_deadline = latchkey_now() where ceremony_id = ${recoveryId}`,
      'ceremony_expired',
    ],
    [
      'a customer who was erased',
      (tx) =>
        tx`update customer set status = 'erased', person_id = null where customer_id = ${customer.customerId}`,
      'revoked',
    ],
  ];

  it.each(broken)(
    'is refused for %s, and leaves everything as it was',
    async (name, breakIt, code) => {
      const subject = await readyToBind(run, customer);
      await run((tx) => breakIt(tx, subject));
      // Fraud is what the rows say instead; everything else is refused.
      const told = await bound(subject).catch((error: unknown) => error);
      expect(told).toMatchObject(code === 'fraud_signalled' ? { fact: code } : { code });
      expect(await state(subject)).toBe('rebind');
      const devices = await run(
        (tx) => tx`select name, status from device where customer_id = ${customer.customerId}`,
      );
      // What a cut-off suspended is its own.
      const status = name === 'a hold that stands' ? 'suspended' : 'trusted';
      expect([...devices]).toEqual([{ name: 'Test phone', status }]);
    },
  );

  /** What it judges itself, whoever calls it: the move before it has looked at some of that too. */
  const ITSELF: Readonly<Record<string, string>> = {
    'an epoch that was raised without a hold': 'revoked',
    'a hold that stands': 'customer_on_hold',
  };

  it.each(broken.filter(([, , code]) => code !== 'ceremony_expired'))(
    'judges by itself %s',
    async (name, breakIt, code) => {
      const subject = await readyToBind(run, customer);
      await run((tx) => breakIt(tx, subject));
      const submissionId = await run((tx) => submitPasskey(tx, customer, subject));
      const binding = run(async (tx) => {
        const record = await read(tx, subject);
        const submission = await takeSubmission(
          tx,
          { tenantId, ceremonyId: subject.recoveryId },
          submissionId,
          ['recovery_passkey'],
        );
        await bindRecoveredPhone(tx, RECOVERY_TOOLS, record, submission);
      });
      await expect(binding).rejects.toEqual(refused(ITSELF[name] ?? code));
    },
  );

  it('is refused without a passkey, with a spent challenge, and with what another hand submitted', async () => {
    const subject = await readyToBind(run, customer);
    await expect(run((tx) => drive(tx, subject, 'rebound'))).rejects.toEqual(refused('wrong_step'));
    const challengeHash = newKey();
    await run(
      (tx) => tx`insert into spent_challenge (tenant_id, challenge_hash, expires_at)
        values (${tenantId}, ${Buffer.from(challengeHash, 'base64url')}, latchkey_now() + interval '1 day')`,
    );
    await expect(bound(subject, { challengeHash })).rejects.toEqual(refused('challenge_spent'));
    const stranger = await run((tx) => insertRecoverable(tx, tenantId));
    const other = await opened(run, stranger);
    const submissionId = await run((tx) => submitPasskey(tx, stranger, other));
    await expect(run((tx) => drive(tx, subject, 'rebound', submissionId))).rejects.toEqual(
      refused('ceremony_not_found'),
    );
    expect(await state(subject)).toBe('rebind');
  });

  it('is told when the key or the passkey is somebody’s already', async () => {
    const store = createRecoveryStore(database, RECOVERY_TOOLS);
    const stranger = await run((tx) => insertRecoverable(tx, tenantId));
    const subject = await readyToBind(run, customer);
    const { seq } = await run((tx) => read(tx, subject));
    const advance = async (changes: object) =>
      await store.advance({
        ...subject,
        from: { state: 'rebind', seq },
        event: 'rebound',
        to: 'ended',
        submissionId: await run((tx) => submitPasskey(tx, customer, subject, changes)),
      });
    expect(await advance({ webauthnId: stranger.credentialId })).toMatchObject({
      refused: 'credential_exists',
    });
    await run(
      (tx) =>
        tx`update device set session_jkt = ${customer.newJkt} where device_id = ${stranger.deviceId}`,
    );
    expect(await advance({})).toMatchObject({ refused: 'device_key_exists' });
    expect(await state(subject)).toBe('rebind');
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
    const store = createRecoveryStore(database, RECOVERY_TOOLS);
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

describe('a signal of fraud', () => {
  it('holds a case instead of ending it, whatever state it is in', async () => {
    for (const until of [opened, proved, readyToBind]) {
      customer = await run((tx) => insertRecoverable(tx, tenantId));
      const subject = await until(run, customer);
      const cut = await run((tx) => cutOffCustomer(tx, customer));
      await run((tx) => endRevokedRows(tx, { tenantId, revocationId: cut?.revocationId ?? '' }));
      expect(await state(subject)).toBe('held');
    }
  });

  it('is found by the rows alone, before anything else goes on', async () => {
    const subject = await opened(run, customer);
    await follow(run, subject);
    await checked(run, customer, subject);
    await run((tx) => cutOffCustomer(tx, customer));
    expect(await follow(run, subject)).toMatchObject({ state: 'held' });
  });

  it('before it has a case open begin held, and the owner is told', async () => {
    await run((tx) => cutOffCustomer(tx, customer));
    const subject = await opened(run, customer);
    expect(await state(subject)).toBe('held');
    expect(await templates()).toContain('recovery_opened');
  });

  it('is released by a supervisor’s decision alone, onto the epoch of now, and the person is proved anew', async () => {
    const subject = await readyToBind(run, customer);
    await run((tx) => cutOffCustomer(tx, customer));
    await follow(run, subject);
    const supervisor = await colleague(run, tenantId);
    await expect(said(run, subject, supervisor, { kind: 'release' })).rejects.toEqual(
      refused('customer_on_hold'),
    );
    await run((tx) => releaseCustomer(tx, customer));
    expect(await follow(run, subject)).toMatchObject({ state: 'held' });
    await said(run, subject, supervisor, { kind: 'release' });
    expect(await run((tx) => read(tx, subject))).toMatchObject({
      state: 'identity',
      missing: ['identity'],
      epoch: 2,
    });
    await checked(run, customer, subject);
    expect(await follow(run, subject)).toMatchObject({ state: 'review' });
    await approved(run, subject);
    await waitOut(run, subject);
    expect(await bound(subject)).toMatchObject({ snapshot: { outcome: 'completed' } });
    expect(await epochs(subject)).toEqual({ case: 2, customer: 3 });
  });
});

describe('an objection', () => {
  it('from a trusted phone that nobody reported ends the case, and the account is as it was', async () => {
    const subject = await readyToBind(run, customer);
    const { customerId, deviceId } = customer;
    expect(
      await run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, { subject, customerId, deviceId })),
    ).toEqual({ result: 'vetoed' });
    expect(await run((tx) => read(tx, subject))).toMatchObject({
      outcome: 'denied',
      reason: 'vetoed',
    });
    await expect(bound(subject)).rejects.toEqual(refused('ceremony_ended'));
    const [device] = await run((tx) => tx`select status from device where device_id = ${deviceId}`);
    expect(device).toMatchObject({ status: 'trusted' });
  });

  it('by a mailbox, or from a phone that was reported, holds it for somebody to look', async () => {
    for (const by of ['mailbox', 'phone'] as const) {
      customer = await run((tx) => insertRecoverable(tx, tenantId));
      const { customerId, deviceId } = customer;
      const subject = await proved(run, customer);
      if (by === 'phone') {
        const { staffId } = await colleague(run, tenantId);
        await run((tx) =>
          reportByStaff(tx, { tenantId, deviceId, as: 'stolen', staffId, because: 'caller' }),
        );
      }
      const objection = { subject, customerId, ...(by === 'phone' ? { deviceId } : {}) };
      expect(await run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, objection))).toEqual({
        result: 'held',
      });
      expect(await state(subject)).toBe('held');
    }
  });

  it('of another customer is of no case', async () => {
    const subject = await proved(run, customer);
    const { customerId, deviceId } = await run((tx) => insertRecoverable(tx, tenantId));
    await expect(
      run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, { subject, customerId, deviceId })),
    ).rejects.toEqual(refused('recovery_not_found'));
  });

  it('after the end is a signal of fraud for thirty days, and heard no more after them', async () => {
    const subject = await readyToBind(run, customer);
    await bound(subject);
    const { customerId } = customer;
    const startMs = nowMs;
    const object = () => run((tx) => objectToRecovery(tx, RECOVERY_TOOLS, { subject, customerId }));
    try {
      nowMs = startMs + 30 * DAY;
      await expect(object()).rejects.toEqual(refused('ceremony_ended'));
      nowMs -= 1;
      expect(await object()).toMatchObject({ result: 'cut_off', cutOff: { newEpoch: 3 } });
    } finally {
      nowMs = startMs;
    }
  });
});

describe('the time to object', () => {
  it('is shortened by the owner’s unreported phone, never below its floor', async () => {
    const subject = await proved(run, customer);
    await approved(run, subject);
    const { customerId, deviceId } = customer;
    const shorten = (device: string) =>
      run((tx) => shortenCooling(tx, { subject, customerId, deviceId: device }));
    await expect(shorten(newId('device'))).rejects.toEqual(refused('device_not_allowed'));
    await expect(shorten(deviceId)).rejects.toEqual(refused('cooling_off'));
    await run(
      (
        tx,
      ) => tx`update recovery set cooling_from = cooling_from - make_interval(secs => cooling_floor_seconds)
        where recovery_id = ${subject.recoveryId}`,
    );
    await shorten(deviceId);
    expect(await state(subject)).toBe('rebind');
    expect(await bound(subject)).toMatchObject({ snapshot: { outcome: 'completed' } });
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
