/** Recoveries on a time-skipping bed: for tests of timers, of what survives and of what a liveness vendor may do. */
import { createLivenessActivities } from '../../../activities/liveness.ts';
import { createRecoveryActivities } from '../../../activities/recovery.ts';
import { objectToRecovery } from '../../../db/recovery-ends.ts';
import { createRecoveryStore } from '../../../db/recovery-store.ts';
import type { RecoveryRecord } from '../../../db/recovery.ts';
import { openLivenessAttempt } from '../../../db/recovery-liveness.ts';
import type { LivenessReading, LivenessVerdict } from '../../../domain/liveness.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { LivenessChecker } from '../../../domain/ports.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import {
  colleague,
  insertRecoverable,
  opened,
  read,
  RECOVERY_TOOLS,
  said,
  submitPasskey,
} from '../recoveries.ts';
import type { RecoverableCustomer, Run } from '../recoveries.ts';
import type { TestActivities } from '../temporal/test-temporal.ts';
import { openSkippingGround, TimeSkippingBed } from './time-skipping-bed.ts';

/** One customer who has lost the phone. */
export interface Lost {
  readonly recoveryId: string;
  readonly customer: RecoverableCustomer;
}

type Report = 'broken' | 'stolen';
type Check = Parameters<LivenessChecker['readResult']>[0];

export class RecoveryBed extends TimeSkippingBed<Lost> {
  protected override readonly kind = 'recovery';
  /** What the vendor answers when it is asked; tests replace it. */
  reading: (check: Check) => Promise<LivenessReading> = (check) =>
    Promise.resolve({ status: 'done', verdict: passed(check) });
  /** How often it began a session. */
  sessionsBegun = 0;
  readonly run: Run = (work) => this.inTenant(work);

  static async create(policy?: Policy): Promise<RecoveryBed> {
    const bed = new RecoveryBed(await openSkippingGround(policy));
    await bed.startWorkers();
    return bed;
  }

  protected override idOf({ recoveryId }: Lost): string {
    return recoveryId;
  }

  protected override activities(): TestActivities {
    const store = createRecoveryStore(this.database, RECOVERY_TOOLS);
    const checker: LivenessChecker = {
      startSession: ({ reference, expiresInSeconds }) => {
        this.sessionsBegun += 1;
        return Promise.resolve({
          vendorSession: `session of ${reference}`,
          clientParameters: { sessionId: reference },
          expiresAtMs: this.nowMs + expiresInSeconds * 1000,
        });
      },
      readResult: (check) => this.reading(check),
    };
    const liveness = createLivenessActivities({
      store,
      checker,
      vendorId: 'test-vendor',
      callbackUrl: () => Promise.resolve('https://bank.example/vendors/liveness/results'),
      // Time is skipped by the server alone: a vendor that is asked again is asked at once.
      heartbeat: { beat: () => undefined, pause: () => Promise.resolve() },
      nowMs: () => this.nowMs,
    });
    return {
      ceremonies: this.inTime(createRecoveryActivities({ store })),
      vendors: this.inTime(liveness),
    };
  }

  /** Only the rows: the API's first half. */
  async insert(report: Report = 'broken'): Promise<Lost> {
    const customer = await this.run((tx) => insertRecoverable(tx, this.tenantId));
    const { recoveryId } = await opened(this.run, customer, { report });
    return { recoveryId, customer };
  }

  async start(report?: Report): Promise<Lost> {
    const one = await this.insert(report);
    await this.startWorkflow(one);
    await this.reaches(one, 'identity');
    return one;
  }

  /** Policy asks for a second contact where something about the customer is young. */
  async startWithYoungPhone(): Promise<Lost> {
    const customer = await this.run((tx) => insertRecoverable(tx, this.tenantId));
    await this.run(
      (tx) =>
        tx`update device set trusted_at = latchkey_now() where customer_id = ${customer.customerId}`,
    );
    const { recoveryId } = await opened(this.run, customer);
    const one = { recoveryId, customer };
    await this.startWorkflow(one);
    await this.reaches(one, 'contact');
    return one;
  }

  /** As the last transaction saw it. */
  nowAtTick(): number {
    return this.nowMs;
  }

  subjectOf({ recoveryId }: Lost): RecoverySubject {
    return { tenantId: this.tenantId, recoveryId };
  }

  row(one: Lost): Promise<RecoveryRecord> {
    return this.run((tx) => read(tx, this.subjectOf(one)));
  }

  /** The customer looks into the camera. */
  async look(one: Lost): Promise<void> {
    const jkt = one.customer.newJkt;
    await this.run((tx) =>
      openLivenessAttempt(tx, RECOVERY_TOOLS, { ...this.subjectOf(one), jkt }),
    );
    await this.signal(one, 'changed');
  }

  /** As many people as it takes, then the bell. */
  async approve(one: Lost): Promise<void> {
    const { people } = await this.row(one);
    for (let person = 0; person < people; person += 1)
      await said(this.run, this.subjectOf(one), await colleague(this.run, this.tenantId), {
        kind: 'approve',
      });
    await this.signal(one, 'changed');
  }

  async decide(one: Lost, kind: 'refuse' | 'send_back' | 'release'): Promise<void> {
    const somebody = await colleague(this.run, this.tenantId);
    await said(this.run, this.subjectOf(one), somebody, { kind });
    await this.signal(one, 'changed');
  }

  /** The owner, on the old phone with passkey and key, or by a mailbox alone. */
  async object(one: Lost, from: 'old phone' | 'mailbox'): Promise<void> {
    const { customerId, deviceId } = one.customer;
    await this.run((tx) =>
      objectToRecovery(tx, RECOVERY_TOOLS, {
        subject: this.subjectOf(one),
        customerId,
        ...(from === 'old phone' ? { deviceId } : {}),
      }),
    );
    await this.signal(one, 'changed');
  }

  async to(one: Lost, state: 'review' | 'cooling' | 'rebind'): Promise<void> {
    await this.look(one);
    await this.reaches(one, 'review');
    if (state === 'review') return;
    await this.approve(one);
    await this.reaches(one, 'cooling');
    if (state === 'cooling') return;
    await this.advanceTo(await this.coolingOverMs(one));
    await this.reaches(one, 'rebind');
  }

  async coolingOverMs(one: Lost): Promise<number> {
    const { coolingFromMs, times } = await this.row(one);
    return (coolingFromMs ?? 0) + times.coolingMs;
  }

  async bind(one: Lost, healCount = 0): Promise<void> {
    const submissionId = await this.run((tx) =>
      submitPasskey(tx, one.customer, this.subjectOf(one)),
    );
    const handle = { submissionId, notAfterMs: this.nowMs + 300_000 };
    await this.update(one, 'bindPasskey', handle, healCount);
  }
}

export function passed({
  reference,
  vendorSession,
  caseId,
  newJkt,
}: Omit<Check, 'referenceImageId'>): LivenessVerdict {
  return {
    reference,
    vendorSession,
    caseId,
    newJkt,
    outcome: 'passed',
    livenessConfidence: 99,
    matchConfidence: 99,
    evidenceId: `seen by ${reference}`,
  };
}
