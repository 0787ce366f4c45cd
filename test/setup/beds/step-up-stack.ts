/**
 * Step-ups over HTTP on a ceremony's stack, with the risk engine as a word. Who asks is written by the store that a requester's route uses; what
 * the customer's phone sends is signed for real.
 */
import { SignJWT } from 'jose';
import { createStepUpActivities } from '../../../activities/step-up.ts';
import { newId } from '../../../adapters/random.ts';
import { startStepUp } from '../../../api/step-ups/start.ts';
import { createStepUp } from '../../../db/step-up-create.ts';
import type { NewStepUp } from '../../../db/step-up-create.ts';
import { createStepUpStore } from '../../../db/step-up-store.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { Risk, RiskEngine } from '../../../domain/ports.ts';
import type { Spoil } from '../authenticator.ts';
import type { Answer, Phone } from '../callers.ts';
import { createBanker, logIn } from '../login-bed.ts';
import type { Banker } from '../login-bed.ts';
import type { KeyPair } from '../proof.ts';
import type { TestActivities } from '../temporal/test-temporal.ts';
import { CeremonyStack, openStackGround } from './ceremony-stack.ts';
import type { StackGround } from './ceremony-stack.ts';
import { payment } from '../step-ups.ts';

export const CONTEXT = { onCall: false, screenShared: false, accessibilityService: false };

/** What is wrong with an approval that is otherwise right. */
export interface SpoiltApproval extends Spoil {
  readonly approval?: {
    readonly typ?: string;
    readonly alg?: string;
    readonly payload?: Readonly<Record<string, unknown>>;
    readonly key?: KeyPair;
    /** Signs, then changes the text. */
    readonly text?: (signature: string) => string;
  };
}

export class StepUpStack extends CeremonyStack {
  /** `silent`: the engine does not answer. */
  risk: Risk | 'silent' = 'low';
  readonly #riskEngine: RiskEngine;

  private constructor(ground: StackGround, riskEngine: RiskEngine) {
    super(ground);
    this.#riskEngine = riskEngine;
  }

  static async start({ policy }: { readonly policy?: Policy } = {}): Promise<StepUpStack> {
    const riskEngine: RiskEngine = {
      evaluate: () =>
        stack.risk === 'silent'
          ? Promise.reject(new LatchkeyError('vendor_unavailable'))
          : Promise.resolve(stack.risk),
    };
    const ground = await openStackGround({ policy, dependencies: { riskEngine } });
    const stack = new StepUpStack(ground, riskEngine);
    await stack.startUp();
    return stack;
  }

  protected override activities(): TestActivities {
    const { database, deps } = this.api;
    return {
      ceremonies: createStepUpActivities({
        store: createStepUpStore(database, deps),
        risk: this.#riskEngine,
      }),
    };
  }

  protected override deliverAfield(): Promise<void> {
    return Promise.resolve();
  }

  /** As a requester's route does, then waits until the customer may open it. */
  async ask(
    { customerId }: Pick<Banker, 'customerId'>,
    request: Partial<NewStepUp> = {},
  ): Promise<string> {
    const { api } = this;
    const { stepUp } = await api.inTenant((tx) =>
      createStepUp(tx, api.deps, {
        tenantId: api.tenantId,
        stepUpId: newId('ceremony'),
        requester: { kind: 'client', id: 'demo-payments' },
        requesterName: 'Payments',
        customerId,
        action: payment('400.00'),
        reference: newId('request'),
        ...request,
      }),
    );
    if (stepUp === undefined) throw new Error('this needs an approval');
    await startStepUp({ temporal: this.temporal.gateway }, stepUp);
    await this.reaches(stepUp.stepUpId, 'open');
    return stepUp.stepUpId;
  }

  /** A customer who may answer: on a trusted device, logged in. */
  async loggedIn(number?: string): Promise<Banker> {
    const banker = await createBanker(this.api, number === undefined ? {} : { number });
    await logIn(banker, banker.phone);
    return banker;
  }

  /** His phone is reported lost. */
  async restrict({ deviceId }: Pick<Banker, 'deviceId'>): Promise<void> {
    await this.api.inTenant(
      (tx) => tx`update device set status = 'restricted' where device_id = ${deviceId}`,
    );
  }

  async approve(
    banker: Pick<Banker, 'authenticator' | 'phone'>,
    opened: Answer,
    {
      spoil = {},
      idempotencyKey,
    }: { readonly spoil?: SpoiltApproval; readonly idempotencyKey?: string } = {},
  ): Promise<Answer> {
    const { issuer } = await this.api.tenant();
    const body = await approvalBody(banker, banker.phone, { opened, issuer, spoil });
    const path = `/auth/step-ups/${String(opened.body.stepUpId)}/approve`;
    return await banker.phone.post(
      path,
      body,
      idempotencyKey === undefined ? {} : { idempotencyKey },
    );
  }
}

/** As the app opens it. */
export async function openIt(
  phone: Phone,
  stepUpId: string,
  changes: { readonly context?: Partial<typeof CONTEXT>; readonly locale?: string } = {},
): Promise<Answer> {
  const { locale = 'en' } = changes;
  const context = { ...CONTEXT, ...changes.context };
  return await phone.post(`/auth/step-ups/${stepUpId}/open`, { locale, context });
}

/** Both signatures over what was opened, right in everything that is not spoilt. */
export async function approvalBody(
  { authenticator }: Pick<Banker, 'authenticator'>,
  phone: Pick<Phone, 'approvalKey'>,
  {
    opened,
    issuer,
    spoil = {},
  }: {
    readonly opened: Answer;
    readonly issuer: string;
    readonly spoil?: SpoiltApproval;
  },
): Promise<{ readonly assertion: object; readonly approvalSignature: string }> {
  const { challenge, rpId, stepUpId } = opened.body as Readonly<Record<string, string>>;
  const { approval = {}, ...passkey } = spoil;
  const request = { challenge: challenge ?? '', rpId: rpId ?? '' };
  const assertion = authenticator.authenticate(request, passkey);
  const payload = { challenge, iss: issuer, stepUpId, ...approval.payload };
  // The canonical order of these three is that of their names.
  const signature = await new SignJWT(payload)
    .setProtectedHeader({ alg: 'ES256', typ: approval.typ ?? 'latchkey-approval+jwt' })
    .sign((approval.key ?? phone.approvalKey).privateKey);
  return { assertion, approvalSignature: approval.text?.(signature) ?? signature };
}
