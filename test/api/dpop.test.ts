/** DPoP at the door: each guard of RFC 9449 section 4.3 is violated alone, with everything else valid. */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createEnrolledPhone } from '../setup/callers.ts';
import { createMachine } from '../setup/machine.ts';
import { createKeyPair, makeProof } from '../setup/proof.ts';
import type { TestApi } from '../setup/api.ts';
import type { KeyPair, ProofParts } from '../setup/proof.ts';

let api: TestApi;
let key: KeyPair;
beforeAll(async () => {
  api = await startTestApi();
  key = await createKeyPair();
});
afterAll(async () => {
  await api.close();
});

const PATH = `/auth/enrollments/cer_${'0'.repeat(32)}`;

async function freshNonce(): Promise<string> {
  const { headers } = await api.app.inject({ url: '/livez' });
  return String(headers['dpop-nonce']);
}

async function proofFor(parts: Partial<ProofParts> = {}): Promise<string> {
  return await makeProof({
    key,
    method: 'GET',
    htu: `${api.publicUrl}${api.prefix}${PATH}`,
    nowMs: api.clock.nowMs(),
    nonce: await freshNonce(),
    ...parts,
  });
}

async function show(dpop: string | undefined, headers: Record<string, string> = {}) {
  const answer = await api.app.inject({
    url: `${api.prefix}${PATH}`,
    headers: { ...(dpop === undefined ? {} : { dpop }), ...headers },
  });
  return {
    status: answer.statusCode,
    code: String(answer.json()['code']),
    authenticate: answer.headers['www-authenticate'],
  };
}

