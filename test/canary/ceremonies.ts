/**
 * What people and machines do with a Latchkey while the canaries are in it: whole ceremonies with everything that goes wrong in them. Each
 * answers nothing; what it left behind is searched afterwards.
 */
import { randomBytes } from 'node:crypto';
import { expect, vi } from 'vitest';
import type postgres from 'postgres';
import { createDpop } from '../../sdk/dpop.ts';
import type { IdentityDetails } from '../../sdk/types.ts';
import { fraudEngine, restart, watchRevocation } from '../setup/faults.ts';
import { createSoftwarePhone, messagesTo, reach } from '../setup/software-phone.ts';
import type { SoftwarePhone } from '../setup/software-phone.ts';
import type { TestStack } from '../setup/stack.ts';
import type { Canary } from './needles.ts';
import { canariesOfPerson, makePerson } from './persons.ts';
import type { Wiretap } from './wiretap.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
const DEVICE = { name: 'Test phone', platform: 'web' };

export interface Scene {
  readonly stack: TestStack;
  /** The rows, as the superuser. */
  readonly rows: postgres.Sql;
  readonly wiretap: Wiretap;
  readonly canaries: Canary[];
}

export interface Actor extends SoftwarePhone {
  readonly person: IdentityDetails;
}

/** A phone in the hands of somebody new, all of whose details are planted. */
export function newActor({ stack, canaries }: Scene): Actor {
  const phone = createSoftwarePhone(stack, { pause: () => Promise.resolve() });
  const person = makePerson();
  canaries.push(
    { kind: 'phone', value: phone.number },
    { kind: 'email', value: phone.email },
    ...canariesOfPerson(person),
  );
  return { ...phone, person };
}

/** Ten digits, which no number of anything else is: the policy of the test asks for so many. */
async function newestCode({ stack, canaries }: Scene, to: string, count = 1): Promise<string> {
  return await vi.waitFor(() => {
    const codes = messagesTo(stack, to).flatMap((text) => /\b(\d{10})\b/.exec(text)?.[1] ?? []);
    const code = codes.at(-1);
    if (code === undefined || codes.length < count) throw new Error('no code has come');
    canaries.push({ kind: 'one-time code', value: code });
    return code;
  }, PATIENCE);
}

const wrong = (code: string): string => String((Number(code) + 1) % 10 ** 10).padStart(10, '0');

async function begin(scene: Scene, actor: Actor): Promise<string> {
  const { enrollmentId } = await actor.latchkey.enrollment.start({
    phone: actor.number,
    locale: 'en',
  });
  await reach(actor, enrollmentId, 'phone');
  return enrollmentId;
}

/** As if the cool-down of the newest code were over. */
async function endCoolDown({ rows }: Scene, enrollmentId: string): Promise<void> {
  await rows`update step_attempt set resend_after = created_at where ceremony_id = ${enrollmentId}`;
}

async function refused(call: Promise<unknown>, code: string): Promise<void> {
  await expect(call).rejects.toMatchObject({ code });
}

/** To the end, with a wrong code and another one at each step. Answers the customer's id. */
export async function enroll(scene: Scene, actor: Actor): Promise<string> {
  const { enrollment } = actor.latchkey;
  const id = await begin(scene, actor);
  const first = await newestCode(scene, actor.number);
  await refused(enrollment.submitPhoneCode(id, wrong(first)), 'wrong_code');
  await refused(enrollment.resendPhoneCode(id), 'resend_too_soon');
  await endCoolDown(scene, id);
  await enrollment.resendPhoneCode(id);
  await enrollment.submitPhoneCode(id, await newestCode(scene, actor.number, 2));
  await enrollment.submitIdentity(id, actor.person);
  await reach(actor, id, 'email');
  await refused(
    enrollment.submitEmail(id, `${actor.email} ${actor.person.givenName}`),
    'email_invalid',
  );
  await enrollment.submitEmail(id, actor.email);
  const mailed = await newestCode(scene, actor.email);
  await refused(enrollment.submitEmailCode(id, wrong(mailed)), 'wrong_code');
  await endCoolDown(scene, id);
  await enrollment.resendEmailCode(id);
  await enrollment.submitEmailCode(id, await newestCode(scene, actor.email, 2));
  const { customerId } = await enrollment.createPasskey(id, DEVICE);
  if (customerId === undefined) throw new Error('not enrolled');
  return customerId;
}

/** The supplier of identity checks refuses. */
export async function enrollRefused(scene: Scene): Promise<void> {
  const actor = newActor(scene);
  scene.stack.identityVendor.setBehaviour('refuses');
  const id = await begin(scene, actor);
  await actor.latchkey.enrollment.submitPhoneCode(id, await newestCode(scene, actor.number));
  await actor.latchkey.enrollment.submitIdentity(id, actor.person);
  await reach(actor, id, 'ended');
  scene.stack.identityVendor.setBehaviour('normal');
}

export async function enrollCancelled(scene: Scene): Promise<void> {
  const actor = newActor(scene);
  const id = await begin(scene, actor);
  await actor.latchkey.enrollment.submitPhoneCode(id, await newestCode(scene, actor.number));
  await actor.latchkey.enrollment.cancel(id);
  await reach(actor, id, 'ended');
}

