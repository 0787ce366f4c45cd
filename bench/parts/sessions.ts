/**
 * Refresh over five million generated sessions against ten thousand: the tables grow by so much, a refresh must hardly notice. The generated ones
 * are as right as any: every one has a customer, a device and a passkey, and a token that can be made again from its number.
 */
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type postgres from 'postgres';
import { encodeRefreshToken, firstToken, tokenHash } from '../../api/tokens/refresh-token.ts';
import { DEMO_APP_CLIENT } from '../../db/bootstrap.ts';
import { connectDatabase } from '../../db/connection.ts';
import { expireOverdueSessions } from '../../db/session-lifecycle.ts';
import { formatId } from '../../domain/ids.ts';
import type { Bed } from '../bed.ts';
import { runClosed } from '../load.ts';
import { refreshes, turns } from '../operations.ts';
import type { Holder } from '../operations.ts';
import type { Phone } from '../people.ts';
import { median, percentile } from '../statistics.ts';
import { withoutErrors } from './part.ts';
import type { Bench, Part } from './part.ts';

const SESSIONS = { full: 5_000_000, quick: 50_000 } as const;
/** Ten sessions each, as nobody has: the other tables grow too, in less time. */
const SESSIONS_OF_CUSTOMER = 10;
const REFRESHES = { full: 2_000, quick: 1_000 } as const;
/** Proofs are good for a minute: more in stock would grow old. */
const AT_ONCE = 500;
const DAY_MS = 86_400_000;

export const sessions: Part = async (bench) => {
  const { bed, size, say } = bench;
  const phones = await bench.phones();
  const total = size.isQuick ? SESSIONS.quick : SESSIONS.full;
  const few = await measure(bench, turns(phones));
  say(`10,000 sessions: p50 ${few.p50.toFixed(2)} ms, p95 ${few.p95.toFixed(2)} ms`);
  await generate(bed, phones, { total, say });
  const many = await measure(bench, anyOf(bed, phones, total));
  say(`a sweep of them: ${(await timeSweep(bed)).toFixed(0)} ms`);
  say(`${String(total)} sessions: p50 ${many.p50.toFixed(2)} ms, p95 ${many.p95.toFixed(2)} ms`);
  return [
    {
      figure: `refresh latency at ${String(total)} sessions, p50`,
      measured: `${many.p50.toFixed(2)} ms`,
      baseline: `${few.p50.toFixed(2)} ms at 10000`,
      value: many.p50 / few.p50,
      unit: 'ratio',
      target: { bound: 'at most', value: 1.3 },
      seen: { fewRounds: few.rounds, manyRounds: many.rounds, fewP95: few.p95, manyP95: many.p95 },
    },
  ];
};

/** What the sweeper does every so often: it must not read what is not due. */
async function timeSweep({ postgres: server, tenantId }: Bed): Promise<number> {
  const database = connectDatabase({ url: server.applicationUrl() });
  try {
    const beganAt = performance.now();
    const { limit, graceSeconds } = { limit: 5_000, graceSeconds: 60 };
    await database.tenant(tenantId, (tx) =>
      expireOverdueSessions(tx, { tenantId, limit, graceSeconds }),
    );
    return performance.now() - beganAt;
  } finally {
    await database.close();
  }
}

/** One connection: what a single refresh takes, without a queue. */
async function measure({ bed, size }: Bench, next: () => Holder) {
  const operation = refreshes(bed, next);
  const count = size.isQuick ? REFRESHES.quick : REFRESHES.full;
  const [rounds, p95]: [number[], number[]] = [[], []];
  for (let round = 0; round < size.rounds; round += 1) {
    const latenciesMs: number[] = [];
    while (latenciesMs.length < count) {
      operation.prepare(AT_ONCE);
      const load = { port: bed.port, connections: 1, seconds: 120, atMost: AT_ONCE };
      latenciesMs.push(...withoutErrors('refresh', await runClosed(operation, load)).latenciesMs);
    }
    rounds.push(percentile(latenciesMs, 0.5));
    p95.push(percentile(latenciesMs, 0.95));
  }
  return { p50: median(rounds), p95: median(p95), rounds };
}

/** Any of the generated sessions, none twice: its first token is good once. */
function anyOf(bed: Bed, phones: readonly Phone[], total: number): () => Holder {
  const taken = new Set<number>();
  return () => {
    let number = Math.floor(Math.random() * total);
    while (taken.has(number)) number = Math.floor(Math.random() * total);
    taken.add(number);
    const { sessionId, token } = generated(bed, number, total);
    const { key } = keyOf(phones, number);
    const binding = { tenantId: bed.tenantId, jkt: key.jkt };
    if (token.family !== sessionId) throw new TypeError('a token names its session');
    return { key, refreshToken: encodeRefreshToken(bed.kms, token, binding), accessToken: '' };
  };
}

function keyOf(phones: readonly Phone[], number: number): Phone {
  const phone = phones[number % phones.length];
  if (phone === undefined) throw new TypeError('a load needs phones');
  return phone;
}

/** Spread over the last 20 days, in the order of their ids, as logins come in. */
function generated({ kms }: Bed, number: number, total: number) {
  const random = hash('sha256', `id ${String(number)}`, 'buffer');
  const beganAtMs = EPOCH_MS - Math.floor((20 * DAY_MS * (total - number)) / total);
  const sessionId = formatId('session', beganAtMs, random);
  const salt = hash('sha256', `salt ${String(number)}`, 'buffer');
  return { sessionId, salt, beganAtMs, token: firstToken(kms, { family: sessionId, salt }) };
}