describe('a DPoP proof', () => {
  it('lets its key through when everything is right', async () => {
    expect(await show(await proofFor())).toMatchObject({ status: 404, code: 'ceremony_not_found' });
  });

  it('for no address at all does not fit a request target that makes none either', async () => {
    // RFC 9112 section 3.2.2: the absolute form, which is routed like the plain one. Put behind our origin it is no address.
    const target = `http://elsewhere.test${api.prefix}${PATH}`;
    for (const htu of ['nowhere', 'http://a@b', `${api.publicUrl}${api.prefix}${PATH}`, target]) {
      const text = await rawRequest(target, [`DPoP: ${await proofFor({ htu })}`]);
      expect(text).toContain('"code":"dpop_proof_invalid"');
    }
  });

  it('may spell its address with another case of scheme and host, the default port, query and fragment', async () => {
    const htu = `HTTP://LOCALHOST:4600${api.prefix}${PATH}?a=b#c`;
    expect(await show(await proofFor({ claims: { htu } }))).toMatchObject({
      code: 'ceremony_not_found',
    });
  });

  it('is asked for when it is missing', async () => {
    expect(await show(undefined)).toEqual({
      status: 401,
      code: 'dpop_proof_missing',
      authenticate: 'DPoP algs="ES256"',
    });
  });

  const spoiltHeaders: Record<string, () => Promise<Partial<ProofParts>> | Partial<ProofParts>> = {
    'another type': () => ({ header: { typ: 'JWT' } }),
    'no type': () => ({ header: { typ: undefined } }),
    'no key': () => ({ header: { jwk: undefined } }),
    'a private key': async () => ({ header: { jwk: await exportJWK(key.privateKey) } }),
    'a key id beside the key': () => ({ header: { kid: 'somebody' } }),
    'a critical extension': () => ({ header: { crit: ['b64'], b64: true } }),
    'a symmetric key': () => ({ header: { jwk: { kty: 'oct', k: 'AAAA' } } }),
    'a key on another curve': async () => {
      const { publicKey } = await generateKeyPair('ES384', { extractable: true });
      return { header: { jwk: await exportJWK(publicKey) } };
    },
    'a point off the curve': () => ({
      header: { jwk: { ...key.publicJwk, y: randomBytes(32).toString('base64url') } },
    }),
    'a list of keys': () => ({ header: { jwk: [key.publicJwk] } }),
    "another key's signature": async () => ({ signWith: (await createKeyPair()).privateKey }),
  };
  const spoiltClaims: Record<string, () => Record<string, unknown>> = {
    'another method': () => ({ htm: 'POST' }),
    'the method in lower case': () => ({ htm: 'get' }),
    'no method': () => ({ htm: undefined }),
    'another path': () => ({ htu: `${api.publicUrl}${api.prefix}/auth/enrollments` }),
    'another host': () => ({ htu: `http://elsewhere.test:4600${api.prefix}${PATH}` }),
    'another scheme': () => ({ htu: `https://localhost:4600${api.prefix}${PATH}` }),
    'another port': () => ({ htu: `http://localhost${api.prefix}${PATH}` }),
    'another tenant': () => ({ htu: `${api.publicUrl}/t/other${PATH}` }),
    'a user in its address': () => ({ htu: `http://a@localhost:4600${api.prefix}${PATH}` }),
    'no address': () => ({ htu: undefined }),
    'a list of addresses': () => ({ htu: [`${api.publicUrl}${api.prefix}${PATH}`] }),
    'no time': () => ({ iat: undefined }),
    'a time as text': () => ({ iat: String(Math.floor(api.clock.nowMs() / 1000)) }),
    'a broken second': () => ({ iat: Math.floor(api.clock.nowMs() / 1000) - 0.5 }),
    'a time before the window': () => ({ iat: Math.floor(api.clock.nowMs() / 1000) - 62 }),
    'a time ahead of the skew': () => ({ iat: Math.floor(api.clock.nowMs() / 1000) + 8 }),
    'no id': () => ({ jti: undefined }),
    'a short id': () => ({ jti: 'short' }),
    'a long id': () => ({ jti: 'x'.repeat(129) }),
    'a number for an id': () => ({ jti: 12_345_678 }),
  };

  it.each(Object.keys(spoiltHeaders))('with %s is refused', async (name) => {
    const proof = await proofFor(await spoiltHeaders[name]?.());
    expect(await show(proof)).toEqual({
      status: 401,
      code: 'dpop_proof_invalid',
      authenticate: 'DPoP error="invalid_dpop_proof", algs="ES256"',
    });
  });

  it.each(Object.keys(spoiltClaims))('with %s is refused', async (name) => {
    const proof = await proofFor({ claims: spoiltClaims[name]?.() ?? {} });
    expect(await show(proof)).toMatchObject({ status: 401, code: 'dpop_proof_invalid' });
  });

  it('signed with a secret instead of its key is refused', async () => {
    const proof = await new SignJWT({})
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'HS256', jwk: key.publicJwk })
      .sign(randomBytes(32));
    expect(await show(proof)).toMatchObject({ code: 'dpop_proof_invalid' });
  });

  it('without a signature is refused', async () => {
    const [, payload] = (await proofFor()).split('.');
    const header = Buffer.from(
      JSON.stringify({ typ: 'dpop+jwt', alg: 'none', jwk: key.publicJwk }),
    ).toString('base64url');
    expect(await show(`${header}.${payload ?? ''}.`)).toMatchObject({ code: 'dpop_proof_invalid' });
  });

  it.each(['=', '.', '!', 'A'])(
    'with %s behind it is refused: one proof has one spelling',
    async (tail) => {
      expect(await show(`${await proofFor()}${tail}`)).toMatchObject({
        code: 'dpop_proof_invalid',
      });
    },
  );

  it('longer than anybody needs is refused', async () => {
    const proof = await proofFor({ claims: { padding: 'x'.repeat(4096) } });
    expect(await show(proof)).toMatchObject({ code: 'dpop_proof_invalid' });
  });

  it('is accepted just inside its window, on either side', async () => {
    // The server has just started, and a proof from before that is refused for another reason.
    api.clock.advance(120_000);
    const now = Math.floor(api.clock.nowMs() / 1000);
    for (const iat of [now - 58, now + 4]) {
      expect(await show(await proofFor({ claims: { iat } }))).toMatchObject({ status: 404 });
    }
  });

  it('works once, and the refusal says that a new one will do', async () => {
    const proof = await proofFor();
    expect(await show(proof)).toMatchObject({ status: 404 });
    expect(await show(proof)).toMatchObject({ status: 401, code: 'dpop_proof_replayed' });
  });

  it('works once when shown sixteen times at once', async () => {
    const proof = await proofFor();
    const answers = await Promise.all(Array.from({ length: 16 }, () => show(proof)));
    expect(answers.filter(({ code }) => code === 'ceremony_not_found')).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'dpop_proof_replayed')).toHaveLength(15);
  });

  it('shown twice in one request is refused', async () => {
    const first = await proofFor();
    const second = await proofFor();
    const answer = await rawRequest(`${api.prefix}${PATH}`, [`DPoP: ${first}`, `dpop: ${second}`]);
    expect(answer).toContain('dpop_proof_invalid');
  });
});

