/**
 * Enrollment on real rows, a real workflow and a time-skipping server: for tests of timers and of what survives. It writes submissions as the
 * API does and rings the workflow as the relay does; messages and vendor calls are looked up in the outbox.
 */
import { randomBytes } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import postgres from 'postgres';
import { createEnrollmentActivities } from '../../../activities/enrollment.ts';
import { createIdentityActivities } from '../../../activities/identity.ts';
import { systemClock } from '../../../adapters/clock.ts';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { createOtpCodes } from '../../../adapters/kms/otp-codes.ts';
import { newId } from '../../../adapters/random.ts';
import { bootstrapDemoTenant, DEMO_APP_CLIENT } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import type { VerifiedPasskey } from '../../../db/enrollment-binding.ts';
import { endEnrollment } from '../../../db/enrollment-moves.ts';
import { createEnrollmentStore } from '../../../db/enrollment-store.ts';
import { insertEnrollment, readEnrollment, ringIdentityResult } from '../../../db/enrollment.ts';
import type { EnrollmentRecord } from '../../../db/enrollment.ts';
import { createPersonalData } from '../../../db/personal-data.ts';
import { latestAttempt, latestIdentityAttempt, recordVerdict } from '../../../db/step-attempts.ts';
import { insertSubmission } from '../../../db/step-submissions.ts';
import type { EnrollmentSubmissionStep } from '../../../db/step-submissions.ts';
import type { CodeStep } from '../../../domain/enrollment.ts';
import { workflowId } from '../../../domain/ids.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { IdentityVerifier } from '../../../domain/ports.ts';
import { createTemporalGateway } from '../../../temporal/client.ts';
import type { TemporalGateway } from '../../../temporal/client.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { startWorkerGroup } from '../../../temporal/worker-group.ts';
import type { WorkerGroup } from '../../../temporal/worker-group.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';
import { createTestDatabase } from '../database.ts';
import type { TestDatabase } from '../database.ts';
import { TEST_PAYLOAD_KEYS } from '../payload-keys.ts';
import { randomPhone, SOMEBODY } from '../somebody.ts';
import {
  createTimeSkippingEnvironment,
  TIME_SKIPPING_NAMESPACE,
} from '../temporal/time-skipping.ts';

const UPDATE_OF_STEP = {
  phone: 'submitPhoneCode',
  phone_resend: 'resendPhoneCode',
  identity_check: 'identityDetails',
  email: 'submitEmail',
  email_code: 'submitEmailCode',
  email_code_resend: 'resendEmailCode',
  passkey: 'bindPasskey',
} as const satisfies Record<EnrollmentSubmissionStep, string>;

const MILESTONES = [
  'identity',
  'identity_check',
  'email',
  'email_code',
  'passkey',
  'ended',
] as const;
export type Milestone = (typeof MILESTONES)[number];

export interface Enrollee {
  readonly enrollmentId: string;
  readonly customerId: string;
  readonly phone: string;
}

export class EnrollmentBed {
  readonly sql: postgres.Sql;
  readonly vendorCalls: string[] = [];
  /** What the vendor does when called; tests replace it. */
  vendor: IdentityVerifier['startCheck'] = ({ reference }) =>
    Promise.resolve({ vendorReference: `v-${reference}` });
  readonly env: TestWorkflowEnvironment;
  readonly gateway: TemporalGateway;
  readonly database: Database;
  readonly tenantId: string;
  private readonly testDatabase: TestDatabase;
  private readonly clock: { nowMs: number };

  private constructor(parts: {
    env: TestWorkflowEnvironment;
    gateway: TemporalGateway;
    database: Database;
    tenantId: string;
    testDatabase: TestDatabase;
    clock: { nowMs: number };
  }) {
    this.env = parts.env;
    this.gateway = parts.gateway;
    this.database = parts.database;
    this.tenantId = parts.tenantId;
    this.testDatabase = parts.testDatabase;
    this.clock = parts.clock;
    this.sql = postgres(this.testDatabase.superuserUrl, {
      max: 2,
      transform: { column: { from: postgres.toCamel } },
      onnotice: () => undefined,
    });
  }

