/**
 * The demo bank's payments: small ones at once, larger ones after Latchkey says that the customer approved exactly this. It uses an approval once, and
 * pays only on that answer; whatever else it hears is no payment. Its books live as long as the process.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../domain/clock.ts';
import { actionOf, isSameOrder } from './demo-payment.ts';
import type { Payment, PaymentOrder } from './demo-payment.ts';
import type { Requester, RequesterAnswer } from './demo-requester.ts';

/** Of one customer; older ones are forgotten. */
const KEPT = 20;
const DELAYED = 'step_up_delayed';

export interface Payer {
  readonly customerId: string;
  readonly sessionId: string;
  readonly deviceId: string | undefined;
}

export interface DemoPaymentsOptions {
  readonly requester: Requester;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

export class DemoPayments {
  readonly #options: DemoPaymentsOptions;
  readonly #books = new Map<string, Payment[]>();
  readonly #orders = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  /** Whether an approved payment waits until somebody at the desk carries it out. */
  #isHeld = false;

  constructor(options: DemoPaymentsOptions) {
    this.#options = options;
  }

  isHeld(): boolean {
    return this.#isHeld;
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  /** The youngest first. */
  of(customerId: string): readonly Payment[] {
    return this.#books.get(customerId) ?? [];
  }

  /** The same order again answers how it stands; undefined: another payment has that id. */
  async order(payer: Payer, order: PaymentOrder): Promise<Payment | undefined> {
    const known = this.#find(payer.customerId, order.paymentId);
    if (known !== undefined && !isSameOrder(known, order)) return undefined;
    const key = `${payer.customerId} ${order.paymentId}`;
    const standing = this.#orders.get(key);
    if (standing !== undefined) await standing;
    else await this.#begin(key, payer, order);
    return this.#find(payer.customerId, order.paymentId);
  }

  /** Carries an approved payment out, for `amount` when somebody at the desk changes it. */
  async execute(
    customerId: string,
    { paymentId, amount }: { readonly paymentId: string; readonly amount?: string },
  ): Promise<RequesterAnswer | undefined> {
    const payment = this.#find(customerId, paymentId);
    if (payment?.stepUpId === undefined) return undefined;
    const carried = amount === undefined ? payment : { ...payment, amount };
    const key = `consume-${paymentId}-${carried.amount}`;
    const { requester } = this.#options;
    const answer = await requester.consume(payment.stepUpId, actionOf(carried), key);
    this.#record(payment, carried.amount, answer);
    return answer;
  }

  /** What a second payment under the same approval would be: the old answer, told as that, and no money. */
  async useAgain(
    customerId: string,
    paymentId: string,
  ): Promise<{ readonly code: string; readonly usedAt?: string } | undefined> {
    const payment = this.#find(customerId, paymentId);
    if (payment?.stepUpId === undefined) return undefined;
    const { requester } = this.#options;
    const action = actionOf(payment);
    const { status, body } = await requester.consume(payment.stepUpId, action, randomUUID());
    const isRepeat = status === 200 && body['isRepeat'] === true;
    const code = isRepeat ? 'used_before' : codeOf(body);
    const tried = { at: this.#now(), what: 'refused', amount: payment.amount, code } as const;
    this.#change(payment, { tries: [...payment.tries, tried] });
    const usedAt = body['consumedAt'];
    return { code, ...(typeof usedAt === 'string' ? { usedAt } : {}) };
  }

  /** Ends what waits, at Latchkey too. */
  async reset(customerId: string): Promise<void> {
    const open = this.of(customerId).filter(
      ({ status }) => status !== 'paid' && status !== 'refused',
    );
    this.#books.delete(customerId);
    for (const { paymentId, stepUpId } of open) {
      this.#orders.delete(`${customerId} ${paymentId}`);
      if (stepUpId !== undefined) await this.#options.requester.cancel(stepUpId);
    }
  }

  stop(): void {
    this.#closing.abort();
  }

  async #begin(key: string, payer: Payer, order: PaymentOrder): Promise<void> {
    const begun = this.#ask(payer, order);
    this.#orders.set(key, begun);
    try {
      await begun;
    } catch (error) {
      // Latchkey could not be asked: the same order asks again, under the same key.
      this.#orders.delete(key);
      throw error;
    }
  }

  async #ask(payer: Payer, order: PaymentOrder): Promise<void> {
    const { customerId, sessionId, deviceId } = payer;
    const createdAt = this.#now();
    const payment: Payment = { ...order, customerId, status: 'deciding', createdAt, tries: [] };
    this.#put(payment);
    const { status, body } = await this.#options.requester.ask(
      {
        customerId,
        sessionId,
        ...(deviceId === undefined ? {} : { deviceId }),
        action: actionOf(order),
        reference: order.paymentId,
        locale: 'en',
      },
      `ask-${order.paymentId}`,
    );
    if (status === 200 && body['status'] === 'not_required') {
      this.#change(payment, { status: 'paid', paidAt: this.#now() });
      return;
    }
    const stepUpId = body['stepUpId'];
    if (status !== 201 || typeof stepUpId !== 'string') {
      this.#change(payment, { status: 'refused', code: codeOf(body) });
      return;
    }
    this.#change(payment, { status: 'waiting', stepUpId, required: String(body['required']) });
    this.#follow(payment, stepUpId).catch(this.#options.onError);
  }

