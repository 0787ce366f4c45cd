/**
 * Step-ups as rows of one tenant, under a clock that the test moves and without any workflow: for tests of what each transaction writes and
 * refuses. A test has a customer of its own, who was asked for nothing yet.
 */
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { consumeStepUp } from '../../../db/step-up-consume.ts';
import type { StepUpUse } from '../../../db/step-up-consume.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import type { StepUpEnd } from '../../../db/step-up-ends.ts';
import { createSweepPort } from '../../../db/sweeping.ts';
import type { SweepPort } from '../../../db/sweeping.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { statusOf } from '../../../domain/step-up-status.ts';
import type { StepUpStatus } from '../../../domain/step-up-status.ts';
import { createTestDatabase } from '../database.ts';
import type { TestDatabase } from '../database.ts';
import { ROOMY_POLICY, seedDemoTenant } from '../demo-tenant.ts';
import {
  asked,
  drive,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  read,
  STEP_UP_TOOLS,
} from '../step-ups.ts';
import type { StepUpCustomer } from '../step-ups.ts';

/** A refusal keeps the hold in its own transaction. */
const POLICY = { ...ROOMY_POLICY, stepUp: { ...DEFAULT_POLICY.stepUp, holdOnNotMe: 1 } };

type End = { event: 'denied'; reason: 'not_me' | 'declined' } | { event: 'cancelled' };

interface Opened {
  readonly testDatabase: TestDatabase;
  readonly database: Database;
  readonly tenantId: string;
}

export class StepUpRows {
  /** The database's time. */
  nowMs = Date.parse('2027-03-01T10:00:00Z');
  #opened: Opened | undefined;
  #customer: StepUpCustomer | undefined;

  /** Call it in `beforeAll`, `newCustomer` in `beforeEach`, `close` in `afterAll`. */
  async open(): Promise<void> {
    const testDatabase = await createTestDatabase();
    const tenantId = await seedDemoTenant(testDatabase, { policy: POLICY });
    const url = testDatabase.applicationUrl;
    const database = connectDatabase({ url, testNowMs: () => this.nowMs });
    this.#opened = { testDatabase, database, tenantId };
  }

  async close(): Promise<void> {
    await this.database.close();
    await this.#there.testDatabase.drop();
  }

  async newCustomer(): Promise<void> {
    this.customer = await this.run((tx) => insertStepUpCustomer(tx, this.tenantId));
  }

  get #there(): Opened {
    if (this.#opened === undefined) throw new Error('open it first');
    return this.#opened;
  }

  get database(): Database {
    return this.#there.database;
  }

  get tenantId(): string {
    return this.#there.tenantId;
  }

  get customer(): StepUpCustomer {
    if (this.#customer === undefined) throw new Error('there is no customer yet');
    return this.#customer;
  }

  set customer(customer: StepUpCustomer) {
    this.#customer = customer;
  }

  readonly run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    this.database.tenant(this.tenantId, work);

  readonly sweeper = (): SweepPort => createSweepPort(this.database, STEP_UP_TOOLS.personalData);

  /** Asked for and shown to the customer's devices; answers its id. */
  readonly askAndOpen = async (amount = '400.00'): Promise<string> => {
    const stepUpId = await this.run((tx) => asked(tx, this.customer, { action: payment(amount) }));
    await this.run((tx) => drive(tx, this.customer, stepUpId, { event: 'opened' }));
    return stepUpId;
  };

  readonly consume = (
    stepUpId: string,
    changes: Partial<StepUpUse> = {},
  ): ReturnType<typeof consumeStepUp> =>
    this.run((tx) =>
      consumeStepUp(tx, STEP_UP_TOOLS, {
        tenantId: this.tenantId,
        stepUpId,
        requester: PAYMENTS,
        action: payment('400.00'),
        ...changes,
      }),
    );

  readonly end = (
    stepUpId: string,
    how: End,
    changes: Partial<StepUpEnd> = {},
  ): ReturnType<typeof endStepUp> =>
    this.run((tx) =>
      endStepUp(tx, STEP_UP_TOOLS, {
        tenantId: this.tenantId,
        stepUpId,
        actor: { kind: 'customer', id: this.customer.customerId },
        ...how,
        ...changes,
        // Partial members of a union no longer say which one it is.
      } as StepUpEnd),
    );

  readonly status = async (stepUpId: string): Promise<StepUpStatus> =>
    statusOf(await this.run((tx) => read(tx, this.tenantId, stepUpId)));

  readonly dayTotal = async (): Promise<number> => {
    const [row] = await this.run(
      async (tx) =>
        await tx<{ total: string }[]>`
          select total_minor as total from step_up_spend where customer_id = ${this.customer.customerId} and currency = 'NZD'`,
    );
    return Number(row?.total ?? 0);
  };

  /** What the outbox holds of it, in order. */
  readonly topics = async (stepUpId: string): Promise<readonly string[]> =>
    await this.run(async (tx) =>
      (
        await tx<{ topic: string }[]>`
          select topic from outbox
          where payload->>'stepUpId' = ${stepUpId} or subject = ${stepUpId}
            or payload->>'attemptId' in (select attempt_id from step_attempt where ceremony_id = ${stepUpId})
          order by position`
      ).map(({ topic }) => topic),
    );
}
