/**
 * Brings every operation to its success, by the real clients through the proxy, and then each to the refusals that it documents, by sending what
 * succeeded once more with one thing wrong.
 */
import { expect, vi } from 'vitest';
import type postgres from 'postgres';
import { systemClock } from '../../adapters/clock.ts';
import { DEMO_BANK_KEY, DEMO_FRAUD_KEY } from '../../runtime/demo-secrets.ts';
import { MachineClient } from '../../runtime/machine-client.ts';
import { insertDevice } from '../setup/customer.ts';
import { watchRevocation } from '../setup/faults.ts';
import {
  beginEnrollment,
  codeSentTo,
  createSoftwarePhone,
  enrollPhone,
  reach,
} from '../setup/software-phone.ts';
import { SOMEBODY } from '../setup/somebody.ts';
import type { TestStack } from '../setup/stack.ts';
import type { Operations, Place } from './operations.ts';
import { SIGN_HEADER } from './signing-proxy.ts';
import type { Exchange, SigningProxy } from './signing-proxy.ts';
import { freezeAndReport } from './walk-freezes.ts';
import { recoverByPhone } from './walk-own-recoveries.ts';
import { answerStepUps } from './walk-step-ups.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };

/** Every success of the public door. */
export async function succeedEverywhere(stack: TestStack, rows: postgres.Sql): Promise<void> {
  const phone = createSoftwarePhone(stack);
  const { enrollment } = phone.latchkey;
  const id = await beginEnrollment(phone);
  await codeSentTo(stack, phone.number);
  const endCoolDown = () =>
    rows`update step_attempt set resend_after = created_at where ceremony_id = ${id}`;
  await endCoolDown();
  await enrollment.resendPhoneCode(id);
  await enrollment.submitPhoneCode(id, await codeSentTo(stack, phone.number, 2));
  await enrollment.submitIdentity(id, { ...SOMEBODY, documentNumber: 'WALK4711' });
  await reach(phone, id, 'email');
  await enrollment.submitEmail(id, phone.email);
  await codeSentTo(stack, phone.email);
  await endCoolDown();
  await enrollment.resendEmailCode(id);
  await enrollment.submitEmailCode(id, await codeSentTo(stack, phone.email, 2));
  const { customerId } = await enrollment.createPasskey(id, { name: 'Walk', platform: 'web' });

  const other = createSoftwarePhone(stack);
  await other.latchkey.enrollment.cancel(await beginEnrollment(other));

  await phone.latchkey.logIn();
  await phone.latchkey.me();
  await phone.latchkey.sessions();
  await phone.latchkey.loginHistory();
  await phone.latchkey.devices();
  await changeAnotherDevice(phone, rows);
  await freezeAndReport({ stack, phone, rows });
  await phone.latchkey.session.refresh();
  await phone.latchkey.callService('bank', `${stack.stageControl.url}/bank/accounts`);
  await askAbout(stack, {
    customerId: customerId ?? '',
    token: await phone.latchkey.session.accessToken(),
  });
  await phone.latchkey.registerPush({ platform: 'apns', token: 'ab'.repeat(32) });
  await phone.latchkey.removePush();
  // Of a stream the proxy, which signs it, passes on that it began.
  await fetch(`${stack.issuer}/auth/stream`);
  await answerStepUps({ stack, phone, rows });
  await recoverByPhone(stack, rows);
  await phone.latchkey.logOut('this');
  await actAsMachine(stack, customerId ?? '');
  for (const path of ['/livez', '/readyz', '/openapi.json'])
    await fetch(`${stack.publicUrl}${path}`);
  for (const path of [
    'jwks.json',
    'receipt-keys.json',
    'openid-configuration',
    'oauth-authorization-server',
  ])
    await fetch(`${stack.issuer}/.well-known/${path}`);
  await fetch(`${stack.publicUrl}/.well-known/oauth-authorization-server/t/demo`);
}

