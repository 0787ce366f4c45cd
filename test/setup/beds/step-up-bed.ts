/** Step-ups on a time-skipping bed: for tests of timers, of what risk may do and of what survives. */
import { Client } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { createStepUpAnswerActivities } from '../../../activities/step-up-answer.ts';
import { createStepUpActivities } from '../../../activities/step-up.ts';
import { createStepUpAnswerStore } from '../../../db/step-up-answers.ts';
import { consumeStepUp } from '../../../db/step-up-consume.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import { createStepUpStore } from '../../../db/step-up-store.ts';
import type { OpenedStepUp } from '../../../db/step-up-open.ts';
import type { StepUpRecord } from '../../../db/step-up.ts';
import { stepUpAnswerId } from '../../../domain/ids.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { Risk } from '../../../domain/ports.ts';
import { createNexusWorker, NEXUS_QUEUE, PLAIN_CONVERTER } from '../../../temporal/nexus-worker.ts';
import type { BuiltWorkflows } from '../../../temporal/workflow-bundle.ts';
import type { stepUpAnswer } from '../../../workflows/step-up-answer.ts';
import {
  approvalOf,
  asked,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  read,
  sentCode,
  show,
  STEP_UP_TOOLS,
  submit,
} from '../step-ups.ts';
import type { StepUpCustomer } from '../step-ups.ts';
import type { TestActivities } from '../temporal/test-temporal.ts';
import { TIME_SKIPPING_NAMESPACE } from '../temporal/time-skipping.ts';
import { openSkippingGround, TimeSkippingBed } from './time-skipping-bed.ts';

const UPDATES = {
  step_up_approval: 'approveStepUp',
  step_up: 'submitStepUpCode',
  step_up_resend: 'resendStepUpCode',
} as const;
type Step = keyof typeof UPDATES;

/** One customer who is asked for one payment. */
export interface Asked {
  readonly stepUpId: string;
  readonly customer: StepUpCustomer;
  readonly amount: string;
}

export class StepUpBed extends TimeSkippingBed<Asked> {
  protected override readonly kind = 'step_up';
  /** What the engine says; tests replace it. */
  risk: () => Promise<Risk> = () => Promise.resolve('low');
  risksAsked = 0;

  static async create(policy?: Policy): Promise<StepUpBed> {
    const bed = new StepUpBed(await openSkippingGround(policy));
    await bed.startWorkers();
    return bed;
  }

  protected override idOf({ stepUpId }: Asked): string {
    return stepUpId;
  }

  protected override activities(): TestActivities {
    const evaluate = () => {
      this.risksAsked += 1;
      return this.risk();
    };
    const store = createStepUpStore(this.database, STEP_UP_TOOLS);
    return {
      ceremonies: this.inTime({ ...createStepUpActivities({ store, risk: { evaluate } }) }),
    };
  }

  /** The one that requesters reach. */
  protected override async beside(workflows: BuiltWorkflows): Promise<readonly Worker[]> {
    const store = createStepUpAnswerStore(this.database, STEP_UP_TOOLS);
    const worker = await createNexusWorker({
      connection: this.env.nativeConnection,
      namespace: TIME_SKIPPING_NAMESPACE,
      workflows,
      identity: 'test-worker',
      buildId: undefined,
      log: { error: () => undefined },
      activities: this.inTime(createStepUpAnswerActivities({ store })),
    });
    return [worker];
  }

  /** Only the rows: the API's first half. */
  async insert(amount = '400.00'): Promise<Asked> {
    const customer = await this.inTenant((tx) => insertStepUpCustomer(tx, this.tenantId));
    const stepUpId = await this.inTenant((tx) => asked(tx, customer, { action: payment(amount) }));
    return { stepUpId, customer, amount };
  }

  /** How often its receipt was asked for: rows for the relay. */
  async receiptsAsked({ stepUpId }: Asked): Promise<number> {
    const rows = await this.inTenant(
      (tx) => tx`select 1 from outbox where topic = 'receipt.seal' and subject = ${stepUpId}`,
    );
    return rows.length;
  }

