/**
 * The limits that figures are held against, each measured in one thread by a process of its own on the API's core: `cas URL CONNECTIONS`,
 * `es256` and `passkey`, then the seconds. Prints how many a second. It must do nothing besides what it counts.
 */
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { verifyAuthenticationResponse } from '@simplewebauthn/server';
import postgres from 'postgres';
import { createPhone, makeAssertion } from './people.ts';

const ROWS = 10_000;
/** Looking at the clock costs as much as a little work. */
const BATCH = 50;

async function compareAndSet(url: string, connections: number, seconds: number): Promise<number> {
  const sql = postgres(url, { max: connections, fetch_types: false });
  const counts = new Map<number, number>();
  for (const { id, n } of await sql<{ id: number; n: number }[]>`select id, n from bench_row`)
    counts.set(id, n);
  const [warm] = await sql`select 1 as one`;
  if (warm === undefined) throw new Error('PostgreSQL is not there');
  let done = 0;
  const beganAt = performance.now();
  const endsAt = beganAt + seconds * 1000;
  const drive = async (lane: number) => {
    // Each keeps to rows of its own, so that none is lost to another.
    for (
      let row = lane;
      performance.now() < endsAt;
      row = row + connections < ROWS ? row + connections : lane
    ) {
      const n = counts.get(row) ?? 0;
      const moved = await sql`update bench_row set n = n + 1 where id = ${row} and n = ${n}`;
      if (moved.count !== 1) throw new Error('a compare-and-set was lost');
      counts.set(row, n + 1);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, lane) => drive(lane)));
  const elapsed = (performance.now() - beganAt) / 1000;
  await sql.end();
  return done / elapsed;
}

function es256(seconds: number): number {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const dsaEncoding = 'ieee-p1363';
  const data = randomBytes(300);
  const signature = sign('sha256', data, { key: privateKey, dsaEncoding });
  const beganAt = performance.now();
  let done = 0;
  while (performance.now() - beganAt < seconds * 1000) {
    for (let turn = 0; turn < BATCH; turn += 1)
      if (!verify('sha256', data, { key: publicKey, dsaEncoding }, signature))
        throw new Error('a right signature was refused');
    done += BATCH;
  }
  return done / ((performance.now() - beganAt) / 1000);
}

async function passkey(seconds: number): Promise<number> {
  const phone = createPhone();
  const asked = {
    challenge: randomBytes(80).toString('base64url'),
    origin: 'http://localhost',
    rpId: 'localhost',
  };
  const response = makeAssertion(phone, asked);
  const { webauthnId, publicKey } = phone.passkey;
  const credential = { id: webauthnId, publicKey: new Uint8Array(publicKey), counter: 0 };
  const beganAt = performance.now();
  let done = 0;
  while (performance.now() - beganAt < seconds * 1000) {
    const { verified } = await verifyAuthenticationResponse({
      response,
      expectedType: 'webauthn.get',
      expectedChallenge: asked.challenge,
      expectedOrigin: asked.origin,
      expectedRPID: asked.rpId,
      requireUserVerification: true,
      credential,
    });
    if (!verified) throw new Error('a right passkey was refused');
    done += 1;
  }
  return done / ((performance.now() - beganAt) / 1000);
}

async function measure([kind, ...words]: readonly string[]): Promise<number> {
  const seconds = Number(words.at(-1));
  if (!(seconds > 0)) throw new TypeError('for how many seconds?');
  switch (kind) {
    case 'cas':
      return await compareAndSet(words[0] ?? '', Number(words[1]), seconds);
    case 'es256':
      return es256(seconds);
    case 'passkey':
      return await passkey(seconds);
    case undefined:
    default:
      throw new TypeError(`no such baseline: ${kind ?? 'none'}`);
  }
}

process.stdout.write(`${String(await measure(process.argv.slice(2)))}\n`);
