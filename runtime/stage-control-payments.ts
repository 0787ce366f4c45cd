/**
 * The payments desk of the stage: the demo bank's payments service with the buttons of somebody who tampers with it. Each button does what a thief or a
 * broken program would do, by the same doors; none can do more.
 */
import { DEMO_PAYMENTS_CLIENT } from '../db/bootstrap.ts';
import type { Clock } from '../domain/clock.ts';
import { DemoPayments } from './demo-payments-service.ts';
import { openPaymentsDoor } from './demo-payments-door.ts';
import type { PaymentsDoor } from './demo-payments-door.ts';
import { createRequester } from './demo-requester.ts';
import { createDemoWorkflows } from './demo-workflows.ts';
import type { DemoWorkflows } from './demo-workflows.ts';
import { DEMO_PAYMENTS_KEY } from './demo-secrets.ts';
import { readObject } from './local-http.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';
import { MachineClient } from './machine-client.ts';

const SCOPE = 'step-ups:payment step-ups:add-payee';

export interface PaymentsDesk {
  /** undefined: it is no request about payments. */
  answer(request: LocalRequest): Promise<LocalAnswer | undefined>;
  /** Once the stage's control listens. */
  open(): void;
  startOver(): void;
  stop(): Promise<void>;
}

interface Desk {
  readonly payments: DemoPayments;
  readonly door: PaymentsDoor;
  /** undefined: there is no Temporal of the demo's. */
  readonly workflows: DemoWorkflows | undefined;
}

type Members = Readonly<Record<string, unknown>>;
type Button = (desk: Desk, asked: Members, customerId: string) => Promise<LocalAnswer>;

export async function openPaymentsDesk(options: {
  readonly issuer: string;
  readonly origin: () => string;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  readonly temporal: { readonly address: string; readonly namespace: string } | undefined;
}): Promise<PaymentsDesk> {
  const { issuer, clock, onError } = options;
  const client = new MachineClient({
    issuer,
    clientId: DEMO_PAYMENTS_CLIENT,
    key: DEMO_PAYMENTS_KEY,
    scope: SCOPE,
    clock,
  });
  const requester = createRequester(client);
  const payments = new DemoPayments({ requester, clock, onError });
  const { temporal } = options;
  const desk: Desk = {
    payments,
    door: await openPaymentsDoor({ ...options, payments }),
    workflows:
      temporal === undefined
        ? undefined
        : createDemoWorkflows({ ...temporal, issuer, requester, clock }),
  };
  return {
    answer: (request) => answer(desk, request),
    open: () => {
      desk.door.open();
    },
    startOver: () => {
      payments.hold(false);
    },
    stop: async () => {
      payments.stop();
      await desk.workflows?.stop();
      await desk.door.stop();
    },
  };
}

async function answer(desk: Desk, request: LocalRequest): Promise<LocalAnswer | undefined> {
  const { method, url, body } = request;
  if (method === 'POST' && url.pathname === '/bank/payments')
    return await desk.door.answer(request);
  if (method === 'GET' && url.pathname === '/payments')
    return await described(desk, url.searchParams.get('customerId') ?? '');
  const button = method === 'POST' ? BUTTONS[url.pathname] : undefined;
  if (button === undefined) return undefined;
  const asked = readObject(body);
  const customerId = asked?.['customerId'];
  if (asked === undefined || typeof customerId !== 'string')
    return { status: 400, body: { error: 'malformed' } };
  return await button(desk, asked, customerId);
}

const BUTTONS: Readonly<Record<string, Button | undefined>> = {
  '/payments/hold': (desk, { isHeld }, customerId) => {
    desk.payments.hold(isHeld === true);
    return described(desk, customerId);
  },
  '/payments/execute': async (desk, asked, customerId) => {
    const { paymentId, amount } = asked;
    if (typeof paymentId !== 'string') return { status: 400, body: { error: 'malformed' } };
    const done = await desk.payments.execute(customerId, {
      paymentId,
      ...(typeof amount === 'string' ? { amount } : {}),
    });
    return done === undefined ? NO_SUCH : described(desk, customerId);
  },
  '/payments/replay': async (desk, { paymentId }, customerId) => {
    if (typeof paymentId !== 'string') return { status: 400, body: { error: 'malformed' } };
    const request = await desk.door.replay(paymentId);
    const again = await desk.payments.useAgain(customerId, paymentId);
    if (request === undefined || again === undefined) return NO_SUCH;
    return described(desk, customerId, { replay: { request, approval: again } });
  },
  '/payments/workflow': async (desk, _asked, customerId) => {
    if (desk.workflows === undefined) return NO_WORKFLOWS;
    await desk.workflows.pay(customerId);
    return described(desk, customerId);
  },
  '/payments/reset': async (desk, _asked, customerId) => {
    await desk.payments.reset(customerId);
    desk.workflows?.forget(customerId);
    return described(desk, customerId);
  },
};

const NO_WORKFLOWS: LocalAnswer = { status: 409, body: { error: 'no_temporal_of_its_own' } };
const NO_SUCH: LocalAnswer = { status: 404, body: { error: 'no_such_payment' } };

async function described(
  { payments, workflows }: Desk,
  customerId: string,
  more: Members = {},
): Promise<LocalAnswer> {
  const workflow = await workflows?.of(customerId);
  const standing = { isHeld: payments.isHeld(), payments: payments.of(customerId), workflow };
  return { status: 200, body: { ...standing, ...more } };
}