  async start(amount?: string): Promise<Asked> {
    const one = await this.insert(amount);
    await this.startWorkflow(one);
    await this.reaches(one, 'open');
    return one;
  }

  open({ stepUpId, customer }: Asked): Promise<OpenedStepUp> {
    return this.inTenant((tx) => show(tx, customer, stepUpId));
  }

  /** What the API writes before it rings: the handle. */
  async submission(
    { stepUpId, customer }: Asked,
    step: Step,
    payload: object,
  ): Promise<{ readonly submissionId: string; readonly notAfterMs: number }> {
    const submissionId = await this.inTenant((tx) =>
      submit(tx, customer, stepUpId, { step, payload }),
    );
    return { submissionId, notAfterMs: this.nowMs + 30_000 };
  }

  async ring(
    one: Asked,
    step: Step,
    handle: { readonly submissionId: string; readonly notAfterMs: number },
    healCount = 0,
  ): Promise<void> {
    await this.update(one, UPDATES[step], handle, healCount);
  }

  /** Both signatures, over what the device was sent last. */
  async sign(one: Asked): ReturnType<StepUpBed['submission']> {
    const payload = approvalOf(one.customer, await this.open(one));
    return await this.submission(one, 'step_up_approval', payload);
  }

  async approve(one: Asked, healCount = 0): Promise<void> {
    await this.ring(one, 'step_up_approval', await this.sign(one), healCount);
  }

  codeOf({ stepUpId, customer }: Asked): Promise<string> {
    return this.inTenant((tx) => sentCode(tx, customer, stepUpId));
  }

  async guess(one: Asked, code: string, healCount = 0): Promise<void> {
    await this.ring(one, 'step_up', await this.submission(one, 'step_up', { code }), healCount);
  }

  async resend(one: Asked): Promise<void> {
    await this.ring(one, 'step_up_resend', await this.submission(one, 'step_up_resend', {}));
  }

  /** As the requester's call does; the relay's doorbell follows. */
  async consume(one: Asked): Promise<void> {
    const { tenantId } = this;
    const { stepUpId, amount } = one;
    await this.inTenant((tx) =>
      consumeStepUp(tx, STEP_UP_TOOLS, {
        tenantId,
        stepUpId,
        requester: PAYMENTS,
        action: payment(amount),
      }),
    );
    await this.signal(one, 'cancel');
  }

  async end(one: Asked, event: 'cancelled' | 'denied'): Promise<void> {
    await this.endRow(one, event);
    await this.signal(one, 'cancel');
  }

  /** The API's half of it. */
  async endRow(one: Asked, event: 'cancelled' | 'denied'): Promise<void> {
    const { tenantId } = this;
    const { stepUpId, customer } = one;
    await this.inTenant((tx) =>
      endStepUp(tx, STEP_UP_TOOLS, {
        tenantId,
        stepUpId,
        actor: { kind: 'customer', id: customer.customerId },
        ...(event === 'denied' ? { event, reason: 'declined' } : { event }),
      }),
    );
  }

  override row({ stepUpId }: Asked): Promise<StepUpRecord> {
    return this.inTenant((tx) => read(tx, this.tenantId, stepUpId));
  }

  /** As the Nexus operation does, without our keys. */
  async await({ stepUpId }: Asked): Promise<WorkflowHandle<typeof stepUpAnswer>> {
    const { tenantId } = this;
    const client = new Client({
      connection: this.env.connection,
      namespace: TIME_SKIPPING_NAMESPACE,
      dataConverter: PLAIN_CONVERTER,
    });
    return await client.workflow.start<typeof stepUpAnswer>('stepUpAnswer', {
      workflowId: stepUpAnswerId(tenantId, stepUpId),
      taskQueue: NEXUS_QUEUE,
      args: [{ tenantId, id: stepUpId }],
    });
  }
}