/** OAuth's endpoints and a customer's roles: sent plainly, the proxy signs. */
async function askAbout(
  { issuer }: TestStack,
  { customerId, token }: { readonly customerId: string; readonly token: string },
): Promise<void> {
  const post = (path: string, body: string, type: string) =>
    fetch(`${issuer}${path}`, {
      method: 'POST',
      headers: { 'content-type': type, 'idempotency-key': crypto.randomUUID() },
      body,
    });
  const form = 'application/x-www-form-urlencoded';
  await post('/oauth/introspect', new URLSearchParams({ token }).toString(), form);
  await post(
    '/oauth/revoke',
    new URLSearchParams({ token, client_id: 'demo-app' }).toString(),
    form,
  );
  await fetch(`${issuer}/oauth/userinfo`);
  await post('/oauth/userinfo', '', form);
  const roles = JSON.stringify({ roles: ['walker'] });
  await post(`/customers/${customerId}/roles`, roles, 'application/json');
}

/** A further device of his, written straight into the tables: suspended, resumed, its passkey removed, then itself; and a session that had ended, ended again. */
async function changeAnotherDevice(
  { latchkey }: ReturnType<typeof createSoftwarePhone>,
  rows: postgres.Sql,
): Promise<void> {
  const { customerId } = await latchkey.me();
  const [tenant] = await rows<{ tenantId: string }[]>`
    select tenant_id from customer where customer_id = ${customerId}`;
  const seed = { customerId, deviceName: 'Tablet' };
  const { deviceId, credentialId } = await insertDevice(rows, tenant?.tenantId ?? '', seed);
  await latchkey.changeDevice(deviceId, 'suspend');
  await latchkey.changeDevice(deviceId, 'resume');
  await latchkey.removePasskey(credentialId);
  await latchkey.changeDevice(deviceId, 'revoke');
  const [own] = await latchkey.sessions();
  await latchkey.logIn();
  await latchkey.endSession(own?.sessionId ?? '');
}

async function actAsMachine(stack: TestStack, customerId: string): Promise<void> {
  const machine = new MachineClient({
    issuer: stack.issuer,
    clientId: 'demo-fraud',
    key: DEMO_FRAUD_KEY,
    scope: 'fraud:signal fraud:release timeline:read',
    clock: systemClock,
  });
  const signal = await machine.call({
    method: 'POST',
    path: '/fraud/signals',
    body: { customerId, reason: 'other' },
  });
  // The schema of the operation says so.
  const { revocationId } = (await signal.json()) as { revocationId: string };
  await watchRevocation(machine, revocationId);
  const body = { customerId, reason: 'customer_verified' };
  await machine.call({ method: 'POST', path: '/fraud/releases', body });
  await machine.call({ method: 'GET', path: '/ops/timeline' });
  const bank = new MachineClient({
    issuer: stack.issuer,
    clientId: 'demo-bank',
    key: DEMO_BANK_KEY,
    scope: 'cut-offs:read',
    clock: systemClock,
  });
  await bank.call({ method: 'GET', path: '/feeds/cut-offs' });
}

/** Three enrolled phones, the last one's customer for the desk alone, one enrollment under the given key that is open and two that have ended; answers the ids. */
export async function seed(
  stack: TestStack,
  rows: postgres.Sql,
  jkt: string,
): Promise<{
  readonly customer: Awaited<ReturnType<typeof enrollPhone>>;
  readonly leaving: Awaited<ReturnType<typeof enrollPhone>>;
  readonly atDesk: string;
  readonly enrollments: readonly string[];
}> {
  const customer = await enrollPhone(stack);
  const leaving = await enrollPhone(stack);
  const { customerId: atDesk } = await enrollPhone(stack);
  const phones = [
    createSoftwarePhone(stack),
    createSoftwarePhone(stack),
    createSoftwarePhone(stack),
  ];
  const [open = '', cancelled = '', expired = ''] = await Promise.all(phones.map(beginEnrollment));
  await phones[1]?.latchkey.enrollment.cancel(cancelled);
  await vi.waitFor(async () => {
    const ended =
      await rows`select 1 from ceremony where ceremony_id = ${cancelled} and outcome is not null`;
    expect(ended).toHaveLength(1);
  }, PATIENCE);
  await phones[2]?.latchkey.enrollment.cancel(expired);
  await vi.waitFor(async () => {
    const ended = await rows`update ceremony set outcome = 'expired', reason = 'step_timeout'
      where ceremony_id = ${expired} and outcome is not null returning 1`;
    expect(ended).toHaveLength(1);
  }, PATIENCE);
  await rows`update ceremony set jkt = ${jkt} where ceremony_id in ${rows([open, cancelled, expired])}`;
  await customer.latchkey.logIn();
  await leaving.latchkey.logIn();
  return { customer, leaving, atDesk, enrollments: [open, cancelled, expired] };
}