  private workers: WorkerGroup | undefined;
  private readonly kms = createEmbeddedKms([{ kid: 'k1', key: new Uint8Array(32).fill(7) }]);
  readonly otpCodes = createOtpCodes(this.kms);
  readonly tools = {
    personalData: createPersonalData(this.kms),
    newId,
    otpCodes: createOtpCodes(this.kms),
  };

  static async create(policy?: Policy): Promise<EnrollmentBed> {
    const testDatabase = await createTestDatabase();
    const { tenantId } = await bootstrapDemoTenant({
      ownerUrl: testDatabase.ownerUrl,
      publicUrl: 'http://localhost:1',
      fraudClientJwks: { keys: [] },
      ...(policy === undefined ? {} : { policy }),
    });
    const env = await createTimeSkippingEnvironment();
    const clock = { nowMs: await env.currentTimeMs() };
    const database = connectDatabase({
      url: testDatabase.applicationUrl,
      testNowMs: () => clock.nowMs,
    });
    const namespace = TIME_SKIPPING_NAMESPACE;
    const dataConverter = createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS });
    const gateway = createTemporalGateway({
      connection: env.connection,
      namespace,
      dataConverter,
      identity: 'test-client',
      clock: systemClock,
    });
    const bed = new EnrollmentBed({ env, gateway, database, tenantId, testDatabase, clock });
    await bed.startWorkers();
    return bed;
  }

  async startWorkers(): Promise<void> {
    const store = createEnrollmentStore(this.database, this.tools);
    const namespace = TIME_SKIPPING_NAMESPACE;
    this.workers = await startWorkerGroup({
      connection: this.env.nativeConnection,
      namespace,
      workflows: await buildWorkflows(),
      dataConverter: createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS }),
      identity: 'test-worker',
      buildId: undefined,
      log: { error: () => undefined },
      activities: {
        sessions: { none: () => Promise.resolve() },
        ceremonies: this.inTime(createEnrollmentActivities({ store })),
        revocations: { none: () => Promise.resolve() },
        vendors: this.inTime(
          createIdentityActivities({
            store,
            verifier: {
              startCheck: async (check) => {
                this.vendorCalls.push(check.reference);
                return await this.vendor(check);
              },
            },
            callbackUrl: () => Promise.resolve('http://localhost:1/callback'),
          }),
        ),
      },
    });
  }

  async stopWorkers(): Promise<void> {
    this.workers?.shutdown();
    await this.workers?.stopped;
    this.workers = undefined;
  }

  async close(): Promise<void> {
    await this.stopWorkers();
    await this.env.teardown();
    await this.database.close();
    await this.sql.end();
    await this.testDatabase.drop();
  }

  /** Every activity's transactions see the server's time. */
  private inTime<A extends Record<string, (input: never) => Promise<unknown>>>(activities: A): A {
    const timed = Object.entries(activities).map(([name, activity]) => [
      name,
      async (input: never) => {
        await this.tick();
        return await activity(input);
      },
    ]);
    // The same names with the same signatures.
    return Object.fromEntries(timed) as A;
  }

  async tick(): Promise<number> {
    this.clock.nowMs = await this.env.currentTimeMs();
    return this.clock.nowMs;
  }

  async advanceTo(atMs: number): Promise<void> {
    await this.env.sleep(Math.max(0, atMs - (await this.env.currentTimeMs())));
    await this.tick();
  }

  /** Only the row: the API's first half. */
  async insert(phone = randomPhone()): Promise<Enrollee> {
    await this.tick();
    const enrollee = { enrollmentId: newId('ceremony'), customerId: newId('customer'), phone };
    await this.inTenant((tx) =>
      insertEnrollment(tx, this.tools.personalData, {
        ...enrollee,
        tenantId: this.tenantId,
        contactId: newId('contact'),
        clientId: DEMO_APP_CLIENT,
        jkt: randomBytes(32).toString('base64url'),
        locale: 'en',
      }),
    );
    return enrollee;
  }

  async startWorkflow({ enrollmentId }: Enrollee, healCount = 0): Promise<void> {
    await this.gateway.start('enrollment', {
      tenantId: this.tenantId,
      id: enrollmentId,
      healCount,
      searchAttributes: { state: 'starting' },
    });
  }

  async start(phone?: string): Promise<Enrollee> {
    const enrollee = await this.insert(phone);
    await this.startWorkflow(enrollee);
    await this.reaches(enrollee, 'phone');
    return enrollee;
  }

  async submit(
    { enrollmentId, customerId }: Enrollee,
    step: EnrollmentSubmissionStep,
    payload: object,
    notAfterSeconds = 30,
  ): Promise<{ submissionId: string; notAfterMs: number }> {
    await this.tick();
    const submissionId = newId('submission');
    const { notAfterMs } = await this.inTenant((tx) =>
      insertSubmission(tx, this.tools.personalData, {
        tenantId: this.tenantId,
        ceremonyId: enrollmentId,
        customerId,
        submissionId,
        step,
        payload,
        notAfterSeconds,
      }),
    );
    return { submissionId, notAfterMs };
  }

  async ring(
    { enrollmentId }: Enrollee,
    step: EnrollmentSubmissionStep,
    handle: { submissionId: string; notAfterMs: number },
    healCount = 0,
  ): Promise<void> {
    await this.gateway.update(
      workflowId('enrollment', this.tenantId, enrollmentId, healCount),
      UPDATE_OF_STEP[step],
      [handle],
      `${handle.submissionId}-${String(healCount)}`,
    );
  }

  async step(
    enrollee: Enrollee,
    step: EnrollmentSubmissionStep,
    payload: object = {},
    healCount = 0,
  ): Promise<void> {
    await this.ring(enrollee, step, await this.submit(enrollee, step, payload), healCount);
  }

  async codeOf(enrollee: Enrollee, step: CodeStep): Promise<string> {
    const { attempt } = await this.inTenant((tx) =>
      latestAttempt(tx, { tenantId: this.tenantId, ceremonyId: enrollee.enrollmentId, step }),
    );
    if (attempt === undefined) throw new Error('no code was sent');
    return this.otpCodes.codeFor(attempt.attemptId, 6);
  }

  async proveCode(enrollee: Enrollee, step: CodeStep): Promise<void> {
    await this.step(enrollee, step, { code: await this.codeOf(enrollee, step) });
  }

  /** As the vendor's webhook does. */
  async verdict(
    enrollee: Enrollee,
    verdict: 'verified' | 'refused',
    healCount = 0,
  ): Promise<string | undefined> {
    await this.tick();
    const { tenantId } = this;
    const ceremonyId = enrollee.enrollmentId;
    const recorded = await this.database.tenant(tenantId, async (tx) => {
      const attempt = await latestIdentityAttempt(tx, tenantId, ceremonyId);
      if (attempt === undefined) return undefined;
      const { attemptId } = attempt;
      const written = await recordVerdict(tx, {
        tenantId,
        attemptId,
        verdict,
        evidenceId: `ev-${attemptId}`,
        vendorReference: `v-${attemptId}`,
      });
      await ringIdentityResult(tx, { tenantId, ceremonyId });
      return written;
    });
    await this.signal(enrollee, 'identityResult', healCount);
    return recorded?.result;
  }

  async signal({ enrollmentId }: Enrollee, signal: string, healCount = 0): Promise<void> {
    const id = workflowId('enrollment', this.tenantId, enrollmentId, healCount);
    await this.gateway.signal(id, signal, [{ signalId: newId('outbox') }]);
  }

  async cancel(enrollee: Enrollee): Promise<void> {
    await this.tick();
    await this.inTenant((tx) =>
      endEnrollment(tx, this.tools, {
        tenantId: this.tenantId,
        enrollmentId: enrollee.enrollmentId,
        event: 'cancelled',
        actor: { kind: 'customer', id: enrollee.customerId },
      }),
    );
  }

  passkey(changes: Partial<VerifiedPasskey> = {}): VerifiedPasskey {
    const random = () => randomBytes(32).toString('base64url');
    return {
      challengeHash: random(),
      challengeExpiresAtMs: this.clock.nowMs + 300_000,
      webauthnId: random(),
      publicKey: random(),
      userHandle: random(),
      signCount: 0,
      transports: ['internal'],
      aaguid: '00000000-0000-0000-0000-000000000000',
      attestationFormat: 'none',
      isBackupEligible: false,
      isBackedUp: false,
      device: { name: 'Test phone', platform: 'test' },
      sessionJwk: { kty: 'EC' },
      approvalJkt: random(),
      approvalJwk: { kty: 'EC' },
      ...changes,
    };
  }

  /** From the start to the state. */
  async to(enrollee: Enrollee, state: Milestone, documentNumber?: string): Promise<void> {
    const moves = this.moves(enrollee, 0, documentNumber);
    for (const move of moves.slice(0, MILESTONES.indexOf(state) + 1)) await move();
  }

  /** From the state to the end, speaking to the n-th successor of its workflow. */
  async finish(enrollee: Enrollee, from: Milestone, healCount: number): Promise<void> {
    for (const move of this.moves(enrollee, healCount).slice(MILESTONES.indexOf(from) + 1))
      await move();
  }

  private moves(
    enrollee: Enrollee,
    healCount: number,
    documentNumber = randomBytes(6).toString('hex'),
  ): readonly (() => Promise<void>)[] {
    const step = (name: EnrollmentSubmissionStep, payload: object) =>
      this.step(enrollee, name, payload, healCount);
    return [
      async () => step('phone', { code: await this.codeOf(enrollee, 'phone') }),
      () => step('identity_check', { ...SOMEBODY, documentNumber }),
      async () => {
        await this.verdict(enrollee, 'verified', healCount);
        await this.reaches(enrollee, 'email');
      },
      () => step('email', { email: `${enrollee.enrollmentId}@example.test` }),
      async () => step('email_code', { code: await this.codeOf(enrollee, 'email_code') }),
      () => step('passkey', this.passkey()),
    ];
  }

  /**
   * The workflow is gone, as after a loss of Temporal's own data; the row knows nothing of it. The time-skipping server skips no more time
   * after that: tests that move it come first in their file.
   */
  async lose({ enrollmentId }: Enrollee): Promise<void> {
    const id = workflowId('enrollment', this.tenantId, enrollmentId);
    await this.env.client.workflow.getHandle(id).terminate('lost');
  }

  inTenant<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.tenant(this.tenantId, work);
  }

  async row({ enrollmentId }: Enrollee): Promise<EnrollmentRecord> {
    const record = await this.inTenant((tx) =>
      readEnrollment(tx, { tenantId: this.tenantId, enrollmentId }),
    );
    if (record === undefined) throw new Error('no such enrollment');
    return record;
  }

  async reaches(enrollee: Enrollee, state: string): Promise<void> {
    const endsAtMs = performance.now() + 20_000;
    while ((await this.row(enrollee)).state !== state) {
      if (performance.now() > endsAtMs)
        throw new Error(`${(await this.row(enrollee)).state} instead of ${state}`);
    }
  }

  async closes(enrollee: Enrollee, healCount = 0): Promise<void> {
    const id = workflowId('enrollment', this.tenantId, enrollee.enrollmentId, healCount);
    const endsAtMs = performance.now() + 20_000;
    while ((await this.gateway.describe(id)) !== 'closed') {
      if (performance.now() > endsAtMs) throw new Error(`${id} has not closed`);
    }
  }

  /** Templates that were put in the outbox for him, in order. */
  async messages({ customerId }: Enrollee): Promise<string[]> {
    const rows = await this.sql`
      select topic, payload ->> 'template' as template from outbox
      where topic like 'message.%' and payload ->> 'customerId' = ${customerId} order by position`;
    return rows.map((row) => `${String(row['topic'])}:${String(row['template'])}`);
  }

  async events({ customerId }: Enrollee): Promise<string[]> {
    const rows = await this.sql`
      select payload ->> 'type' as type from outbox where topic = 'event' and subject = ${customerId} order by position`;
    return rows.map((row) => String(row['type']));
  }
}
