/** The verifier for services against a real API and its feed: what passes, what does not, and that it refuses whenever it does not know. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ServiceRequest } from '../../sdk/verifier/request.ts';
import type { Requirement } from '../../sdk/verifier/verifier.ts';
import { cutOffCustomer } from '../setup/customer.ts';
import type { LoggedIn } from '../setup/beds/gateway-bed.ts';
import { createMachine } from '../setup/machine.ts';
import { createKeyPair } from '../setup/proof.ts';
import { requestOf, startServiceBed } from '../setup/beds/service-bed.ts';
import type { Sending, ServiceBed } from '../setup/beds/service-bed.ts';

const PAY: Requirement = { scope: 'payments:write' };

let bed: ServiceBed;
let customer: LoggedIn;
beforeAll(async () => {
  bed = await startServiceBed();
  customer = await bed.somebody();
});
afterAll(async () => {
  await bed?.close();
});

const verify = (request: ServiceRequest, requirement = PAY) =>
  bed.verifier.verify(request, requirement);
const send = (sending: Sending = {}, from: Pick<LoggedIn, 'phone' | 'token'> = customer) =>
  requestOf(bed.api, from, sending);

const refused = (status: number, code: string) => ({
  ok: false,
  status,
  code,
  body: { status, code },
});

describe('a request that may pass', () => {
  test('is answered with whose it is', async () => {
    const verdict = await verify(await send());
    expect(verdict).toMatchObject({
      ok: true,
      caller: {
        customerId: customer.customerId,
        sessionId: customer.sessionId,
        deviceId: customer.deviceId,
        clientId: 'demo-app',
        acr: 'latchkey:2',
        epoch: 1,
      },
    });
  });
});

describe('a request does not pass when', () => {
  type Change = (request: Awaited<ReturnType<typeof send>>) => ServiceRequest;
  const withHeader =
    (name: string, change: (values: string[]) => string[] | undefined): Change =>
    ({ headers, ...rest }) => ({
      ...rest,
      headers: { ...headers, [name]: change(headers[name] ?? []) },
    });
  const changes: readonly (readonly [string, Change, string])[] = [
    ['no token came', withHeader('authorization', () => undefined), 'token_missing'],
    ['two tokens came', withHeader('authorization', ([a = '']) => [a, a]), 'token_invalid'],
    [
      'the token is shown as a bearer',
      withHeader('authorization', ([a = '']) => [a.replace('DPoP', 'Bearer')]),
      'token_invalid',
    ],
    [
      'the token was changed',
      withHeader('authorization', ([a = '']) => [a.replace(/.{8}$/, 'AAAAAAAA')]),
      'dpop_proof_invalid',
    ],
    ['no proof came', withHeader('dpop', () => undefined), 'dpop_proof_missing'],
    ['two proofs came', withHeader('dpop', ([a = '']) => [a, a]), 'dpop_proof_invalid'],
    ['the proof is no JWT', withHeader('dpop', () => ['x']), 'dpop_proof_invalid'],
    ['the method is another', (request) => ({ ...request, method: 'PUT' }), 'dpop_proof_invalid'],
    [
      'the address is another',
      (request) => ({ ...request, target: '/pay/x' }),
      'dpop_proof_invalid',
    ],
    [
      'the address can be read in two ways',
      (request) => ({ ...request, target: '/pay/x/../transfers' }),
      'dpop_proof_invalid',
    ],
    [
      'the address is another host’s',
      (request) => ({ ...request, target: '@evil.example/pay/transfers' }),
      'dpop_proof_invalid',
    ],
  ];
  test.each(changes)('%s', async (_what, change, code) => {
    const verdict = await verify(change(await send()));
    expect(verdict).toMatchObject(refused(401, code));
    expect(verdict.ok ? undefined : verdict.headers['www-authenticate']).toMatch(
      /^DPoP .*algs="ES256"$/,
    );
  });

  const proofs: readonly (readonly [string, Sending['proof'], string])[] = [
    ['names no token', { accessToken: undefined }, 'dpop_proof_invalid'],
    ['names another token', { accessToken: 'other' }, 'dpop_proof_invalid'],
    ['is another type', { header: { typ: 'jwt' } }, 'dpop_proof_invalid'],
    ['has a member more in its header', { header: { kid: 'x' } }, 'dpop_proof_invalid'],
    ['has no jti', { claims: { jti: undefined } }, 'dpop_proof_invalid'],
    ['is for another host', { htu: 'https://evil.example/pay/transfers' }, 'dpop_proof_invalid'],
  ];
  test.each(proofs)('its proof %s', async (_what, proof, code) => {
    expect(await verify(await send({ proof: proof ?? {} }))).toMatchObject(refused(401, code));
  });

  test.each([
    ['is old', -61_000],
    ['is from the future', 7_000],
  ])('its proof %s', async (_what, byMs) => {
    const proof = { nowMs: bed.api.clock.nowMs() + byMs };
    expect(await verify(await send({ proof }))).toMatchObject(refused(401, 'dpop_proof_invalid'));
  });

  test('its proof was used', async () => {
    const request = await send();
    expect((await verify(request)).ok).toBe(true);
    expect(await verify(request)).toMatchObject(refused(401, 'dpop_proof_replayed'));
  });

  test('its proof could have been used before the verifier began', async () => {
    const second = await startServiceBed();
    try {
      const early = await second.somebody();
      const proof = { nowMs: second.api.clock.nowMs() - 9_000 };
      const request = await requestOf(second.api, early, { proof });
      expect(await second.verifier.verify(request, PAY)).toMatchObject(
        refused(401, 'dpop_proof_replayed'),
      );
    } finally {
      await second.close();
    }
  });

  test('the token was stolen: its thief has another key', async () => {
    const thief = { ...customer, phone: { ...customer.phone, key: await createKeyPair() } };
    expect(await verify(await send({}, thief))).toMatchObject(refused(401, 'dpop_key_mismatch'));
  });

  test('the token was forged, or has expired', async () => {
    const forged = { ...customer, token: customer.token.replace(/.{8}$/, 'AAAAAAAA') };
    expect(await verify(await send({}, forged))).toMatchObject(refused(401, 'token_invalid'));
    const someone = await bed.somebody();
    const kept = await send({}, someone);
    expect((await verify(kept)).ok).toBe(true);
    bed.api.clock.advance(301_000);
    expect(await verify(await send({}, someone))).toMatchObject(refused(401, 'token_expired'));
    await vi.waitFor(() => expect(bed.verifier.isReady()).toBe(true), 10_000);
    customer = await bed.somebody();
  });

  test('the token is a machine’s', async () => {
    const machine = await createMachine(bed.api);
    const caller = {
      phone: { ...customer.phone, key: machine.key },
      token: machine.accessToken ?? '',
    };
    expect(await verify(await send({}, caller))).toMatchObject(refused(403, 'caller_not_allowed'));
  });

  test('the token lacks the scope', async () => {
    const verdict = await verify(await send(), { scope: 'gold:move' });
    expect(verdict).toMatchObject(refused(403, 'insufficient_scope'));
    expect(verdict.ok ? '' : verdict.headers['www-authenticate']).toBe(
      'DPoP error="insufficient_scope", scope="gold:move", algs="ES256"',
    );
  });
});

describe('more is asked for, as RFC 9470 says it, when', () => {
  test('the login was too weak', async () => {
    const requirement = { ...PAY, acrValues: ['latchkey:3', 'latchkey:4'] };
    const verdict = await verify(await send(), requirement);
    expect(verdict).toMatchObject(refused(401, 'insufficient_user_authentication'));
    expect(verdict.ok ? '' : verdict.headers['www-authenticate']).toBe(
      'DPoP error="insufficient_user_authentication", acr_values="latchkey:3 latchkey:4", algs="ES256"',
    );
    expect((await verify(await send(), { ...PAY, acrValues: ['latchkey:2'] })).ok).toBe(true);
  });

  test('the login was too long ago', async () => {
    const someone = await bed.somebody();
    expect((await verify(await send({}, someone), { ...PAY, maxAgeSeconds: 60 })).ok).toBe(true);
    bed.api.clock.advance(61_000);
    await vi.waitFor(() => expect(bed.verifier.isReady()).toBe(true), 5_000);
    const verdict = await verify(await send({}, someone), { ...PAY, maxAgeSeconds: 60 });
    expect(verdict).toMatchObject(refused(401, 'insufficient_user_authentication'));
    expect(verdict.ok ? '' : verdict.headers['www-authenticate']).toContain('max_age="60"');
  });
});

describe('a cut-off reaches the service within two seconds:', () => {
  const codeOf = async (of: LoggedIn) => {
    const verdict = await verify(await send({}, of));
    return verdict.ok ? 'passed' : verdict.code;
  };
  /** What the service says before and soon after, and to somebody else then. */
  async function saidAround(cut: (someone: LoggedIn) => Promise<unknown>): Promise<string[]> {
    const [someone, other] = [await bed.somebody(), await bed.somebody()];
    const before = await codeOf(someone);
    await cut(someone);
    const after = await vi.waitFor(async () => {
      const code = await codeOf(someone);
      if (code === 'passed') throw new Error('it passes still');
      return code;
    }, 2_000);
    return [before, after, await codeOf(other)];
  }
  const CUT = ['passed', 'session_ended', 'passed'];

  test('of a customer, by fraud', async () => {
    const said = await saidAround(({ customerId }) =>
      bed.api.inTenant((tx) => cutOffCustomer(tx, { tenantId: bed.api.tenantId, customerId })),
    );
    expect(said).toEqual(CUT);
  });

  test('of a session, by a logout', async () => {
    const said = await saidAround(async ({ phone, token }) => {
      phone.accessToken = token;
      await phone.post('/auth/logout', { scope: 'this' });
    });
    expect(said).toEqual(CUT);
  });

  test('of a device', async () => {
    const said = await saidAround(({ deviceId }) =>
      bed.api.inTenant(
        (tx) => tx`update device set status = 'restricted' where device_id = ${deviceId}`,
      ),
    );
    expect(said).toEqual(CUT);
  });

  test('of a passkey', async () => {
    const said = await saidAround(({ credentialId }) =>
      bed.api.inTenant(
        (tx) =>
          tx`update credential set status = 'suspended' where credential_id = ${credentialId}`,
      ),
    );
    expect(said).toEqual(CUT);
  });
});

