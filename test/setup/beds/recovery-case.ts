/**
 * A recovery on a whole Latchkey, step by step: the new phone through the SDK over HTTP, the bank's people and the passing of time through the rows. A
 * fault test breaks something between two steps; nothing is repaired here, and every call is repeated as an honest phone does.
 */
import type postgres from 'postgres';
import { expect, vi } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { ageCustomer, passCoolingOff } from '../../../db/demo-time.ts';
import { workflowId } from '../../../domain/ids.ts';
import type { RecoveryReport, RecoveryState } from '../../../domain/recovery.ts';
import { colleague, read, said } from '../recoveries.ts';
import type { Run } from '../recoveries.ts';
import {
  codeSentTo,
  createSoftwarePhone,
  enrollPhone,
  messagesTo,
  untilDecided,
} from '../software-phone.ts';
import type { SoftwarePhone } from '../software-phone.ts';
import type { TestStack } from '../stack.ts';

/** A worker that starts on a busy machine bundles for a minute and a half. */
const PATIENCE = { timeout: 180_000, interval: 100 };
const DEVICE = { name: 'New phone', platform: 'web' };

interface Ground {
  readonly stack: TestStack;
  readonly rows: postgres.Sql;
}

export class RecoveryCase {
  readonly phone: SoftwarePhone;
  readonly owner: { readonly customerId: string; readonly email: string };
  readonly tenantId: string;
  #id: string | undefined;
  #requestId = '';
  readonly #ground: Ground;
  readonly #database: Database;
  readonly #codesBefore: number;

  private constructor(
    ground: Ground,
    phones: { readonly owner: RecoveryCase['owner']; readonly tenantId: string },
  ) {
    this.#ground = ground;
    this.owner = phones.owner;
    this.tenantId = phones.tenantId;
    this.phone = createSoftwarePhone(ground.stack);
    this.#codesBefore = this.#codes();
    const url = ground.stack.database.applicationUrl;
    this.#database = connectDatabase({ url, maxConnections: 1, maxStatementConnections: 1 });
  }