export async function enrollExhausted(scene: Scene): Promise<void> {
  const actor = newActor(scene);
  const id = await begin(scene, actor);
  const code = await newestCode(scene, actor.number);
  for (let left = 4; left > 0; left -= 1)
    await refused(actor.latchkey.enrollment.submitPhoneCode(id, wrong(code)), 'wrong_code');
  await refused(actor.latchkey.enrollment.submitPhoneCode(id, wrong(code)), 'attempts_exhausted');
  await reach(actor, id, 'ended');
}

/** Somebody who is known already, by his number and then by his person and his address. */
export async function enrollAgain(scene: Scene, known: Actor): Promise<void> {
  const sameNumber = { ...newActor(scene), number: known.number };
  const id = await begin(scene, sameNumber);
  await sameNumber.latchkey.enrollment.submitPhoneCode(
    id,
    await newestCode(scene, known.number, 3),
  );
  await reach(sameNumber, id, 'ended');

  const samePerson = newActor(scene);
  const other = await begin(scene, samePerson);
  await samePerson.latchkey.enrollment.submitPhoneCode(
    other,
    await newestCode(scene, samePerson.number),
  );
  await samePerson.latchkey.enrollment.submitIdentity(other, known.person);
  await reach(samePerson, other, 'ended');
}

/** Login, calls, refreshes of every kind, the bank behind its gateway, logout; ends logged in. */
export async function useSession(scene: Scene, actor: Actor): Promise<void> {
  const { stack, wiretap } = scene;
  const { latchkey } = actor;
  await latchkey.logIn();
  await latchkey.me();
  await latchkey.sessions();
  await registerPush(scene, actor);
  await latchkey.callService('bank', `${stack.stageControl.url}/bank/accounts`);
  await latchkey.session.refresh();
  const lost = stack.proxy?.loseNextAnswer(({ path }) => path.endsWith('/oauth/token'));
  await latchkey.session.refresh();
  await lost;
  const tokens = wiretap.canaries.filter(({ kind }) => kind === 'refresh token');
  // The one before the last is superseded, the first is reuse: the family ends.
  for (const token of [tokens.at(-2), tokens.at(0)]) await refreshWith(actor, stack, token?.value);
  await latchkey.logIn();
  await latchkey.logOut('this');
  await latchkey.logIn();
}

/** Where his phone is told that something waits: worth as much as a number. */
async function registerPush({ canaries }: Scene, { latchkey }: Actor): Promise<void> {
  const token = randomBytes(32).toString('hex');
  canaries.push({ kind: 'push token', value: token });
  await latchkey.registerPush({ platform: 'apns', token });
}

async function refreshWith(
  { latchkey }: Actor,
  { issuer }: TestStack,
  token: Canary['value'] | undefined,
): Promise<void> {
  const dpop = createDpop({
    sessionKey: () => latchkey.sessionKey(),
    nowMs: () => Date.now(),
    fetch: (input, init) => fetch(input, init),
  });
  const answer = await dpop.send({
    method: 'POST',
    url: `${issuer}/oauth/token`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'demo-app',
      refresh_token: String(token),
      request_id: crypto.randomUUID(),
    }).toString(),
  });
  expect(answer.status).toBe(400);
}

/** Cut off, refused, released, back again; the receipt and the audit trail are read. */
export async function cutOff(scene: Scene, actor: Actor, customerId: string): Promise<void> {
  const engine = fraudEngine(scene.stack);
  const answer = await engine.call({
    method: 'POST',
    path: '/fraud/signals',
    body: { customerId, reason: 'account_takeover' },
  });
  // The schema of the operation says so.
  const { revocationId } = (await answer.json()) as { revocationId: string };
  await refused(actor.latchkey.me(), 'customer_on_hold');
  await refused(actor.latchkey.logIn(), 'customer_on_hold');
  await watchRevocation(engine, revocationId);
  await engine.call({
    method: 'POST',
    path: '/fraud/releases',
    body: { customerId, reason: 'customer_verified' },
  });
  // A challenge from within the clocks' skew after the cut-off is refused still.
  await vi.waitFor(() => actor.latchkey.logIn(), PATIENCE);
}

/** Steps while the worker, Temporal and PostgreSQL are away in turn: the errors of every layer. */
export async function outages(scene: Scene): Promise<void> {
  const { stack } = scene;
  const actor = newActor(scene);
  const { enrollment } = actor.latchkey;
  const id = await begin(scene, actor);
  const code = await newestCode(scene, actor.number);

  await stack.worker().kill();
  await refused(enrollment.submitPhoneCode(id, code), 'outcome_pending');
  await restart(stack, 'worker');
  await vi.waitFor(() => enrollment.submitPhoneCode(id, code), PATIENCE);

  await stack.killTemporal();
  await expect(enrollment.submitIdentity(id, actor.person)).rejects.toMatchObject({ status: 503 });
  const late = newActor(scene);
  const start = () => late.latchkey.enrollment.start({ phone: late.number, locale: 'en' });
  await refused(start(), 'temporal_unavailable');
  await stack.startTemporal();
  await vi.waitFor(() => enrollment.submitIdentity(id, actor.person), PATIENCE);
  await reach(actor, id, 'email');

  await stack.killPostgres();
  await refused(enrollment.submitEmail(id, actor.email), 'database_unavailable');
  await refused(start(), 'database_unavailable');
  await stack.startPostgres();
  await vi.waitFor(() => enrollment.submitEmail(id, actor.email), PATIENCE);
  await vi.waitFor(start, PATIENCE);
}