describe('a signed request', () => {
  const SIGNED = { ...PAY, signed: true };

  test('passes with the body, the address and the proof that were signed', async () => {
    const verdict = await verify(await send({ isSigned: true }), SIGNED);
    expect(verdict).toMatchObject({ ok: true });
    const empty = await send({ isSigned: true, method: 'DELETE', body: '' });
    expect(await verify(empty, SIGNED)).toMatchObject({ ok: true });
  });

  test.each([
    ['content-length', '12'],
    ['transfer-encoding', 'chunked'],
  ])(
    'whose body the service did not hand over is not judged as an empty one: %s',
    async (name, value) => {
      const { body: _body, ...empty } = await send({ isSigned: true, body: '' });
      expect(await verify(empty, SIGNED)).toMatchObject({ ok: true });
      const { body: _unread, ...request } = await send({ isSigned: true, body: '' });
      const headers = { ...request.headers, [name]: [value] };
      expect(await verify({ ...request, headers }, SIGNED)).toMatchObject(
        refused(401, 'signature_invalid'),
      );
    },
  );

  test('that was not signed is told what to sign', async () => {
    const verdict = await verify(await send(), SIGNED);
    expect(verdict).toMatchObject(refused(401, 'signature_invalid'));
    expect(verdict.ok ? '' : verdict.headers['accept-signature']).toBe(
      'latchkey=("@method" "@target-uri" "content-digest" "authorization" "dpop");created;nonce;keyid;alg;tag="latchkey-request"',
    );
  });

  const spoilt: readonly (readonly [
    string,
    (request: Awaited<ReturnType<typeof send>>) => ServiceRequest,
  ])[] = [
    ['another body', (r) => ({ ...r, body: new TextEncoder().encode('{"amount":2}') })],
    ['no body', ({ body: _body, ...r }) => r],
    ['another query', (r) => ({ ...r, target: '/pay/transfers?dry=0' })],
    [
      'a digest of another body',
      (r) => ({
        ...r,
        body: new TextEncoder().encode('{"amount":2}'),
        headers: {
          ...r.headers,
          'content-digest': ['sha-256=:tq2PHGHmyk9NN7HF9tBCDJLD6XnmQ2Rwyu3QKeWDFqg=:'],
        },
      }),
    ],
    ['no digest', (r) => ({ ...r, headers: { ...r.headers, 'content-digest': undefined } })],
    ['no signature', (r) => ({ ...r, headers: { ...r.headers, signature: undefined } })],
    [
      'two signature headers',
      (r) => ({
        ...r,
        headers: { ...r.headers, signature: [...(r.headers['signature'] ?? []), 'x=:AA==:'] },
      }),
    ],
    ['another tag', (r) => input(r, (text) => text.replace('latchkey-request', 'other'))],
    ['fewer components', (r) => input(r, (text) => text.replace(' "content-digest"', ''))],
    ['another component', (r) => input(r, (text) => text.replace('"dpop"', '"host"'))],
    ['a component twice', (r) => input(r, (text) => text.replace('"dpop"', '"dpop" "dpop"'))],
    [
      'another time',
      (r) =>
        input(r, (text) =>
          text.replace(/created=(\d+)/, (_, at: string) => `created=${String(Number(at) - 1)}`),
        ),
    ],
    ['an old time', (r) => input(r, (text) => text.replace(/created=\d+/, 'created=1600000000'))],
    ['another nonce', (r) => input(r, (text) => text.replace(/nonce="./, 'nonce="x'))],
    ['no nonce', (r) => input(r, (text) => text.replace(/;nonce="[^"]*"/, ''))],
    [
      'another key’s name',
      (r) => input(r, (text) => text.replace(/keyid="[^"]*"/, 'keyid="other"')),
    ],
    ['another algorithm', (r) => input(r, (text) => text.replace('p256', 'p384'))],
    ['an input that does not parse', (r) => input(r, () => '(((')],
  ];
  const input = (
    request: Awaited<ReturnType<typeof send>>,
    change: (text: string) => string,
  ): ServiceRequest => ({
    ...request,
    headers: {
      ...request.headers,
      'signature-input': (request.headers['signature-input'] ?? []).map(change),
    },
  });
  test.each(spoilt)('with %s does not pass', async (_what, change) => {
    const verdict = await verify(change(await send({ isSigned: true })), SIGNED);
    expect(verdict).toMatchObject(refused(401, 'signature_invalid'));
  });

  test('sent again does not pass, with the same proof or a new one', async () => {
    const request = await send({ isSigned: true });
    expect((await verify(request, SIGNED)).ok).toBe(true);
    expect(await verify(request, SIGNED)).toMatchObject(refused(401, 'dpop_proof_replayed'));
    const fresh = await send();
    const again = { ...request, headers: { ...request.headers, dpop: fresh.headers['dpop'] } };
    expect(await verify(again, SIGNED)).toMatchObject(refused(401, 'signature_invalid'));
  });

  test('by another key than the token’s does not pass', async () => {
    const other = await createKeyPair();
    const signer = { ...customer, phone: { ...customer.phone, key: other } };
    const mine = await send();
    const theirs = await send({ isSigned: true }, signer);
    const mixed = {
      ...mine,
      headers: {
        ...mine.headers,
        'content-digest': theirs.headers['content-digest'],
        'signature-input': theirs.headers['signature-input'],
        signature: theirs.headers['signature'],
      },
    };
    expect(await verify(mixed, SIGNED)).toMatchObject(refused(401, 'signature_invalid'));
  });
});

describe('the verifier refuses everything, with 503, when', () => {
  test('the feed is silent for longer than it may be, and goes on when it is back', async () => {
    const own = await startServiceBed();
    try {
      const someone = await own.somebody();
      const ask = async () => await own.verifier.verify(await requestOf(own.api, someone), PAY);
      expect((await ask()).ok).toBe(true);
      own.line.isCut = true;
      await vi.waitFor(() => expect(own.interruptions.length).toBeGreaterThan(0), 10_000);
      own.api.clock.advance(11_000);
      const verdict = await ask();
      expect(verdict).toMatchObject(refused(503, 'verifier_unsure'));
      expect(verdict.ok ? '' : verdict.headers['retry-after']).toBe('1');
      expect(own.verifier.isReady()).toBe(false);
      // What was cut off meanwhile is known before anything passes again.
      await own.api.inTenant((tx) =>
        cutOffCustomer(tx, { tenantId: own.api.tenantId, customerId: someone.customerId }),
      );
      own.line.isCut = false;
      await vi.waitFor(() => expect(own.verifier.isReady()).toBe(true), 15_000);
      expect(await ask()).toMatchObject(refused(401, 'session_ended'));
    } finally {
      await own.close();
    }
  });

  test('its memory of proofs is full or away', async () => {
    for (const spend of [
      () => 'full' as const,
      () => Promise.reject(new Error('the shared memory is away')),
    ]) {
      const own = await startServiceBed({ proofs: { spend } });
      try {
        const request = await requestOf(own.api, await own.somebody());
        expect(await own.verifier.verify(request, PAY)).toMatchObject(
          refused(503, 'verifier_unsure'),
        );
      } finally {
        await own.close();
      }
    }
  });

  test('it cannot get the keys', async () => {
    const own = await startServiceBed();
    try {
      const someone = await own.somebody();
      own.line.isCut = true;
      const request = await requestOf(own.api, someone);
      expect(await own.verifier.verify(request, PAY)).toMatchObject(
        refused(503, 'verifier_unsure'),
      );
    } finally {
      await own.close();
    }
  });
});
