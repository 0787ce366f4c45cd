/**
 * Requests that nobody should send, with secrets in every place where a careless server would repeat or write them down: bodies that break off,
 * members that do not exist, addresses, headers, methods, forms.
 */
import { createConnection } from 'node:net';
import { DEMO_IDENTITY_SECRET } from '../../runtime/demo-secrets.ts';
import type { MachineClient } from '../../runtime/machine-client.ts';
import { signBody } from '../../runtime/vendor-signature.ts';
import { createDpop } from '../../sdk/dpop.ts';
import { fraudEngine } from '../setup/faults.ts';
import type { Actor, Scene } from './ceremonies.ts';

const JSON_TYPE = 'application/json';

/** Answers the statuses, so that the test sees that each was refused. */
export async function beStrange(scene: Scene, actor: Actor): Promise<readonly number[]> {
  const statuses: number[] = [];
  const engine = fraudEngine(scene.stack);
  // Its token comes by an honest request.
  await engine.call({ method: 'GET', path: `/fraud/revocations/rev_${'0'.repeat(32)}` });
  await scene.wiretap.asStranger(async () => {
    for (const send of [...wrongBodies(scene, actor), ...wrongPlaces(scene, actor, engine)])
      statuses.push((await send()).status);
  });
  statuses.push(...(await wrongBytes(scene, actor)));
  return statuses;
}

type Send = () => Promise<Response>;

