/**
 * A phone without hands: the SDK over real HTTP, with a passkey authenticator and a store in software. It writes down every call and its
 * answer, so that a test can say under which key something was repeated and what the customer was told meanwhile.
 */
import { randomBytes } from 'node:crypto';
import { vi } from 'vitest';
import { createLatchkey } from '../../sdk/client.ts';
import type { Latchkey } from '../../sdk/client.ts';
import { LatchkeyProblem } from '../../sdk/problem.ts';
import type { EnrollmentState, EnrollmentView } from '../../sdk/types.ts';
import { SoftwareAuthenticator } from './authenticator.ts';
import { memoryStore } from './memory-store.ts';
import { SOMEBODY } from './somebody.ts';
import type { TestStack } from './stack.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
const DEVICE = { name: 'Test phone', platform: 'web' };

export interface PhoneCall {
  readonly method: string;
  /** Below the tenant: `/auth/login`. */
  readonly path: string;
  readonly idempotencyKey: string | undefined;
  /** 0: nothing was answered. */
  readonly status: number;
  readonly code: string | undefined;
  readonly retryAfter: string | undefined;
}

export interface SoftwarePhone {
  readonly latchkey: Latchkey;
  readonly number: string;
  readonly email: string;
  /** In the order of their answers. */
  readonly calls: readonly PhoneCall[];
  callsOf(path: string): readonly PhoneCall[];
}

export interface SoftwarePhoneOptions {
  /** Between two attempts of the SDK; its own pause when left out. */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

type Reachable = Pick<TestStack, 'issuer' | 'publicUrl'>;

export function createSoftwarePhone(
  stack: Reachable,
  options: SoftwarePhoneOptions = {},
): SoftwarePhone {
  const calls: PhoneCall[] = [];
  const authenticator = new SoftwareAuthenticator(stack.publicUrl);
  let alone: Promise<unknown> = Promise.resolve();
  const latchkey = createLatchkey({
    issuer: stack.issuer,
    clientId: 'demo-app',
    store: memoryStore(),
    fetch: (input, init) => writeDown(calls, stack, input, init),
    webauthn: {
      create: (creation) => Promise.resolve(authenticator.register(creation)),
      get: (request) => Promise.resolve(authenticator.authenticate(request)),
    },
    alone: (work) => {
      const mine = alone.then(work);
      alone = mine.catch(() => undefined);
      return mine;
    },
    tabs: { post: () => undefined, listen: () => undefined },
    ...(options.pause === undefined ? {} : { pause: options.pause }),
  });
  return {
    latchkey,
    calls,
    number: `+44772${String(randomBytes(4).readUInt32BE() % 10_000_000).padStart(7, '0')}`,
    email: `${randomBytes(6).toString('hex')}@example.test`,
    callsOf: (path) => calls.filter((call) => call.path.endsWith(path)),
  };
}

async function writeDown(
  calls: PhoneCall[],
  { issuer, publicUrl }: Reachable,
  input: Parameters<typeof fetch>[0],
  init: Parameters<typeof fetch>[1],
): Promise<Response> {
  const url = input instanceof Request ? input.url : input.toString();
  const headers = new Headers(init?.headers);
  const asked = {
    method: init?.method ?? 'GET',
    path: url.startsWith(issuer) ? url.slice(issuer.length) : new URL(url).pathname,
    idempotencyKey: headers.get('idempotency-key') ?? undefined,
  };
  // As a browser does of itself.
  headers.set('origin', publicUrl);
  try {
    const response = await fetch(input, { ...init, headers });
    const { code, error } = await problemMembers(response);
    const retryAfter = response.headers.get('retry-after') ?? undefined;
    calls.push({ ...asked, status: response.status, code: code ?? error, retryAfter });
    return response;
  } catch (error) {
    calls.push({ ...asked, status: 0, code: undefined, retryAfter: undefined });
    throw error;
  }
}

async function problemMembers(response: Response): Promise<{ code?: string; error?: string }> {
  if (response.ok) return {};
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  // A problem document or an OAuth error; anything else has neither member.
  return (body ?? {}) as { code?: string; error?: string };
}

/** What the SMS supplier or the mail server was given for an address, oldest first. */
export function messagesTo({ inbox }: Pick<TestStack, 'inbox'>, to: string): readonly string[] {
  return inbox
    .messages()
    .filter((message) => message.to === to)
    .map(({ text }) => text);
}

/** The code of the newest message, once there are `count`. */
export async function codeSentTo(
  stack: Pick<TestStack, 'inbox'>,
  to: string,
  count = 1,
): Promise<string> {
  return await vi.waitFor(() => {
    const codes = messagesTo(stack, to).flatMap((text) => /\b(\d{6})\b/.exec(text)?.[1] ?? []);
    const code = codes.at(-1);
    if (code === undefined || codes.length < count) throw new Error('no code has come');
    return code;
  }, PATIENCE);
}

/** Repeats the SDK's call until it is decided: the SDK keeps the key of what is not. */
export async function untilDecided<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof LatchkeyProblem) || !error.isUndecided) throw error;
    }
  }
}

/** Looks until the enrollment stands in a state. */
export async function reach(
  { latchkey }: SoftwarePhone,
  enrollmentId: string,
  state: EnrollmentState,
): Promise<EnrollmentView> {
  return await vi.waitFor(async () => {
    const view = await latchkey.enrollment.view(enrollmentId);
    if (view.state !== state) throw new Error(`${view.state} instead of ${state}`);
    return view;
  }, PATIENCE);
}

/** Begins an enrollment and waits until the code can be typed. */
export async function beginEnrollment(phone: SoftwarePhone): Promise<string> {
  const { latchkey, number } = phone;
  const { enrollmentId } = await untilDecided(() =>
    latchkey.enrollment.start({ phone: number, locale: 'en' }),
  );
  await reach(phone, enrollmentId, 'phone');
  return enrollmentId;
}

/** From the proved number to the end; what is paused on the way, because a part is just coming back, is asked again under its key. */
export async function finishEnrollment(
  stack: Pick<TestStack, 'inbox'>,
  phone: SoftwarePhone,
  enrollmentId: string,
): Promise<EnrollmentView> {
  const { email } = phone;
  const { enrollment } = phone.latchkey;
  const identity = { ...SOMEBODY, documentNumber: randomBytes(6).toString('hex') };
  await untilDecided(() => enrollment.submitIdentity(enrollmentId, identity));
  await reach(phone, enrollmentId, 'email');
  await untilDecided(() => enrollment.submitEmail(enrollmentId, email));
  const code = await codeSentTo(stack, email);
  await untilDecided(() => enrollment.submitEmailCode(enrollmentId, code));
  return await untilDecided(() => enrollment.createPasskey(enrollmentId, DEVICE));
}

/** A phone whose customer is enrolled, and who that is. */
export async function enrollPhone(
  stack: Reachable & Pick<TestStack, 'inbox'>,
  options: SoftwarePhoneOptions = {},
): Promise<SoftwarePhone & { readonly customerId: string; readonly enrollmentId: string }> {
  const phone = createSoftwarePhone(stack, options);
  const enrollmentId = await beginEnrollment(phone);
  const code = await codeSentTo(stack, phone.number);
  await phone.latchkey.enrollment.submitPhoneCode(enrollmentId, code);
  const { customerId, state, outcome } = await finishEnrollment(stack, phone, enrollmentId);
  if (customerId === undefined) throw new Error(`not enrolled: ${state}, ${outcome ?? 'open'}`);
  return { ...phone, customerId, enrollmentId };
}
