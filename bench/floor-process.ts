/**
 * What is left of an operation when everything but its unavoidable work is taken away: `KIND URL`. The same request over HTTP to an empty handler of
 * the same web framework, its signatures verified and made, one bare statement, an answer as long. No hooks, no log, no schema, no rule: nothing to be
 * copied, only to be measured. Prints its port.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { verifyAuthenticationResponse } from '@simplewebauthn/server';
import { fastify } from 'fastify';
import postgres from 'postgres';
import { readCompactJws } from '../api/proofs/compact-jws.ts';
import { readPublicJwk } from '../api/proofs/dpop.ts';
import { importEs256, isSignedBy, pemOfEs256, signEs256 } from '../api/proofs/es256.ts';
import { createBatches } from '../api/statement-batches.ts';
import { createPhone, makeAssertion } from './people.ts';

const CONNECTIONS = 16;
const MAX_PROOF_LENGTH = 4096;
/** As many bytes as an access token's claims have. */
const CLAIMS = { claims: 'x'.repeat(560) };
const REST_OF_ANSWER = 'x'.repeat(400);

interface Work {
  readonly status: number;
  /** Whether keys come again so often that they are kept imported. */
  readonly remembersKeys: boolean;
  readonly verifiesToken: boolean;
  readonly verifiesPasskey: boolean;
  readonly signs: number;
  /** One for all who wait, as refreshes and gateway checks have it, or one each. */
  readonly statement: 'shared update' | 'shared select' | 'own update';
}

const KINDS: Readonly<Record<string, Work>> = {
  refresh: {
    status: 200,
    remembersKeys: false,
    verifiesToken: false,
    verifiesPasskey: false,
    signs: 1,
    statement: 'shared update',
  },
  verify: {
    status: 200,
    remembersKeys: true,
    verifiesToken: true,
    verifiesPasskey: false,
    signs: 0,
    statement: 'shared select',
  },
  login: {
    status: 200,
    remembersKeys: false,
    verifiesToken: false,
    verifiesPasskey: true,
    signs: 2,
    statement: 'own update',
  },
  revoke: {
    status: 202,
    remembersKeys: true,
    verifiesToken: true,
    verifiesPasskey: false,
    signs: 0,
    statement: 'own update',
  },
};

function createProofCheck(remembersKeys: boolean) {
  const keys = new Map<string, KeyObject>();
  return (proof: unknown): void => {
    const jws = typeof proof === 'string' ? readCompactJws(proof, MAX_PROOF_LENGTH) : undefined;
    const jwk = readPublicJwk(jws?.header['jwk']);
    if (jws === undefined || jwk === undefined) throw new TypeError('a request has its proof');
    const known = remembersKeys ? (keys.get(jwk.x) ?? importEs256(jwk)) : undefined;
    if (known !== undefined) keys.set(jwk.x, known);
    if (!isSignedBy(known ?? pemOfEs256(jwk), jws)) throw new Error('a right proof was refused');
  };
}

async function createRows(url: string, statement: Work['statement']): Promise<() => Promise<void>> {
  const sql = postgres(url, { max: CONNECTIONS, fetch_types: false });
  const rows = await sql<
    { id: number; n: number }[]
  >`select id, n from bench_floor_row order by id`;
  let turn = 0;
  const moved = (count: number, expected: number) => {
    if (count !== expected) throw new Error('a statement found no row');
  };
  const shared = createBatches<{ readonly id: number; n: number }, true>({
    keysOf: ({ id }) => [String(id)],
    ask: async (_, asked) => {
      const ids = `{${asked.map(({ id }) => id).join(',')}}`;
      if (statement === 'shared select') {
        const found =
          await sql`select id, n from bench_floor_row where id = any (${ids}::integer[])`;
        moved(found.count, asked.length);
      } else {
        const ns = `{${asked.map(({ n }) => n).join(',')}}`;
        const done = await sql`
          update bench_floor_row r set n = r.n + 1 from unnest(${ids}::integer[], ${ns}::integer[]) as q (id, n)
          where r.id = q.id and r.n = q.n`;
        moved(done.count, asked.length);
        for (const row of asked) row.n += 1;
      }
      return asked.map(() => true);
    },
  });
  return async () => {
    const row = rows[turn];
    if (row === undefined) throw new TypeError('the rows are made before');
    turn = (turn + 1) % rows.length;
    if (statement !== 'own update') {
      await shared('floor', row);
      return;
    }
    const done =
      await sql`update bench_floor_row set n = n + 1 where id = ${row.id} and n = ${row.n}`;
    moved(done.count, 1);
    row.n += 1;
  };
}

/** Of one assertion, over and over: what it costs does not depend on whose it is. */
function createPasskeyCheck(): () => Promise<void> {
  const phone = createPhone();
  const challenge = randomBytes(80).toString('base64url');
  const [origin, rpId] = ['http://localhost', 'localhost'];
  const response = makeAssertion(phone, { challenge, origin, rpId });
  const { webauthnId, publicKey } = phone.passkey;
  const credential = { id: webauthnId, publicKey: new Uint8Array(publicKey), counter: 0 };
  return async () => {
    const { verified } = await verifyAuthenticationResponse({
      response,
      expectedType: 'webauthn.get',
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      credential,
    });
    if (!verified) throw new Error('a right passkey was refused');
  };
}

async function serve([kind = '', url = '']: readonly string[]): Promise<number> {
  const work = KINDS[kind];
  if (work === undefined) throw new TypeError(`no such floor: ${kind}`);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const token = readCompactJws(signEs256(privateKey, { alg: 'ES256' }, CLAIMS), MAX_PROOF_LENGTH);
  const checkProof = createProofCheck(work.remembersKeys);
  const touchRow = await createRows(url, work.statement);
  const checkPasskey = createPasskeyCheck();
  const app = fastify();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(String(body))));
    },
  );
  app.all('*', async (request, reply) => {
    checkProof(request.headers['dpop']);
    if (work.verifiesToken && (token === undefined || !isSignedBy(publicKey, token)))
      throw new Error('a right token was refused');
    if (work.verifiesPasskey) await checkPasskey();
    await touchRow();
    const tokens = Array.from({ length: work.signs }, () =>
      signEs256(privateKey, { alg: 'ES256' }, CLAIMS),
    );
    reply.code(work.status);
    // Under no name that the load would keep a token of.
    return { tokens, rest: work.signs === 0 ? '' : REST_OF_ANSWER };
  });
  return Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);
}

process.stdout.write(`${String(await serve(process.argv.slice(2)))}\n`);