describe('the server nonce', () => {
  it('is demanded, and the refusal brings one that works', async () => {
    expect(await show(await proofFor({ nonce: undefined }))).toEqual({
      status: 401,
      code: 'dpop_nonce_required',
      authenticate: 'DPoP error="use_dpop_nonce", algs="ES256"',
    });
  });

  it.each(['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'x', '', 7, null])('is not %j', async (nonce) => {
    expect(await show(await proofFor({ claims: { nonce } }))).toMatchObject({
      code: 'dpop_nonce_required',
    });
  });

  it('serves until its time is over and not a second longer', async () => {
    const own = await startTestApi();
    try {
      const now = own.clock.nowMs();
      // To the beginning of a bucket, so that the nonce is as young as it looks.
      own.clock.advance(30_000 - (now % 30_000));
      const { headers } = await own.app.inject({ url: '/livez' });
      const nonce = String(headers['dpop-nonce']);
      const ask = async () => {
        const proof = await makeProof({
          key,
          method: 'GET',
          htu: `${own.publicUrl}${own.prefix}${PATH}`,
          nowMs: own.clock.nowMs(),
          nonce,
        });
        return (
          await own.app.inject({ url: `${own.prefix}${PATH}`, headers: { dpop: proof } })
        ).json();
      };
      own.clock.advance(175_000);
      expect(await ask()).toMatchObject({ code: 'ceremony_not_found' });
      own.clock.advance(6_000);
      expect(await ask()).toMatchObject({ code: 'dpop_nonce_required' });
    } finally {
      await own.close();
    }
  });

  it('comes with every answer, refusals and unknown addresses too', async () => {
    for (const url of ['/livez', '/nowhere', `${api.prefix}${PATH}`, '/t/nobody/auth/me']) {
      const { headers } = await api.app.inject({ url });
      expect(headers['dpop-nonce']).toMatch(/^[A-Za-z0-9_-]{30}$/);
      expect(headers['latchkey-request-id']).toMatch(/^req_[0-9a-f]{32}$/);
    }
  });
});