  /** A customer of a year who has lost the phone, and the new one. Close it when the test is over. */
  static async prepare(ground: Ground): Promise<RecoveryCase> {
    const { customerId, email } = await enrollPhone(ground.stack);
    const [{ tenantId } = { tenantId: '' }] = await ground.rows<{ tenantId: string }[]>`
      select tenant_id from customer where customer_id = ${customerId}`;
    const one = new RecoveryCase(ground, { owner: { customerId, email }, tenantId });
    await one.run((tx) => ageCustomer(tx, { tenantId, customerId }));
    return one;
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  readonly run: Run = (work) => this.#database.tenant(this.tenantId, work);

  get id(): string {
    if (this.#id === undefined) throw new TypeError('no contact has answered yet');
    return this.#id;
  }

  get subject() {
    return { tenantId: this.tenantId, recoveryId: this.id };
  }

  get workflowId(): string {
    return workflowId('recovery', this.tenantId, this.id);
  }

  async ask(report: RecoveryReport = 'broken'): Promise<void> {
    const asked = { report, locale: 'en', email: this.owner.email } as const;
    const { requestId } = await untilDecided(() => this.phone.latchkey.recovery.start(asked));
    this.#requestId = requestId;
  }

  async prove(): Promise<void> {
    const code = await codeSentTo(this.#ground.stack, this.owner.email, this.#codesBefore + 1);
    const { recoveryId } = await untilDecided(() =>
      this.phone.latchkey.recovery.submitCode(this.#requestId, code),
    );
    if (recoveryId === undefined) throw new Error('the case is another phone’s');
    this.#id = recoveryId;
  }

  /** Begins a check of the person; the vendor says how it went. */
  async look(): Promise<void> {
    await untilDecided(() => this.phone.latchkey.recovery.beginLiveness(this.id));
  }

  /** As many of the bank's people as it takes. */
  async approve(): Promise<void> {
    const { people } = await this.run((tx) => read(tx, this.subject));
    for (let person = 0; person < people; person += 1)
      await said(this.run, this.subject, await colleague(this.run, this.tenantId), {
        kind: 'approve',
      });
  }

  /** The time to object is over. */
  async wait(): Promise<void> {
    const hasPassed = await this.run((tx) => passCoolingOff(tx, this.subject));
    if (!hasPassed) throw new Error('no time to object runs');
  }

  bind() {
    return this.phone.latchkey.recovery.createPasskey(this.id, DEVICE);
  }

  async reaches(state: RecoveryState): Promise<void> {
    await vi.waitFor(async () => {
      const now = await this.state();
      if (now !== state) throw new Error(`${now ?? 'nothing'} instead of ${state}`);
    }, PATIENCE);
  }

  async state(): Promise<string | undefined> {
    const [row] = await this.#ground.rows<{ state: string }[]>`
      select state from ceremony where ceremony_id = ${this.id}`;
    return row?.state;
  }

  /** The checks of the person so far, oldest first. */
  checks() {
    return this.#ground.rows<
      { status: string; verdict: string | null; vendorReference: string | null }[]
    >`
      select status, verdict, vendor_reference from step_attempt
      where ceremony_id = ${this.id} and method = 'liveness_vendor' order by created_at`;
  }

  /** What a recovery changes, and nothing else may. */
  async account() {
    const [row] = await this.#ground.rows`
      select security_epoch,
        (select count(*)::int from revocation r where r.customer_id = c.customer_id) as revocations,
        (select array_agg(status order by status) from device d where d.customer_id = c.customer_id) as devices,
        (select array_agg(status order by status) from credential p where p.customer_id = c.customer_id) as credentials
      from customer c where customer_id = ${this.owner.customerId}`;
    return row;
  }

  /** How it ended, once its workflow is over too. */
  async end() {
    return await vi.waitFor(async () => {
      const [row] = await this.#ground.rows`
        select outcome, reason from ceremony where ceremony_id = ${this.id} and workflow_closed_at is not null`;
      if (row === undefined) throw new Error('its workflow is not over');
      return row;
    }, PATIENCE);
  }

  /** Cases of this customer, and what was written down of this one. */
  async written() {
    const [row] = await this.#ground.rows`
      select (select count(*)::int from ceremony where customer_id = ${this.owner.customerId} and kind = 'recovery') as cases,
        count(*) filter (where action = 'recovery.completed')::int as completed,
        count(*) filter (where action = 'device.trusted')::int as bound,
        count(*) filter (where action = 'recovery.step_done')::int as steps
      from audit where ceremony_id = ${this.id}`;
    return row;
  }

  /** Which notice by which way, once all were given to their suppliers. */
  async notices(): Promise<readonly string[]> {
    return await vi.waitFor(async () => {
      const rows = await this.#ground.rows<{ notice: string; status: string }[]>`
        select (payload ->> 'template') || ' by ' || topic as notice, status from outbox
        where payload ->> 'customerId' = ${this.owner.customerId} and payload ->> 'template' like 'recovery%'`;
      if (rows.some(({ status }) => status !== 'delivered')) throw new Error('one is on its way');
      return rows.map(({ notice }) => notice).toSorted();
    }, PATIENCE);
  }

  /** What came to the customer's mailbox. */
  mail(): readonly string[] {
    return messagesTo(this.#ground.stack, this.owner.email);
  }

  #codes(): number {
    return this.mail().filter((text) => /\b(\d{6})\b/.test(text)).length;
  }
}

/** Nothing was bound, raised or ended: the account is as it was, but for a phone that was reported as stolen. */
export async function expectUntouched(
  one: RecoveryCase,
  device: 'trusted' | 'restricted' = 'trusted',
): Promise<void> {
  expect(await one.account()).toEqual({
    securityEpoch: 1,
    revocations: 0,
    devices: [device],
    credentials: ['active'],
  });
}

/** One set of credentials, one epoch more, one notice of each kind, one workflow's story, one key for each step of the phone. */
export async function expectBoundOnce(one: RecoveryCase): Promise<void> {
  expect(await one.end()).toEqual({ outcome: 'completed', reason: 'completed' });
  expect(await one.account()).toEqual({
    securityEpoch: 2,
    revocations: 1,
    devices: ['revoked', 'trusted'],
    credentials: ['active', 'revoked'],
  });
  expect(await one.written()).toEqual({ cases: 1, completed: 1, bound: 1, steps: 4 });
  const notices = ['completed', 'cooling', 'opened', 'ready'].flatMap((kind) =>
    ['email', 'sms'].map((way) => `recovery_${kind} by message.${way}`),
  );
  expect(await one.notices()).toEqual(notices);
  const mail = one.mail();
  expect(new Set(mail).size).toBe(mail.length);
  for (const path of ['/recovery-requests', '/code', '/passkey']) {
    const keys = one.phone.callsOf(path).map(({ idempotencyKey }) => idempotencyKey);
    expect({ path, keys: new Set(keys).size }).toEqual({ path, keys: 1 });
  }
  expect(await one.phone.latchkey.logIn()).toMatchObject({ sessionId: expect.any(String) });
}
