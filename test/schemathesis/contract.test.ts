/**
 * The API keeps what docs/openapi.json says, asked by a tool that knows nothing but that document: schemathesis makes requests, the proxy signs them as each
 * kind of caller would. What needs a story, a success or a refusal, is walked by real clients through the same proxy.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRows } from '../setup/faults.ts';
import { createKeyPair } from '../setup/proof.ts';
import { pythonTool } from '../setup/programs/python-tool.ts';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';
import { coverageOf, ELSEWHERE } from './coverage.ts';
import { readOperations } from './operations.ts';
import { prepareDocument } from './prepared-document.ts';
import { createStaffSigner } from './staff-signer.ts';
import { createSigner } from './signer.ts';
import { startSigningProxy } from './signing-proxy.ts';
import type { SigningProxy } from './signing-proxy.ts';
import { succeedAtDesk } from './walk-staff.ts';
import { refuseEverywhere, seed, succeedEverywhere } from './walk.ts';

/** Another one by LATCHKEY_SCHEMATHESIS_SEED, to look further. */
const SEED = env['LATCHKEY_SCHEMATHESIS_SEED'] ?? '4711';
const EXAMPLES = env['LATCHKEY_SCHEMATHESIS_EXAMPLES'] ?? '10';
const IDENTITY_SECRET = 'a-secret-of-the-contract-test';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
];
/** Not at the desk: there `search` in the place of a customer's id is the address of another operation. Its 405 are test/api/staff-door.test.ts's. */
const CHECKS_OF = {
  public: [...CHECKS, 'unsupported_method'],
  operations: CHECKS,
} as const;
const operations = readOperations();
let proxy: SigningProxy;
let desk: SigningProxy;
let stack: TestStack;
let rows: postgres.Sql;
let folder: string;
let schemathesis: string;
let seeded: Awaited<ReturnType<typeof seed>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-contract-'));
  schemathesis = await pythonTool({
    package: 'schemathesis',
    version: '4.32.5',
    executable: 'schemathesis',
  });
  proxy = await startSigningProxy(operations);
  desk = await startSigningProxy(operations);
  stack = await startTestStack({
    environment: {
      LATCHKEY_PUBLIC_URL: proxy.url,
      LATCHKEY_OPERATIONS_URL: desk.url,
      IDENTITY_SECRET,
    },
    onPorts: (ports) => {
      proxy.aimAt(ports.api);
      desk.aimAt(ports.operations);
    },
  });
  rows = openRows(stack);
  const key = await createKeyPair();
  await rows`update policy set document = jsonb_set(document, '{revocation,secondListingSeconds}', '2')`;
  // One key sends for every enrolling phone here: its limit would hide what comes after.
  await rows`update policy set document = jsonb_set(document, '{limits,stepsOfDevice}', '1000000')`;
  await rows`update policy set document = jsonb_set(document, '{limits,loginsOfDevice}', '1000000')`;
  seeded = await seed(stack, rows, key.jkt);
  proxy.signWith(
    createSigner({
      publicUrl: stack.publicUrl,
      issuer: stack.issuer,
      identitySecret: IDENTITY_SECRET,
      gateway: { id: 'demo-bank', origin: stack.stageControl.url, path: '/bank/accounts' },
      key,
      customer: seeded.customer,
      leaving: seeded.leaving,
    }),
  );
  desk.signWith(createStaffSigner(stack));
}, 240_000);

afterAll(async () => {
  await rows?.end();
  await stack?.stop();
  await proxy?.stop();
  await desk?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Run {
  readonly code: number | null;
  readonly output: string;
}

async function runSchemathesis(
  document: unknown,
  { door, examples, only }: { door: 'public' | 'operations'; examples: string; only?: string },
): Promise<Run> {
  const file = join(folder, 'prepared.json');
  await writeFile(file, JSON.stringify(document));
  const args = [
    'run',
    file,
    '--url',
    (door === 'public' ? proxy : desk).url,
    '--seed',
    SEED,
    '--max-examples',
    examples,
    '--phases',
    'examples,coverage,fuzzing',
    '--checks',
    CHECKS_OF[door].join(','),
    // Python 3.11 cannot be relied on to read its own sources in two threads.
    '--workers',
    '1',
    '--no-color',
    '--generation-database',
    'none',
    ...(only === undefined ? [] : ['--include-operation-id', only]),
  ];
  return await new Promise((resolve) => {
    execFile(
      schemathesis,
      args,
      { cwd: folder, maxBuffer: 2 ** 26, env: { ...env, PYTHONHASHSEED: '0' } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, output: stdout + stderr });
      },
    );
  });
}