describe('an access token', () => {
  const REVOCATION = `/fraud/revocations/rev_${'0'.repeat(32)}`;
  const call = async (
    authorization: string,
    parts: { key: KeyPair; accessToken?: string; claims?: Record<string, unknown> },
  ) => {
    const dpop = await makeProof({
      method: 'GET',
      htu: `${api.publicUrl}${api.prefix}${REVOCATION}`,
      nowMs: api.clock.nowMs(),
      ...parts,
    });
    const answer = await api.app.inject({
      url: `${api.prefix}${REVOCATION}`,
      headers: { authorization, dpop },
    });
    return {
      status: answer.statusCode,
      code: String(answer.json()['code']),
      authenticate: answer.headers['www-authenticate'],
    };
  };

  it('is refused under every other scheme and spelling', async () => {
    const machine = await createMachine(api);
    const token = machine.accessToken ?? '';
    for (const authorization of [
      `Bearer ${token}`,
      `bearer ${token}`,
      `BEARER ${token}`,
      `Basic ${token}`,
      token,
      `DPoP  ${token}`,
      `DPoP ${token} x`,
      'DPoP',
      'DPoP ',
    ]) {
      expect(await call(authorization, { key: machine.key, accessToken: token })).toMatchObject({
        status: 401,
        code: 'token_invalid',
      });
    }
    expect(await call(`dpop ${token}`, { key: machine.key, accessToken: token })).toMatchObject({
      status: 404,
    });
  });

  it('is refused with a proof that does not name it, or names another', async () => {
    const machine = await createMachine(api);
    const token = machine.accessToken ?? '';
    expect(await call(`DPoP ${token}`, { key: machine.key })).toMatchObject({
      code: 'dpop_proof_invalid',
    });
    expect(
      await call(`DPoP ${token}`, { key: machine.key, accessToken: `${token}x` }),
    ).toMatchObject({ code: 'dpop_proof_invalid' });
    expect(
      await call(`DPoP ${token}`, { key: machine.key, accessToken: token, claims: { ath: 7 } }),
    ).toMatchObject({ code: 'dpop_proof_invalid' });
  });

  it("is refused with another key's proof", async () => {
    const machine = await createMachine(api);
    const token = machine.accessToken ?? '';
    expect(await call(`DPoP ${token}`, { key: await createKeyPair(), accessToken: token })).toEqual(
      {
        status: 401,
        code: 'dpop_key_mismatch',
        authenticate: 'DPoP error="invalid_token", algs="ES256"',
      },
    );
  });

  it('sent twice in one request is refused', async () => {
    const machine = await createMachine(api);
    const token = machine.accessToken ?? '';
    const dpop = await makeProof({
      key: machine.key,
      method: 'GET',
      htu: `${api.publicUrl}${api.prefix}${REVOCATION}`,
      nowMs: api.clock.nowMs(),
      accessToken: token,
    });
    const answer = await rawRequest(`${api.prefix}${REVOCATION}`, [
      `DPoP: ${dpop}`,
      `Authorization: DPoP ${token}`,
      'authorization: Bearer x',
    ]);
    expect(answer).toContain('token_invalid');
  });

  it('needs a nonce no more than its policy says, but a wrong one is refused', async () => {
    const phone = await createEnrolledPhone(api);
    const answer = await call(`DPoP ${phone.accessToken}`, {
      key: phone.key,
      accessToken: phone.accessToken,
      claims: { nonce: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
    });
    expect(answer).toMatchObject({ status: 401, code: 'dpop_nonce_required' });
  });
});

describe('the memory of proofs', () => {
  it('refuses proofs from before the database began to remember', async () => {
    const own = await startTestApi();
    const owner = postgres(own.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined });
    try {
      await owner.unsafe(
        `create or replace function latchkey_started_at() returns timestamptz language sql stable security definer
         as $$ select now() + interval '1 hour' $$`,
      );
      const { headers } = await own.app.inject({ url: '/livez' });
      const proof = await makeProof({
        key,
        method: 'GET',
        htu: `${own.publicUrl}${own.prefix}${PATH}`,
        nowMs: own.clock.nowMs(),
        nonce: String(headers['dpop-nonce']),
      });
      const answer = await own.app.inject({
        url: `${own.prefix}${PATH}`,
        headers: { dpop: proof },
      });
      expect(answer.json()).toMatchObject({ status: 401, code: 'dpop_proof_replayed' });
    } finally {
      await owner.end();
      await own.close();
    }
  });
});

/** Over a socket: what a client library would fold or repair. */
async function rawRequest(path: string, headers: readonly string[]): Promise<string> {
  const { connect } = await import('node:net');
  await listening();
  const address = api.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the app does not listen');
  const socket = connect(address.port, '127.0.0.1');
  socket.end(
    [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', ''].join(
      '\r\n',
    ),
  );
  const chunks: Buffer[] = [];
  // A socket yields buffers.
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function listening(): Promise<void> {
  if (!api.app.server.listening) await api.app.listen({ host: '127.0.0.1', port: 0 });
}
