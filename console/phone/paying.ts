/**
 * A payment from the phone: one order with an id of its own, signed by the session key, sent again as it was until the bank has said paid or refused.
 * What needs the customer is shown as a step-up in between. It must never make a second payment of one order.
 */
import type { Latchkey } from '../../sdk/client.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import { stepUpChallengeOf } from '../../sdk/step-up-challenge.ts';
import { isAnswered } from '../../sdk/step-up.ts';
import type { CustomerStepUp } from '../../sdk/types.ts';
import { isMembers, textOr } from './members.ts';
import type { PhoneCore } from './phone-core.ts';
import type { PaymentDraft, ShownPayment } from './phone-state.ts';

const LOOK_AGAIN_MS = 1_200;

export interface PayingOptions {
  readonly core: PhoneCore;
  readonly latchkey: Latchkey;
  readonly paymentsUrl: string;
  readonly showStepUp: (stepUpId: string) => Promise<void>;
}

export class Paying {
  readonly #options: PayingOptions;
  #looking: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PayingOptions) {
    this.#options = options;
  }

  /** The form, with what the story proposes. */
  begin(change: Partial<PaymentDraft> = {}): void {
    const { core } = this.#options;
    this.forget();
    core.set({
      homeView: 'pay',
      draft: { ...core.state().draft, ...change },
      problem: undefined,
      notice: undefined,
    });
  }

  edit(change: Partial<PaymentDraft>): void {
    const { core } = this.#options;
    core.set({ draft: { ...core.state().draft, ...change }, problem: undefined });
  }

  async send(): Promise<void> {
    const { core } = this.#options;
    const { draft } = core.state();
    const payment: ShownPayment = {
      order: { ...draft, amount: amountOf(draft.amount), paymentId: crypto.randomUUID() },
      status: 'sending',
    };
    if (core.state().busy !== undefined) return;
    // A repeat of this action is a repeat of this payment.
    core.set({ payment });
    await core.run('pay', () => this.#ask());
    if (core.state().payment?.status === 'sending') core.set({ payment: undefined });
  }

  /** The step-up of this payment has moved. */
  follow(stepUp: CustomerStepUp): void {
    const { payment } = this.#options.core.state();
    if (payment?.stepUpId === stepUp.stepUpId && isAnswered(stepUp)) this.#lookAgain();
  }

  async showReceipt(stepUpId: string): Promise<void> {
    const { core, latchkey } = this.#options;
    await core.run('receipt', async () => {
      core.set({ receipt: { file: await latchkey.stepUps.receipt(stepUpId) } });
    });
  }

  async checkReceipt(): Promise<void> {
    const { core, latchkey } = this.#options;
    await core.run('check', async () => {
      const { receipt } = core.state();
      if (receipt === undefined) return;
      const verification = await latchkey.checkReceipt(receipt.file);
      core.set({ receipt: { ...receipt, verification } });
    });
  }

  hideReceipt(): void {
    this.#options.core.set({ receipt: undefined });
  }

  /** Back to the accounts. */
  leave(): void {
    this.forget();
    this.#options.core.set({ homeView: 'overview' });
  }

  forget(): void {
    clearTimeout(this.#looking);
    this.#options.core.set({ payment: undefined, receipt: undefined });
  }

  #lookAgain(): void {
    clearTimeout(this.#looking);
    const { core } = this.#options;
    const isOpen = () => {
      const status = core.state().payment?.status;
      return status === 'waiting' || status === 'approved';
    };
    if (!isOpen()) return;
    void this.#ask()
      .catch((error: unknown) => {
        if (!(error instanceof LatchkeyProblem)) throw error;
      })
      .finally(() => {
        if (isOpen()) this.#looking = setTimeout(() => this.#lookAgain(), LOOK_AGAIN_MS);
      });
  }

  async #ask(): Promise<void> {
    const { core, latchkey, paymentsUrl, showStepUp } = this.#options;
    const { payment } = core.state();
    if (payment === undefined) return;
    try {
      const answer = await latchkey.callService('pay', paymentsUrl, payment.order);
      this.#become(payment, answer);
    } catch (error) {
      const challenge = stepUpChallengeOf(error);
      if (challenge !== undefined) {
        const { stepUpId } = challenge;
        const isNew = payment.stepUpId === undefined;
        if (!this.#change(payment, { status: 'waiting', stepUpId })) return;
        if (isNew) await showStepUp(stepUpId);
        return;
      }
      if (!(error instanceof LatchkeyProblem) || error.code !== 'payment_refused') throw error;
      const { reason } = error.extra;
      this.#change(payment, { status: 'refused', reason: textOr(reason, 'unknown') });
    }
  }

  #become(payment: ShownPayment, answer: unknown): void {
    const { status, paidAt, acr, usableAt } = isMembers(answer) ? answer : {};
    if (status !== 'paid' && status !== 'approved') return;
    this.#change(payment, {
      status,
      ...(typeof paidAt === 'string' ? { paidAt } : {}),
      ...(typeof acr === 'string' ? { acr } : {}),
      ...(typeof usableAt === 'string' ? { usableAt } : {}),
    });
  }

  /** What was left meanwhile stays left; false: it was. */
  #change({ order }: ShownPayment, change: Partial<ShownPayment>): boolean {
    const { core } = this.#options;
    const { payment } = core.state();
    if (payment?.order.paymentId !== order.paymentId) return false;
    core.set({ payment: { ...payment, ...change } });
    return true;
  }
}

/** `40,000` and `40000.5` as a decimal string; what is none stays as it is, for the bank to refuse. */
function amountOf(typed: string): string {
  return typed.replaceAll(/[,\s]/g, '');
}
