/** Recoveries as rows alone: a database of its own with the demo tenant, its clock where a test wants it, and nothing of Temporal. */
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { createTestDatabase } from '../database.ts';
import type { TestDatabase } from '../database.ts';
import { seedDemoTenant } from '../demo-tenant.ts';
import {
  colleague,
  drive,
  follow,
  insertRecoverable,
  opened,
  read,
  submitPasskey,
} from '../recoveries.ts';
import type { RecoverableCustomer, Run } from '../recoveries.ts';
import type { SeededStaff } from '../rows/staff-rows.ts';

const STARTS_AT_MS = Date.parse('2027-03-01T10:00:00Z');

export class RecoveryRows {
  /** The database's time. */
  nowMs = STARTS_AT_MS;
  readonly tenantId: string;
  readonly database: Database;
  readonly #testDatabase: TestDatabase;

  private constructor(testDatabase: TestDatabase, tenantId: string) {
    this.#testDatabase = testDatabase;
    this.tenantId = tenantId;
    this.database = connectDatabase({
      url: testDatabase.applicationUrl,
      testNowMs: () => this.nowMs,
    });
  }

  /** Call it in `beforeAll`, and `close()` in `afterAll`. */
  static async open(): Promise<RecoveryRows> {
    const testDatabase = await createTestDatabase();
    return new RecoveryRows(testDatabase, await seedDemoTenant(testDatabase));
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.#testDatabase.drop();
  }

  readonly run: Run = (work) => this.database.tenant(this.tenantId, work);

  /** As if the time were another for so long as `work` takes. */
  async at<T>(nowMs: number, work: () => Promise<T>): Promise<T> {
    const before = this.nowMs;
    this.nowMs = nowMs;
    try {
      return await work();
    } finally {
      this.nowMs = before;
    }
  }

  customer(): Promise<RecoverableCustomer> {
    return this.run((tx) => insertRecoverable(tx, this.tenantId));
  }

  /** Of the desk. Two with one employee id are one person. */
  somebody(employeeId?: string): Promise<SeededStaff> {
    return colleague(this.run, this.tenantId, employeeId);
  }

  async state(subject: RecoverySubject): Promise<string> {
    return (await this.run((tx) => read(tx, subject))).state;
  }

  /** A contact has answered, and the person is to be proved. */
  async atIdentity(customer: RecoverableCustomer): Promise<RecoverySubject> {
    const subject = await opened(this.run, customer);
    await follow(this.run, subject);
    return subject;
  }

  /** The new phone hands in its passkey, and the workflow follows. */
  async bind(customer: RecoverableCustomer, subject: RecoverySubject, changes = {}) {
    const submissionId = await this.run((tx) => submitPasskey(tx, customer, subject, changes));
    return await this.run((tx) => drive(tx, subject, 'rebound', submissionId));
  }

  async epochs(subject: RecoverySubject): Promise<{ case: number; customer: number } | undefined> {
    return await this.run(async (tx) => {
      const [row] = await tx<{ case: number; customer: number }[]>`
        select c.epoch as "case", customer.security_epoch as customer from ceremony c join customer using (tenant_id, customer_id)
        where ceremony_id = ${subject.recoveryId}`;
      return row;
    });
  }

  /** The topics that the outbox holds about a case or a customer, with the template where it is a message. */
  async outbox(id: string): Promise<readonly { topic: string; template: string | null }[]> {
    return await this.run(
      async (tx) =>
        await tx<{ topic: string; template: string | null }[]>`
          select topic, payload->>'template' as template from outbox
          where subject = ${id} or payload->>'customerId' = ${id} order by position`,
    );
  }

  async templates({ customerId }: RecoverableCustomer): Promise<readonly string[]> {
    const rows = await this.outbox(customerId);
    return rows.flatMap(({ template }) => (template === null ? [] : [template]));
  }
}
