/**
 * Nothing secret leaves its place (DESIGN.md section 1, rule 5): people, codes, tokens and keys that can be recognised go through whole ceremonies on
 * real processes, and then everything that is left behind is searched in every form. What may stand where is test/canary/allowed.ts.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../adapters/clock.ts';
import { createEmbeddedKms } from '../../adapters/kms/embedded.ts';
import type { SecretLabel } from '../../domain/ports.ts';
import { DEMO_FRAUD_KEY, DEMO_STAFF_SECRET } from '../../runtime/demo-secrets.ts';
import { MachineClient } from '../../runtime/machine-client.ts';
import { PayloadEncryption } from '../../temporal/payload-codec.ts';
import { openRows, shortenSecondListing } from '../setup/faults.ts';
import { startOtlpCollector } from '../setup/vendors/otlp-collector.ts';
import type { OtlpCollector } from '../setup/vendors/otlp-collector.ts';
import { ROOMY_POLICY } from '../setup/demo-tenant.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { judge } from './allowed.ts';
import {
  cutOff,
  enroll,
  enrollAgain,
  enrollCancelled,
  enrollExhausted,
  enrollRefused,
  newActor,
  outages,
  useSession,
} from './ceremonies.ts';
import type { Actor, Scene } from './ceremonies.ts';
import { needlesOf } from './needles.ts';
import type { Canary } from './needles.ts';
import { makeKey, makeSecret } from './persons.ts';
import {
  plantInHttp,
  plantInLog,
  plantInPostgres,
  plantInTelemetry,
  plantInTemporal,
} from './planted.ts';
import { createSearch } from './search.ts';
import type { Finding, Haystack, Sink } from './search.ts';
import {
  collectColumns,
  collectCommandLines,
  collectFiles,
  collectLogs,
  collectMessages,
  collectTelemetry,
  collectTemporal,
} from './sinks.ts';
import { workAtTheDesk } from './staff.ts';
import { beStrange } from './stranger.ts';
import { openWiretap } from './wiretap.ts';

const PATIENCE = { timeout: 60_000, interval: 50 };
const DERIVED: readonly SecretLabel[] = [
  'otp',
  'blind-index',
  'refresh-token',
  'dpop-nonce',
  'challenge',
  'update-id',
  'idempotency',
  'limit',
  'freeze-link',
  'recovery-link',
  'recovery-objection',
];
const master = makeKey('canary-master');
const payload = makeKey('canary-payload');
const [smsSecret, identitySecret] = [makeSecret(), makeSecret()];
const canaries: Canary[] = [
  ...master.canaries,
  ...payload.canaries,
  { kind: 'staff secret', value: DEMO_STAFF_SECRET },
  { kind: 'supplier secret', value: smsSecret },
  { kind: 'supplier secret', value: identitySecret },
];
const kms = createEmbeddedKms([{ kid: 'canary-master', key: master.key }]);
for (const label of DERIVED) canaries.push({ kind: 'key', value: kms.secret(label).key });

let collector: OtlpCollector;
let stack: TestStack;
let rows: postgres.Sql;
let scene: Scene;
let actor: Actor;
let connection: Connection;
let haystacks: readonly Haystack[];

beforeAll(async () => {
  collector = await startOtlpCollector();
  stack = await startTestStack({
    hasOwnTemporal: true,
    hasOwnPostgres: true,
    isBehindProxy: true,
    environment: {
      LATCHKEY_LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      LATCHKEY_MASTER_KEYS: master.entry,
      LATCHKEY_PAYLOAD_KEYS: payload.entry,
      SMS_SECRET: smsSecret,
      IDENTITY_SECRET: identitySecret,
    },
  });
  rows = openRows(stack);
  await shortenSecondListing(rows);
  await rows`update policy set document = jsonb_set(document, '{otp,digits}', '10')`;
  // One telephone goes through everything in minutes: no limit is what this test is about.
  await rows`update policy set document = jsonb_set(document, '{limits}', ${rows.json({ ...ROOMY_POLICY.limits })})`;
  for (const url of [stack.database.ownerUrl, stack.database.applicationUrl])
    canaries.push({ kind: 'database password', value: new URL(url).password });
  const wiretap = openWiretap({ others: [staffIssuer(), collector.url] });
  scene = { stack, rows, wiretap, canaries };
  await goThroughEverything();
  connection = await Connection.connect({ address: stack.temporalAddress, connectTimeout: 10_000 });
  haystacks = await collectEverything();
}, 300_000);

afterAll(async () => {
  scene?.wiretap.close();
  await connection?.close();
  await rows?.end();
  await stack?.stop();
  await collector?.stop();
});

function staffIssuer(): string {
  // As the demo's environment holds it.
  const staff = JSON.parse(stack.environment['LATCHKEY_STAFF'] ?? '{}') as {
    demo?: { issuer: string };
  };
  if (staff.demo === undefined) throw new Error('the demo has no staff directory');
  return staff.demo.issuer;
}

async function goThroughEverything(): Promise<void> {
  actor = newActor(scene);
  const customerId = await enroll(scene, actor);
  await useSession(scene, actor);
  await Promise.all([enrollCancelled(scene), enrollExhausted(scene), enrollAgain(scene, actor)]);
  await enrollRefused(scene);
  const strange = beStrange(scene, actor);
  const statuses = await strange;
  expect(statuses.filter((status) => status < 400 || status >= 500)).toEqual([]);
  await cutOff(scene, actor, customerId);
  await readTimeline(customerId);
  await workAtTheDesk(scene, actor, customerId);
  await outages(scene);
  const pending = () => rows`select topic from outbox where status = 'pending'`;
  await vi.waitFor(async () => expect(await pending()).toHaveLength(0), PATIENCE);
}

/** The stream goes on for ever; what is there already comes at once. */
async function readTimeline(customerId: string): Promise<void> {
  const stop = new AbortController();
  const reader = new MachineClient({
    issuer: stack.issuer,
    clientId: 'demo-fraud',
    key: DEMO_FRAUD_KEY,
    scope: 'timeline:read',
    clock: systemClock,
  });
  const answer = await reader.call({
    method: 'GET',
    path: '/ops/timeline',
    query: new URLSearchParams({ customerId }),
    signal: stop.signal,
  });
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString('utf8');
    if (text.includes('fraud.released')) break;
  }
  stop.abort();
  scene.wiretap.note('GET /ops/timeline 200', text);
}

