/** The payments desk as stage control tells of it. What it sends is checked here. */
import { isMembers, numberOf, optionalText } from './control-call.ts';
import type { Members } from './control-call.ts';

const STATUSES = ['deciding', 'waiting', 'approved', 'paid', 'refused'] as const;
export type PaymentStatus = (typeof STATUSES)[number];

export interface PaymentTry {
  readonly at: string;
  readonly what: 'paid' | 'refused';
  readonly amount: string;
  readonly code: string | undefined;
}

export interface PaymentView {
  readonly paymentId: string;
  readonly amount: string;
  readonly currency: string;
  readonly payee: string;
  readonly status: PaymentStatus;
  readonly stepUpId: string | undefined;
  readonly code: string | undefined;
  readonly createdAt: string;
  readonly tries: readonly PaymentTry[];
}

/** A payment that a workflow of the bank makes. */
export interface WorkflowView {
  readonly workflowId: string;
  /** The bank's own. */
  readonly namespace: string;
  readonly status: 'running' | 'completed' | 'failed';
}

export interface PaymentsView {
  readonly isHeld: boolean;
  /** The youngest first. */
  readonly payments: readonly PaymentView[];
  /** How the copied request was answered when it came again. */
  readonly replayed: { readonly status: number; readonly code: string } | undefined;
  readonly workflow: WorkflowView | undefined;
}

export function readPayments(value: unknown): PaymentsView {
  const { isHeld, payments, replay, workflow } = membersOf(value);
  const { request } = membersOf(replay);
  const { status, code } = membersOf(request);
  return {
    isHeld: isHeld === true,
    payments: Array.isArray(payments) ? payments.flatMap(readPayment) : [],
    replayed: typeof code === 'string' ? { code, status: numberOf(status) ?? 0 } : undefined,
    workflow: readWorkflow(workflow),
  };
}

/**
 * What is known after an answer. How a copy was answered is told once, by the button that sent it: it is kept, and taken even from an answer that a
 * younger question has overtaken.
 */
export function viewAfter(
  before: PaymentsView | undefined,
  answer: PaymentsView,
  isOvertaken: boolean,
): PaymentsView | undefined {
  const replayed = answer.replayed ?? before?.replayed;
  if (!isOvertaken) return { ...answer, replayed };
  return before === undefined ? undefined : { ...before, replayed };
}

function readPayment(value: unknown): PaymentView[] {
  const members = membersOf(value);
  const text = (name: string) => optionalText(members[name]) ?? '';
  const status = STATUSES.find((known) => known === members['status']);
  if (status === undefined || text('paymentId') === '') return [];
  const { tries } = members;
  return [
    {
      paymentId: text('paymentId'),
      amount: text('amount'),
      currency: text('currency'),
      payee: text('payee'),
      status,
      stepUpId: optionalText(members['stepUpId']),
      code: optionalText(members['code']),
      createdAt: text('createdAt'),
      tries: Array.isArray(tries) ? tries.flatMap(readTry) : [],
    },
  ];
}

function readTry(value: unknown): PaymentTry[] {
  const { at, what, amount, code } = membersOf(value);
  if (typeof at !== 'string' || typeof amount !== 'string') return [];
  return [{ at, amount, what: what === 'paid' ? 'paid' : 'refused', code: optionalText(code) }];
}

function readWorkflow(value: unknown): WorkflowView | undefined {
  const { workflowId, namespace, status } = membersOf(value);
  if (typeof workflowId !== 'string' || typeof namespace !== 'string') return undefined;
  const known = status === 'completed' || status === 'failed' ? status : 'running';
  return { workflowId, namespace, status: known };
}

function membersOf(value: unknown): Members {
  return isMembers(value) ? value : {};
}