function wrongBodies({ stack }: Scene, { latchkey, number, email, person }: Actor): Send[] {
  const dpop = createDpop({
    sessionKey: () => latchkey.sessionKey(),
    nowMs: () => Date.now(),
    fetch: (input, init) => fetch(input, init),
  });
  const post = (path: string, body: string, type = JSON_TYPE) => ({
    method: 'POST' as const,
    url: `${stack.issuer}${path}`,
    headers: {
      'content-type': type,
      'idempotency-key': crypto.randomUUID(),
      origin: stack.publicUrl,
    },
    body,
  });
  const nobody = 'cer_00000000000070008000000000000000';
  const form = 'application/x-www-form-urlencoded';
  const { givenName, familyName, birthDate, documentNumber } = person;
  const identity = { ...person, [familyName]: givenName };
  const requests = [
    post('/auth/enrollments', `{"clientId":"demo-app","phone":"${number}`),
    post('/auth/enrollments', JSON.stringify({ clientId: 'demo-app', phone: { [number]: email } })),
    post('/auth/enrollments', JSON.stringify({ clientId: email, phone: number })),
    post(
      '/auth/enrollments',
      JSON.stringify({ clientId: 'demo-app', phone: `${number}${number}` }),
    ),
    post('/auth/enrollments', JSON.stringify({ clientId: 'demo-app', phone: `${number}x` })),
    post(
      '/auth/enrollments',
      JSON.stringify({ clientId: 'demo-app', phone: number, locale: givenName }),
    ),
    post('/auth/enrollments', JSON.stringify({ [documentNumber]: number }), 'text/plain'),
    post('/auth/enrollments', `"${number.repeat(8_000)}"`),
    post(`/auth/enrollments/${nobody}/identity`, JSON.stringify(identity)),
    post(`/auth/enrollments/${nobody}/identity`, JSON.stringify(person)),
    post(
      `/auth/enrollments/${nobody}/identity`,
      JSON.stringify({ ...person, birthDate: `${birthDate}T00:00` }),
    ),
    post(`/auth/enrollments/${nobody}/phone-code`, JSON.stringify({ code: `${number}` })),
    post(`/auth/enrollments/${nobody}/email`, JSON.stringify({ email: [email] })),
    post('/auth/login', JSON.stringify({ clientId: 'demo-app', credential: { id: email } })),
    post('/oauth/token', new URLSearchParams({ grant_type: number }).toString(), form),
    post(
      '/oauth/token',
      new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: 'demo-app',
        refresh_token: `lr1.${documentNumber}`,
        request_id: email,
      }).toString(),
      form,
    ),
    post(
      '/oauth/token',
      new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'demo-fraud',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${btoa(number)}.${btoa(email)}.${btoa(documentNumber)}`,
        scope: email,
      }).toString(),
      form,
    ),
  ];
  // With a proof, so that they get as far as they can, and without one.
  return requests.flatMap((request) => [
    () => dpop.send(request),
    () => fetch(request.url, { ...request, redirect: 'manual' as const }),
  ]);
}

function wrongPlaces(
  { stack, canaries }: Scene,
  { number, email, person }: Actor,
  engine: MachineClient,
): Send[] {
  const { issuer } = stack;
  const token = String(canaries.find(({ kind }) => kind === 'one-time code')?.value);
  const secret = stack.environment['IDENTITY_SECRET'] ?? DEMO_IDENTITY_SECRET;
  const verdict = JSON.stringify({
    reference: email,
    vendorReference: number,
    verdict: 'refused',
    reason: person.familyName,
    evidenceId: person.documentNumber,
  });
  const result = (signature: string) => () =>
    fetch(`${issuer}/vendors/identity/results`, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE, 'latchkey-signature': signature },
      body: verdict,
    });
  const signal = (body: unknown) => () =>
    engine.call({ method: 'POST', path: '/fraud/signals', body });
  const headers: Readonly<Record<string, string>>[] = [
    { authorization: `Bearer ${email}` },
    { authorization: `DPoP ${token}`, dpop: `${btoa(email)}.${btoa(number)}.${token}` },
    { dpop: email },
    { cookie: `session=${token}; mail=${email}` },
    { origin: `https://${email.replace('@', '.')}` },
    { 'x-forwarded-for': number, 'x-request-id': email, referer: `https://x.test/?q=${email}` },
    { 'user-agent': number, 'accept-language': email, traceparent: number, baggage: `p=${number}` },
  ];
  return [
    () => fetch(`${issuer}/auth/enrollments/${encodeURIComponent(number)}`),
    () => fetch(`${issuer}/auth/sessions?phone=${encodeURIComponent(number)}&otp=${token}`),
    () => fetch(`${issuer}/${email}`),
    () => fetch(`${stack.publicUrl}/t/${email}/auth/me`),
    () => fetch(`${stack.publicUrl}/${person.documentNumber}/%zz`),
    () => fetch(`${issuer}/auth/me?${'p='.repeat(10)}${number}`, { method: 'DELETE' }),
    ...headers.map((entries) => () => fetch(`${issuer}/auth/me`, { headers: entries })),
    ...headers.map(
      (entries) => () =>
        fetch(`${issuer}/auth/logout`, {
          method: 'POST',
          headers: { ...entries, 'content-type': JSON_TYPE, 'idempotency-key': number },
          body: '{}',
        }),
    ),
    result(`t=${String(Math.floor(Date.now() / 1000))},v1=${token}`),
    result(email),
    result(signBody({ secret, body: verdict }, Date.now())),
    signal({ customerId: number, reason: email }),
    signal({ customerId: `cus_${'0'.repeat(32)}`, reason: 'other', note: person.familyName }),
    signal(person),
  ];
}

/** What Node's parser refuses, and a body that never ends: the server has to give up on it. */
async function wrongBytes({ stack, wiretap }: Scene, { number, email }: Actor): Promise<number[]> {
  const begin = `POST /t/demo/auth/enrollments HTTP/1.1\r\nhost: x\r\ncontent-type: ${JSON_TYPE}\r\n`;
  const texts = [
    `GET /${email} HTTP/1.1\r\n${number}\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${number.repeat(8_000)}\r\n\r\n`,
    `${number} / HTTP/1.1\r\n\r\n`,
    `${begin}content-length: 4000\r\n\r\n{"phone":"${number}"`,
    `${begin}transfer-encoding: chunked\r\n\r\n${email}\r\n`,
  ];
  const port = Number(stack.environment['LATCHKEY_PORT']);
  return await Promise.all(
    texts.map(async (text) => {
      const answer = await exchange(port, text);
      wiretap.note('(a stranger’s bytes)', answer);
      return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
    }),
  );
}

function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(answer);
    });
    socket.write(text);
  });
}
