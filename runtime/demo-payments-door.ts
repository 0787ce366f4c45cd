/**
 * Where the bank's app sends payments: the verifier says whose request it is and that the session key signed this very body, then the payments service
 * decides. What needs the customer is refused as RFC 9470 says, with the step-up to answer. It must never pay for a request that it could not judge.
 */
import { importJWK } from 'jose';
import { DEMO_PAYMENTS_CLIENT } from '../db/bootstrap.ts';
import type { Clock } from '../domain/clock.ts';
import { createVerifier } from '../sdk/verifier/verifier.ts';
import type { ServiceRequest } from '../sdk/verifier/request.ts';
import type { VerifiedCaller, Verifier } from '../sdk/verifier/verifier.ts';
import { readOrder } from './demo-payment.ts';
import type { Payment } from './demo-payment.ts';
import type { DemoPayments } from './demo-payments-service.ts';
import { DEMO_PAYMENTS_KEY } from './demo-secrets.ts';
import { readObject } from './local-http.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';

const REQUIREMENT = { scope: 'payments:write', acrValues: ['latchkey:2'], signed: true } as const;
const KEPT_REQUESTS = 50;

/** A request as somebody on the line may have copied it. */
export interface CopiedRequest extends ServiceRequest {
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface PaymentsDoor {
  answer(request: LocalRequest): Promise<LocalAnswer>;
  /** Sends what was copied once more, as it was; undefined: nothing was. */
  replay(
    paymentId: string,
  ): Promise<{ readonly status: number; readonly code: string } | undefined>;
  /** From now on it knows of cut-offs; the door's own address is known once it listens. */
  open(): void;
  stop(): Promise<void>;
}

export async function openPaymentsDoor(options: {
  readonly issuer: string;
  /** Where the app reaches it: what proofs are made for. */
  readonly origin: () => string;
  readonly payments: DemoPayments;
  readonly clock: Clock;
}): Promise<PaymentsDoor> {
  const { issuer, origin, payments, clock } = options;
  const privateKey = await importJWK({ ...DEMO_PAYMENTS_KEY }, 'ES256');
  if (privateKey instanceof Uint8Array) throw new TypeError('an EC key is no bytes');
  const client = { clientId: DEMO_PAYMENTS_CLIENT, privateKey, keyId: DEMO_PAYMENTS_KEY.kid };
  let verifier: Verifier | undefined;
  const opened = (): Verifier =>
    (verifier ??= createVerifier({ issuer, origin: origin(), client, nowMs: () => clock.nowMs() }));
  const judge = (request: ServiceRequest) => opened().verify(request, REQUIREMENT);
  const copies = new Map<string, CopiedRequest>();
  return {
    answer: async ({ method, target, headersDistinct, body }) => {
      const request = { method, target, headers: headersDistinct, body: bytesOf(body) };
      const verdict = await judge(request);
      if (!verdict.ok) {
        const { status, headers, body: refusal } = verdict;
        return { status, headers, body: refusal };
      }
      const order = readOrder(readObject(body));
      if (order === undefined) return problem(422, 'invalid_request', 'That is no payment.');
      remember(copies, order.paymentId, request);
      const payment = await payments.order(payerOf(verdict.caller), order);
      if (payment === undefined)
        return problem(409, 'payment_differs', 'Another payment has that id.');
      return answerOf(payment);
    },
    replay: async (paymentId) => {
      const copy = copies.get(paymentId);
      if (copy === undefined) return undefined;
      const verdict = await judge(copy);
      return verdict.ok
        ? { status: 200, code: 'taken' }
        : { status: verdict.status, code: verdict.code };
    },
    open: () => {
      opened();
    },
    stop: async () => {
      await verifier?.close();
    },
  };
}

function answerOf(payment: Payment): LocalAnswer {
  const { status, stepUpId, required, code, paymentId } = payment;
  if (status === 'waiting' && stepUpId !== undefined && required !== undefined) {
    const title = 'This needs the customer’s approval.';
    const asked = `error="insufficient_user_authentication", error_description="${title.replace('’', "'")}", acr_values="${required}"`;
    return {
      ...problem(401, 'insufficient_user_authentication', title, {
        stepUpId,
        acrValues: required,
        paymentId,
      }),
      headers: {
        'content-type': 'application/problem+json',
        'www-authenticate': `DPoP ${asked}`,
      },
    };
  }
  if (status === 'refused')
    return problem(409, 'payment_refused', 'This payment is not made.', {
      reason: code,
      paymentId,
    });
  return { status: 200, body: payment };
}

function problem(
  status: number,
  code: string,
  title: string,
  extra: Readonly<Record<string, unknown>> = {},
): LocalAnswer {
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: { type: 'about:blank', title, status, code, ...extra },
  };
}

function payerOf({ customerId, sessionId, deviceId }: VerifiedCaller) {
  return { customerId, sessionId, deviceId };
}

function remember(
  copies: Map<string, CopiedRequest>,
  paymentId: string,
  request: CopiedRequest,
): void {
  copies.set(paymentId, request);
  const [oldest] = copies.keys();
  if (copies.size > KEPT_REQUESTS && oldest !== undefined) copies.delete(oldest);
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