const nobody = (prefix: string): string[] => [
  `${prefix}_${'0'.repeat(12)}7${'0'.repeat(3)}8${'0'.repeat(15)}`,
];

const prepared = (door: 'public' | 'operations'): unknown =>
  prepareDocument(operations.document, {
    door,
    inPaths: {
      tenant: ['demo'],
      enrollmentId: [...seeded.enrollments, ...nobody('cer')],
      stepUpId: nobody('cer'),
      recoveryId: nobody('cer'),
      revocationId: nobody('rev'),
      // Staff freeze it and recover it: no request may be signed by it.
      customerId: [seeded.atDesk, ...nobody('cus')],
      sessionId: nobody('ses'),
      // Else it would find the caller's own in an answer, and stop it.
      deviceId: nobody('dev'),
      credentialId: nobody('crd'),
      holdId: nobody('hld'),
      approvalId: nobody('apr'),
      outboxId: nobody('out'),
    },
    inBodies: {
      startEnrollment: { clientId: ['demo-app', 'nobody'] },
      createLoginOptions: { clientId: ['demo-app', 'nobody'] },
      login: { clientId: ['demo-app'] },
      revoke: { client_id: ['demo-app', 'nobody'] },
      fraudSignal: { customerId: nobody('cus') },
      releaseHold: { customerId: nobody('cus') },
    },
  });

describe('the API', () => {
  test('a planted 500 turns schemathesis red', async () => {
    proxy.breakOperation('jwks');
    const { code, output } = await runSchemathesis(prepared('public'), {
      door: 'public',
      examples: '2',
      only: 'jwks',
    });
    proxy.breakOperation(undefined);
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('Server error') });
  });

  test.each(['public', 'operations'] as const)(
    'keeps its document at the %s door whatever schemathesis sends',
    async (door) => {
      process.stderr.write(`schemathesis: seed ${SEED}, ${EXAMPLES} examples an operation\n`);
      const { code, output } = await runSchemathesis(prepared(door), { door, examples: EXAMPLES });
      // Whole: it says which request failed, and how to send it again.
      if (code !== 0) process.stderr.write(`${output}\n`);
      expect(code).toBe(0);
    },
    300_000,
  );

  test('every operation reaches its success, every refusal that it documents, and no answer that it does not', async () => {
    await succeedEverywhere(stack, rows);
    await succeedAtDesk(stack, rows);
    for (const one of [proxy, desk]) await refuseEverywhere(operations, one, seeded.enrollments);
    const exchanges = [...proxy.exchanges, ...desk.exchanges];
    const coverage = coverageOf(operations.places, exchanges);
    process.stderr.write(`${coverage.report}\n`);
    expect(coverage.withoutSuccess).toEqual([]);
    expect(coverage.missing).toEqual([]);
    const answered = exchanges.filter(({ status }) => status !== 500);
    expect(answered.flatMap((exchange) => operations.breach(exchange) ?? [])).toEqual([]);
  });

  test.each(ELSEWHERE)('$codes is brought about by $shownBy', ({ codes, shownBy }) => {
    const source = readFileSync(shownBy, 'utf8');
    expect(codes.filter((code) => !source.includes(code))).toEqual([]);
  });

  test('nothing was ever answered with a 500 but what the test broke', () => {
    const defects = [...proxy.exchanges, ...desk.exchanges].filter(
      ({ status, operationId }) => status === 500 && operationId !== 'jwks',
    );
    expect(defects.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });
});