const temporalPlace = () => ({
  connection,
  namespace: stack.namespace,
  codec: new PayloadEncryption({
    namespace: stack.namespace,
    keys: [{ kid: 'canary-payload', key: payload.key }],
  }),
});

async function collectEverything(): Promise<readonly Haystack[]> {
  await rows`checkpoint`;
  return [
    ...(await collectTemporal(temporalPlace())),
    ...(await collectColumns(rows)),
    ...collectFiles('Temporal’s files', stack.directory, /temporal\.db/),
    ...collectFiles('PostgreSQL’s files', join(stack.directory, 'postgres'), /^(base|pg_wal)\//),
    ...(await collectTelemetry(stack, collector)),
    ...collectLogs(stack),
    ...collectCommandLines(stack),
    ...collectMessages(stack),
    ...scene.wiretap.haystacks,
  ];
}

function findIn(places: readonly Haystack[]): readonly Finding[] {
  const planted = [...canaries, ...scene.wiretap.canaries];
  const search = createSearch(planted.flatMap(needlesOf));
  return places.flatMap((place) => search.find(place));
}

describe('after whole ceremonies, everything that can go wrong in them, and a stranger', () => {
  test('every kind of secret was planted, and every place holds something', () => {
    const kinds = new Set([...canaries, ...scene.wiretap.canaries].map(({ kind }) => kind));
    expect([...kinds].toSorted()).toEqual([
      'access token',
      'authorization code',
      'birth date',
      'client assertion',
      'database password',
      'document number',
      'email',
      'id token',
      'key',
      'name',
      'one-time code',
      'phone',
      'proof',
      'push token',
      'refresh token',
      'staff cookie',
      'staff secret',
      'supplier secret',
      'typed code',
    ]);
    const bytes = new Map<Sink, number>();
    for (const { sink, bytes: found } of haystacks)
      bytes.set(sink, (bytes.get(sink) ?? 0) + found.length);
    const small = [...bytes].filter(([, size]) => size < 100);
    expect(small).toEqual([]);
    expect(bytes.size).toBe(13);
    for (const part of ['api', 'worker'] as const)
      expect(stack.lines(part).length).toBeGreaterThan(20);
    expect(existsSync(join(stack.directory, 'postgres', 'base'))).toBe(true);
  });

  test('nothing secret stands where it may not, in any form, and every row of the table is needed', () => {
    const { leaks, unused } = judge(findIn(haystacks));
    expect(leaks).toEqual([]);
    expect(unused).toEqual([]);
  });

  test('the search finds a leak in every place', async () => {
    const keys = [{ kid: 'canary-payload', key: payload.key }];
    const inLog = plantInLog(actor);
    const inTelemetry = await plantInTelemetry(collector, actor);
    const planted = [
      ...(await plantInTemporal(actor, { ...temporalPlace(), keys })),
      ...(await plantInPostgres(scene, actor)),
      ...(await plantInHttp(scene, actor)),
      ...inLog.planted,
      ...inTelemetry.planted,
    ];
    const { leaks } = judge(
      findIn([...(await collectEverything()), inLog.haystack, inTelemetry.haystack]),
    );
    const found = new Set(leaks.map(({ sink, kind }) => `${kind} in a ${sink}`));
    expect(
      planted.map(([sink, kind]) => `${kind} in a ${sink}`).filter((one) => !found.has(one)),
    ).toEqual([]);
    const searched = new Set(planted.map(([sink]) => sink));
    expect(
      haystacks
        .map(({ sink }) => sink)
        .filter((sink) => !searched.has(sink) && sink !== 'command line'),
    ).toEqual([]);
  });
});