const EPOCH_MS = Date.now();

async function generate(
  bed: Bed,
  phones: readonly Phone[],
  { total, say }: { readonly total: number; readonly say: (line: string) => void },
): Promise<void> {
  const { sql } = bed;
  const beganAt = performance.now();
  await sql`alter system set max_wal_size = '8GB'`;
  await sql`select pg_reload_conf()`;
  await generateCustomers(bed, total / SESSIONS_OF_CUSTOMER);
  await sql.begin(async (tx) => {
    // Foreign keys are right by construction; looking each up would take longer than everything else, and so would growing indexes row by row.
    await tx`set local session_replication_role = replica`;
    const indexes = await dropIndexes(tx);
    const copy = await tx`copy session (${tx(COLUMNS)}) from stdin`.writable();
    for (let number = 0; number < total; number += ROWS_AT_ONCE) {
      const rows = Array.from({ length: Math.min(ROWS_AT_ONCE, total - number) }, (_, index) =>
        sessionRow(bed, phones, { number: number + index, total }),
      );
      if (!copy.write(rows.join(''))) await once(copy, 'drain');
    }
    copy.end();
    await finished(copy);
    for (const definition of indexes) await tx.unsafe(definition);
  });
  // As autovacuum would in time.
  await sql`vacuum analyze customer, device, credential, session`;
  await sql`checkpoint`;
  const seconds = Math.round((performance.now() - beganAt) / 1000);
  say(`generated ${String(total)} sessions in ${String(seconds)} s`);
}

/** All of the table's but its primary key; answers how they are made again. */
async function dropIndexes(tx: postgres.TransactionSql): Promise<readonly string[]> {
  const found = await tx<{ name: string; definition: string }[]>`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
    where indrelid = 'session'::regclass and not indisprimary`;
  for (const { name } of found) await tx`drop index ${tx(name)}`;
  return found.map(({ definition }) => definition);
}

const ROWS_AT_ONCE = 1_000;
const COLUMNS = [
  'tenant_id',
  'session_id',
  'customer_id',
  'device_id',
  'credential_id',
  'client_id',
  'status',
  'epoch',
  'jkt',
  'acr',
  'amr',
  'auth_time',
  'scopes',
  'risk',
  'current_hash',
  'salt',
  'key_id',
  'policy_version',
  'started_at',
  'last_seen_at',
  'idle_deadline',
  'absolute_deadline',
  'sweep_policy',
  'sweep_at',
];

/** A line of COPY's text format: tabs between, nothing in it that needs escaping but bytea's backslash. */
function sessionRow(
  bed: Bed,
  phones: readonly Phone[],
  { number, total }: { readonly number: number; readonly total: number },
): string {
  const { sessionId, salt, beganAtMs, token } = generated(bed, number, total);
  const owner = String(number % (total / SESSIONS_OF_CUSTOMER));
  const began = new Date(beganAtMs).toISOString();
  const bytes = (value: Uint8Array) => `\\\\x${Buffer.from(value).toString('hex')}`;
  const cells = [
    bed.tenantId,
    sessionId,
    `cus_generated${owner}`,
    `dev_generated${owner}`,
    `crd_generated${owner}`,
    DEMO_APP_CLIENT,
    'live',
    '1',
    keyOf(phones, number).key.jkt,
    'latchkey:2',
    '{swk,user}',
    began,
    '{openid,accounts:read}',
    'not_evaluated',
    bytes(tokenHash(token)),
    bytes(salt),
    token.keyId,
    '1',
    began,
    began,
    new Date(beganAtMs + 30 * DAY_MS).toISOString(),
    new Date(beganAtMs + 90 * DAY_MS).toISOString(),
    '1',
    new Date(beganAtMs + 30 * DAY_MS).toISOString(),
  ];
  return `${cells.join('\t')}\n`;
}

async function generateCustomers({ sql, tenantId }: Bed, count: number): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx`insert into customer (tenant_id, customer_id, status, locale, activated_at)
      select ${tenantId}, 'cus_generated' || i, 'active', 'en', now() from generate_series(0, ${count - 1}::integer) i`;
    await tx`insert into device (tenant_id, device_id, customer_id, client_id, status, name, platform, session_jkt, session_jwk,
        approval_jkt, approval_jwk, attestation_level, trusted_at)
      select ${tenantId}, 'dev_generated' || i, 'cus_generated' || i, ${DEMO_APP_CLIENT}, 'trusted', 'Phone', 'bench', 'session-key-' || i,
        '{}', 'approval-key-' || i, '{}', 'software', now() from generate_series(0, ${count - 1}::integer) i`;
    await tx`insert into credential (tenant_id, credential_id, customer_id, device_id, webauthn_id, public_key, user_handle, sign_count,
        aaguid, attestation_format, backup_eligible, backed_up, status)
      select ${tenantId}, 'crd_generated' || i, 'cus_generated' || i, 'dev_generated' || i, 'passkey-' || i, '\\x00', '\\x00', 0, '', 'none',
        false, false, 'active' from generate_series(0, ${count - 1}::integer) i`;
  });
}
