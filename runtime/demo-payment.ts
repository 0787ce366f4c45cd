/** A payment of the demo bank: what was ordered, the action that a customer approves for it, and what was tried. Pure. */
import { isRecord } from './local-http.ts';

export interface PaymentOrder {
  /** Chosen by the app: the same one is the same payment. */
  readonly paymentId: string;
  readonly amount: string;
  readonly currency: string;
  readonly payee: string;
  readonly account: string;
  readonly reference: string;
}

/** deciding: Latchkey is being asked. approved: not carried out yet. */
export type PaymentStatus = 'deciding' | 'waiting' | 'approved' | 'paid' | 'refused';

/** How carrying it out went, once a try. */
export interface PaymentTry {
  readonly at: string;
  readonly what: 'paid' | 'refused';
  readonly amount: string;
  /** The code of the refusal. */
  readonly code?: string;
}

export interface Payment extends PaymentOrder {
  readonly customerId: string;
  readonly status: PaymentStatus;
  readonly stepUpId?: string;
  readonly required?: string;
  /** Why it was refused. */
  readonly code?: string;
  /** Approved, but Latchkey lets it be used only then. */
  readonly usableAt?: string;
  readonly acr?: string;
  readonly createdAt: string;
  readonly paidAt?: string;
  readonly tries: readonly PaymentTry[];
}

const LENGTHS: Readonly<Record<keyof PaymentOrder, number>> = {
  paymentId: 64,
  amount: 20,
  currency: 3,
  payee: 70,
  account: 40,
  reference: 40,
};

/** undefined when it is none. What of it makes sense is Latchkey's to say, before anybody sees it. */
export function readOrder(value: unknown): PaymentOrder | undefined {
  if (!isRecord(value)) return undefined;
  const text = (name: keyof PaymentOrder) => {
    const member = value[name];
    return typeof member === 'string' && member.length <= LENGTHS[name] ? member : '';
  };
  const order: PaymentOrder = {
    paymentId: text('paymentId'),
    amount: text('amount'),
    currency: text('currency'),
    payee: text('payee'),
    account: text('account'),
    reference: text('reference'),
  };
  return Object.values(order).includes('') ? undefined : order;
}

/** What the customer approves, and what is shown again when it is used. */
export function actionOf({ amount, currency, payee, account, reference }: PaymentOrder) {
  return { type: 'payment', amount, currency, payee: { name: payee, account }, reference };
}

export function isSameOrder(a: PaymentOrder, b: PaymentOrder): boolean {
  return (
    JSON.stringify({ id: a.paymentId, ...actionOf(a) }) ===
    JSON.stringify({ id: b.paymentId, ...actionOf(b) })
  );
}