/** The last success of each operation: what is sent again, spoiled. */
function examples(proxy: SigningProxy): ReadonlyMap<string, Exchange> {
  return new Map(
    proxy.exchanges
      .filter(({ operationId, status }) => operationId !== undefined && status < 400)
      .map((exchange) => [exchange.operationId ?? '', exchange]),
  );
}

const WITH_A_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'DELETE']);
const ID_IN_PATH = /\/([a-z]{3})_[0-9a-f]{32}/;

interface Change {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One wrong thing each. What a change does not touch is as it was when it succeeded, and signed anew. */
export async function refuseEverywhere(
  operations: Operations,
  proxy: SigningProxy,
  enrollments: readonly string[],
): Promise<void> {
  const known = examples(proxy);
  for (const place of operations.places) {
    const example = known.get(place.operation.operationId);
    if (example === undefined) continue;
    for (const change of changesFor(place, example, enrollments))
      await sendChanged(proxy, example, change);
  }
}

function changesFor(
  { path, operation }: Place,
  example: Exchange,
  enrollments: readonly string[],
): Change[] {
  const hasBody = WITH_A_BODY.has(example.method);
  const type = example.headers['content-type'] ?? 'application/json';
  const names = (operation.parameters ?? []).map(({ name }) => name);
  // As it was once more under a new key, and by nobody.
  const changes: Change[] = [{}, { headers: { [SIGN_HEADER]: 'nothing', ...own(example) } }];
  if (path.includes('/t/{tenant}')) {
    changes.push(
      { path: example.path.replace(/\/t\/[^/]+/, '/t/nobody') },
      { headers: { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' } },
    );
  }
  if (hasBody) {
    changes.push(
      { body: '{"a":', headers: { 'content-type': type } },
      { body: 'x'.repeat(66_000), headers: { 'content-type': type } },
      { headers: { 'content-type': 'text/plain' } },
    );
    if (type.includes('form'))
      changes.push({ body: example.body.toString('utf8').replace('demo-app', 'nobody') });
    if (type.startsWith('application/json')) changes.push({ body: '{"surprise":true}' });
  }
  if (names.includes('idempotency-key')) {
    const key = String(example.headers['idempotency-key']);
    changes.push({ headers: { 'idempotency-key': '' } }, { headers: { 'idempotency-key': key } });
  }
  if (names.includes('enrollmentId'))
    changes.push(
      ...[...enrollments, `cer_${'0'.repeat(32)}`, 'nonsense'].map((id) => ({
        path: example.path.replace(/cer_[0-9a-f]{32}/, id),
      })),
    );
  if (names.some((name) => name.endsWith('Id')) && !names.includes('enrollmentId'))
    changes.push(
      ...['00000000000070008000000000000000', 'nonsense'].map((id) => ({
        path: example.path.replace(ID_IN_PATH, `/$1_${id}`),
      })),
    );
  if (names.includes('limit')) changes.push({ path: `${example.path}?limit=0` });
  if (names.includes('after')) changes.push({ path: `${example.path}?after=nonsense` });
  return changes;
}

/** What is no credential: where it comes from, and what a gateway asks about. */
function own({ headers }: Exchange): Record<string, string> {
  const names = ['origin', 'x-gateway-id', 'x-original-method', 'x-original-uri'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

async function sendChanged(proxy: SigningProxy, example: Exchange, change: Change): Promise<void> {
  const kept = ['content-type', 'accept'] as const;
  const headers = Object.fromEntries(
    kept.flatMap((name) => {
      const value = example.headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const body = change.body ?? example.body.toString('utf8');
  const needsKey = example.headers['idempotency-key'] !== undefined;
  const all: Record<string, string> = {
    ...headers,
    ...(needsKey ? { 'idempotency-key': crypto.randomUUID() } : {}),
    ...change.headers,
  };
  if (all['idempotency-key'] === '') delete all['idempotency-key'];
  await fetch(`${proxy.url}${change.path ?? example.path}`, {
    method: change.method ?? example.method,
    headers: all,
    redirect: 'manual',
    ...(WITH_A_BODY.has(example.method) ? { body } : {}),
  }).then((answer) => answer.arrayBuffer());
}