  async #follow(payment: Payment, stepUpId: string): Promise<void> {
    const answer = await this.#options.requester.answered(stepUpId, this.#closing.signal);
    const { customerId, paymentId } = payment;
    if (answer === undefined || this.#find(customerId, paymentId)?.stepUpId !== stepUpId) return;
    if (answer.status !== 200 || answer.body['status'] !== 'approved') {
      this.#change(payment, { status: 'refused', code: reasonOf(answer) });
      return;
    }
    this.#change(payment, { status: 'approved' });
    if (!this.#isHeld) await this.#carryOut(payment);
  }

  /** At once, or as soon as Latchkey lets it be used. */
  async #carryOut({ customerId, paymentId }: Payment): Promise<void> {
    for (;;) {
      const answer = await this.execute(customerId, { paymentId });
      const seconds = answer?.body['code'] === DELAYED ? answer.retryAfterSeconds : undefined;
      if (seconds === undefined || this.#closing.signal.aborted) return;
      await pause(seconds * 1_000, undefined, { ref: false });
    }
  }

  #record({ customerId, paymentId }: Payment, amount: string, answer: RequesterAnswer): void {
    const payment = this.#find(customerId, paymentId);
    const { status, body, retryAfterSeconds } = answer;
    if (payment === undefined) return;
    const at = this.#now();
    if (body['code'] === DELAYED) {
      const usableAtMs = this.#options.clock.nowMs() + (retryAfterSeconds ?? 0) * 1_000;
      this.#change(payment, { usableAt: new Date(usableAtMs).toISOString() });
      return;
    }
    if (status !== 200) {
      const tried = { at, amount, what: 'refused', code: codeOf(body) } as const;
      this.#change(payment, { tries: [...payment.tries, tried] });
      return;
    }
    this.#change(payment, {
      tries: [...payment.tries, { at, amount, what: 'paid' }],
      status: 'paid',
      paidAt: at,
      acr: String(body['acr']),
    });
  }

  #find(customerId: string, paymentId: string): Payment | undefined {
    return this.of(customerId).find((payment) => payment.paymentId === paymentId);
  }

  #put(payment: Payment): void {
    const others = this.of(payment.customerId).filter(
      ({ paymentId }) => paymentId !== payment.paymentId,
    );
    this.#books.set(payment.customerId, [payment, ...others].slice(0, KEPT));
  }

  /** What was forgotten meanwhile stays so. */
  #change({ customerId, paymentId }: Payment, change: Partial<Payment>): void {
    const payments = this.#books.get(customerId) ?? [];
    const at = payments.findIndex((payment) => payment.paymentId === paymentId);
    const before = payments[at];
    if (before !== undefined) payments[at] = { ...before, ...change };
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString();
  }
}

function codeOf(body: RequesterAnswer['body']): string {
  const { code } = body;
  return typeof code === 'string' ? code : 'no_answer';
}

/** How a step-up ended, as one word. */
function reasonOf({ status, body }: RequesterAnswer): string {
  if (status !== 200) return codeOf(body);
  const { reason } = body;
  return typeof reason === 'string' ? reason : String(body['status']);
}
