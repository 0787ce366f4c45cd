/** The last step of a recovery: a new phone under a new epoch, refused by each of its guards, and nothing from before outlives it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Tx } from '../../../db/connection.ts';
import { bindRecoveredPhone } from '../../../db/recovery-binding.ts';
import { grantLogin } from '../../../db/login.ts';
import { insertSession } from '../../../db/sessions.ts';
import { takeSubmission } from '../../../db/step-submissions.ts';
import { createRecoveryStore } from '../../../db/recovery-store.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { RecoveryRows } from '../../setup/beds/recovery-rows.ts';
import { cutOffCustomer, insertLiveSession } from '../../setup/customer.ts';
import { grantedSession, verifiedLogin } from '../../setup/postgres/race.ts';
import {
  drive,
  insertRecoverable,
  newKey,
  opened,
  read,
  readyToBind,
  RECOVERY_TOOLS,
  submitPasskey,
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
const bound = (subject: RecoverySubject, changes = {}) => rows.bind(customer, subject, changes);

describe('the binding', () => {
  it('is repeated without a second phone', async () => {
    const subject = await readyToBind(run, customer);
    const { seq } = await run((tx) => read(tx, subject));
    const submissionId = await run((tx) => submitPasskey(tx, customer, subject));
    const store = createRecoveryStore(rows.database, RECOVERY_TOOLS);
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
    const store = createRecoveryStore(rows.database, RECOVERY_TOOLS);
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

describe('what was begun before the binding', () => {
  /** As the rows say it of each: the session's own epoch and the customer's. */
  const standing = () =>
    run(
      (tx) => tx<{ isLive: boolean }[]>`
        select s.status = 'live' and s.epoch = c.security_epoch as is_live from session s join customer c using (tenant_id, customer_id)
        where c.customer_id = ${customer.customerId}`,
    );

  it('logs nobody in by an old passkey, whatever key asked for its challenge and when', async () => {
    const subject = await readyToBind(run, customer);
    await rows.bind(customer, subject);
    for (const [jkt, code] of [
      [customer.jkt, 'device_not_allowed'],
      [customer.newJkt, 'credential_unknown'],
      [newKey(), 'credential_unknown'],
    ] as const)
      for (const issuedAtMs of [rows.nowMs - 1_000, rows.nowMs + 1_000]) {
        const login = { ...verifiedLogin(customer, issuedAtMs), jkt };
        await expect(run((tx) => grantLogin(tx, login))).rejects.toEqual(refused(code));
      }
    // Nor by the old phone’s key with the new passkey.
    const credentialId = await newCredential();
    const mixed = { ...verifiedLogin(customer, rows.nowMs), credentialId };
    await expect(run((tx) => grantLogin(tx, mixed))).rejects.toEqual(refused('device_not_allowed'));
  });

  it('leaves no session that stands: neither one from before, nor one that comes late under the old epoch', async () => {
    const subject = await readyToBind(run, customer);
    await run((tx) => insertLiveSession(tx, customer));
    expect([...(await standing())]).toEqual([{ isLive: true }]);
    await rows.bind(customer, subject);
    await run((tx) => insertSession(tx, grantedSession(customer, 1)));
    expect([...(await standing())]).toEqual([{ isLive: false }, { isLive: false }]);
  });

  it('does not keep the new phone out: it logs in at once, by a challenge of the same second', async () => {
    const subject = await readyToBind(run, customer);
    await rows.bind(customer, subject);
    const credentialId = await newCredential();
    const login = {
      ...verifiedLogin(customer, rows.nowMs - 1_000),
      credentialId,
      jkt: customer.newJkt,
    };
    const { session } = await run((tx) => grantLogin(tx, login));
    expect(session).toMatchObject({ epoch: 2, acr: 'latchkey:2' });
  });

  async function newCredential(): Promise<string> {
    const [row] = await run(
      (tx) => tx<{ credentialId: string }[]>`
        select credential_id from credential where customer_id = ${customer.customerId} and status = 'active'`,
    );
    return row?.credentialId ?? '';
  }
});
