/**
 * Step-ups as an app answers them: what waits for the customer, shown as it will be signed, then approved with passkey and approval key, or refused.
 * An answer that was lost is asked for again as it was: the customer must not be asked twice for one action.
 */
import type { Call } from './http.ts';
import { deviceKey, signApproval } from './keys.ts';
import { LatchkeyProblem } from './problem.ts';
import { assertShown } from './assert-shown.ts';
import type { Store } from './store.ts';
import type { CustomerStepUp, OpenedStepUp, StepUpContext } from './types.ts';
import type { WebAuthn } from './webauthn.ts';

export interface StepUpsOptions {
  readonly issuer: string;
  readonly store: Store;
  readonly webauthn: WebAuthn;
  readonly nowMs: () => number;
  /** With the session's token. */
  readonly call: <Answer>(call: Call) => Promise<Answer>;
}

interface Approval {
  readonly assertion: unknown;
  readonly approvalSignature: string;
}

export class StepUps {
  readonly #options: StepUpsOptions;
  /** What the customer signed, until it is known whether it counted. */
  #undecided: { readonly challenge: string; readonly approval: Approval } | undefined;

  constructor(options: StepUpsOptions) {
    this.#options = options;
  }

  /** The youngest first: what waits for an answer, and what was lately answered. */
  async list(): Promise<readonly CustomerStepUp[]> {
    const { stepUps } = await this.#options.call<{ stepUps: readonly CustomerStepUp[] }>({
      operation: 'listStepUps',
      method: 'GET',
      path: '/auth/step-ups',
    });
    return stepUps;
  }

  view(stepUpId: string): Promise<CustomerStepUp> {
    return this.#options.call<CustomerStepUp>({
      operation: 'getCustomerStepUp',
      method: 'GET',
      path: `/auth/step-ups/${stepUpId}`,
    });
  }

  /** As it is to be shown, and held against what will be signed. @throws LatchkeyProblem text_mismatch and others */
  async open(
    stepUpId: string,
    { locale, context }: { readonly locale: string; readonly context: StepUpContext },
  ): Promise<OpenedStepUp> {
    const opened = await this.#step<OpenedStepUp>(stepUpId, 'open', { locale, context });
    await assertShown(opened);
    return opened;
  }

  /** Asks for the passkey and signs with both keys what was opened. @throws LatchkeyProblem passkey_cancelled and others */
  async approve(opened: OpenedStepUp): Promise<CustomerStepUp> {
    const { challenge, stepUpId } = opened;
    const kept = this.#undecided?.challenge === challenge ? this.#undecided : undefined;
    const { approval } = (this.#undecided = kept ?? {
      challenge,
      approval: await this.#sign(opened),
    });
    try {
      const view = await this.#step<CustomerStepUp>(stepUpId, 'approve', approval);
      this.forget();
      return view;
    } catch (error) {
      if (!(error instanceof LatchkeyProblem) || !error.isUndecided) this.forget();
      throw error;
    }
  }

  submitCode(stepUpId: string, code: string): Promise<CustomerStepUp> {
    return this.#step<CustomerStepUp>(stepUpId, 'code', { code });
  }

  resendCode(stepUpId: string): Promise<CustomerStepUp> {
    return this.#step<CustomerStepUp>(stepUpId, 'resend-code', {});
  }

  /** `not_me`: somebody else asked for it, which the bank takes for fraud. */
  deny(stepUpId: string, reason: 'not_me' | 'declined'): Promise<CustomerStepUp> {
    return this.#step<CustomerStepUp>(stepUpId, 'deny', { reason });
  }

  /** The signed statement of the approval, as a file would hold it. @throws LatchkeyProblem receipt_pending and others */
  receipt(stepUpId: string): Promise<unknown> {
    return this.#options.call<unknown>({
      operation: 'getOwnReceipt',
      method: 'GET',
      path: `/auth/step-ups/${stepUpId}/receipt`,
    });
  }

  forget(): void {
    this.#undecided = undefined;
  }

  async #sign(opened: OpenedStepUp): Promise<Approval> {
    const { issuer, store, webauthn, nowMs } = this.#options;
    const { challenge, rpId, allowCredentials, stepUpId, approveBy } = opened;
    const assertion = await webauthn.get({
      challenge,
      rpId,
      // The platform's own type has a list of its own that may be changed.
      allowCredentials: allowCredentials.map(({ id, type }) => ({ id, type })),
      userVerification: 'required',
      timeout: Math.max(1_000, Date.parse(approveBy) - nowMs()),
    });
    const key = await deviceKey(store, 'approval-key');
    return {
      assertion,
      approvalSignature: await signApproval(key, { challenge, issuer, stepUpId }),
    };
  }

  #step<Answer>(stepUpId: string, step: Step, json: unknown): Promise<Answer> {
    const path = `/auth/step-ups/${stepUpId}/${step}`;
    return this.#options.call<Answer>({ operation: OPERATIONS[step], method: 'POST', path, json });
  }
}

type Step = keyof typeof OPERATIONS;

const OPERATIONS = {
  open: 'openStepUp',
  approve: 'approveStepUp',
  code: 'submitStepUpCode',
  'resend-code': 'resendStepUpCode',
  deny: 'denyStepUp',
} as const;

/** The customer has nothing left to do: he has answered, or it has ended. */
export function isAnswered({ status }: Pick<CustomerStepUp, 'status'>): boolean {
  return status !== 'pending' && status !== 'second_factor';
}
