/**
 * Enrollments on a time-skipping bed: for tests of timers and of what survives. The vendor's calls are a list; messages and events are looked up in
 * the outbox.
 */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { createEnrollmentActivities } from '../../../activities/enrollment.ts';
import { createIdentityActivities } from '../../../activities/identity.ts';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { createOtpCodes } from '../../../adapters/kms/otp-codes.ts';
import { newId } from '../../../adapters/random.ts';
import { DEMO_APP_CLIENT } from '../../../db/bootstrap.ts';
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
import type { Policy } from '../../../domain/policy.ts';
import type { IdentityVerifier } from '../../../domain/ports.ts';
import { randomPhone, SOMEBODY } from '../somebody.ts';
import type { TestActivities } from '../temporal/test-temporal.ts';
import { openSkippingGround, TimeSkippingBed } from './time-skipping-bed.ts';
import type { SkippingGround } from './time-skipping-bed.ts';

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

export class EnrollmentBed extends TimeSkippingBed<Enrollee> {
  protected override readonly kind = 'enrollment';
  readonly sql: postgres.Sql;
  readonly vendorCalls: string[] = [];
  /** What the vendor does when called; tests replace it. */
  vendor: IdentityVerifier['startCheck'] = ({ reference }) =>
    Promise.resolve({ vendorReference: `v-${reference}` });
  private readonly kms = createEmbeddedKms([{ kid: 'k1', key: new Uint8Array(32).fill(7) }]);
  readonly otpCodes = createOtpCodes(this.kms);
  readonly tools = {
    personalData: createPersonalData(this.kms),
    newId,
    otpCodes: createOtpCodes(this.kms),
  };

  private constructor(ground: SkippingGround) {
    super(ground);
    this.sql = postgres(this.testDatabase.superuserUrl, {
      max: 2,
      transform: { column: { from: postgres.toCamel } },
      onnotice: () => undefined,
    });
  }

  static async create(policy?: Policy): Promise<EnrollmentBed> {
    const bed = new EnrollmentBed(await openSkippingGround(policy));
    await bed.startWorkers();
    return bed;
  }

  protected override idOf({ enrollmentId }: Enrollee): string {
    return enrollmentId;
  }

  protected override activities(): TestActivities {
    const store = createEnrollmentStore(this.database, this.tools);
    return {
      ceremonies: this.inTime(createEnrollmentActivities({ store })),
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
    };
  }

  override async close(): Promise<void> {
    await this.sql.end();
    await super.close();
  }

  /** Only the row: the API's first half. */
  async insert(phone = randomPhone()): Promise<Enrollee> {
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
    enrollee: Enrollee,
    step: EnrollmentSubmissionStep,
    handle: { submissionId: string; notAfterMs: number },
    healCount = 0,
  ): Promise<void> {
    await this.update(enrollee, UPDATE_OF_STEP[step], handle, healCount);
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
    const { tenantId } = this;
    const ceremonyId = enrollee.enrollmentId;
    const recorded = await this.inTenant(async (tx) => {
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

  async cancel(enrollee: Enrollee): Promise<void> {
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
      challengeExpiresAtMs: this.nowMs + 300_000,
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

  override async row({ enrollmentId }: Enrollee): Promise<EnrollmentRecord> {
    const record = await this.inTenant((tx) =>
      readEnrollment(tx, { tenantId: this.tenantId, enrollmentId }),
    );
    if (record === undefined) throw new Error('no such enrollment');
    return record;
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
