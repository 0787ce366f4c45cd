/**
 * The import law of DESIGN.md section 2, seen to refuse: files that break it are laid into a house of their own and linted
 * with the real configuration. One that keeps to it lies beside each, so that a rule which refuses everything fails too.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { governedRooms, judgeImport } from '../../.ci/import-law.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** From, the import as written, and the words with which it is refused (undefined: allowed). */
const cases: readonly (readonly [from: string, code: string, refusal?: string])[] = [
  ['domain/a.ts', "import { x } from './session.ts';"],
  [
    'domain/b.ts',
    "import { x } from 'node:crypto';",
    'domain may import no package at all, not node:crypto',
  ],
  ['domain/c.ts', "import { x } from 'crypto';", 'domain may import no package at all, not crypto'],
  ['domain/d.ts', "import type { X } from '../db/session.ts';", 'domain may not import db'],
  ['workflows/a.ts', "import { x } from '@temporalio/workflow';"],
  ['workflows/b.ts', "import type { X } from '../activities/sms.ts';"],
  [
    'workflows/c.ts',
    "import { x } from '../activities/sms.ts';",
    'workflows may import only types from activities',
  ],
  [
    'workflows/d.ts',
    "import { type X, y } from '../activities/sms.ts';",
    'workflows may import only types from activities',
  ],
  [
    'workflows/e.ts',
    "import { x } from 'node:crypto';",
    'workflows may import only @temporalio/workflow',
  ],
  [
    'workflows/f.ts',
    "import { x } from '@temporalio/client';",
    'workflows may import only @temporalio/workflow',
  ],
  ['workflows/g.ts', "import type { X } from '../db/session.ts';", 'workflows may not import db'],
  ['activities/a.ts', "import type { X } from '../db/session.ts';"],
  [
    'activities/b.ts',
    "import { x } from '../db/session.ts';",
    'activities may import only types from db',
  ],
  [
    'activities/c.ts',
    "import { x } from '../adapters/sms/http.ts';",
    'activities may not import adapters',
  ],
  ['adapters/sms/a.ts', "import { x } from '../../domain/ids.ts';"],
  ['adapters/sms/b.ts', "import { x } from '../../db/session.ts';", 'adapters may not import db'],
  ['db/a.ts', "import postgres from 'postgres';"],
  ['db/b.ts', "export { x } from '../temporal/client.ts';", 'db may not import temporal'],
  ['temporal/a.ts', "import { x } from '../domain/ids.ts';"],
  [
    'temporal/b.ts',
    "export * from '../workflows/session.ts';",
    'temporal may not import workflows',
  ],
  ['relay/a.ts', "import type { X } from '../db/outbox.ts';"],
  ['relay/b.ts', "import { x } from '../db/outbox.ts';", 'relay may import only types from db'],
  ['relay/c.ts', "import { x } from '../temporal/client.ts';", 'relay may not import temporal'],
  ['telemetry/a.ts', "import type { X } from '../relay/metrics.ts';"],
  [
    'telemetry/b.ts',
    "import { x } from '../db/connection.ts';",
    'telemetry may import only types from db',
  ],
  ['relay/d.ts', "import type { X } from '../telemetry/a.ts';", 'relay may not import telemetry'],
  ['api/routes/a.ts', "import { x } from '../../workflows/session.ts';"],
  [
    'api/routes/b.ts',
    "import { x } from '../../activities/sms.ts';",
    'api may not import activities',
  ],
  [
    'api/routes/c.ts',
    "import { x } from '../server.ts';",
    'api/server.ts wires the rooms: nobody imports it',
  ],
  ['api/routes/d.ts', "await import('../../adapters/sms/http.ts');", 'api may not import adapters'],
  ['api/server.ts', "import { x } from '../adapters/sms/http.ts';"],
  ['sdk/a.ts', "import { x } from 'jose';"],
  ['sdk/b.ts', "import type { X } from '../domain/ids.ts';", 'sdk may not import domain'],
  ['sdk/c.ts', "export type X = import('../api/schemas/x.ts').X;", 'sdk may not import api'],
  ['console/a.tsx', "import { x } from '../sdk/client.ts';"],
  ['console/b.tsx', "import { x } from '../domain/ids.ts';", 'console may not import domain'],
  ['console/c.tsx', "import { x } from 'node:fs';", 'console runs in a browser'],
  ['runtime/a.ts', "import { x } from '../db/session.ts';"],
  ['cli/a.ts', "import { x } from '../runtime/ports.ts';"],
  [
    'db/c.ts',
    "import { x } from '../runtime/ports.ts';",
    'runtime wires the rooms: nobody imports it',
  ],
  ['db/d.ts', "import { x } from '../cli/doctor.ts';", 'cli wires the rooms: nobody imports it'],
  ['db/e.ts', "import { x } from '../worker.ts';", 'worker.ts wires the rooms: nobody imports it'],
  [
    'db/f.ts',
    "import { x } from '../configuration/configuration.ts';",
    'db may not import configuration',
  ],
  ['configuration/a.ts', "import { isIP } from 'node:net';"],
  [
    'configuration/b.ts',
    "import { x } from '../domain/ids.ts';",
    'configuration may not import domain',
  ],
  [
    'worker.ts',
    "import { x } from './adapters/sms/http.ts'; import { y } from './configuration/configuration.ts';",
  ],
  ['db/g.ts', "import { x } from '../test/setup/servers.ts';", 'db may not import test'],
  [
    'db/h.ts',
    "import { x } from '../../elsewhere/x.ts';",
    'an import may not leave the repository',
  ],
  ['db/i.ts', 'await import(`../${process.argv[2]}/x.ts`);', 'an import names a literal'],
  ['services/a.ts', "import { x } from '../domain/ids.ts';", 'services is not a room'],
  ['test/unit/a.test.ts', "import { x } from '../../runtime/ports.ts';"],
];

/** Ambient time, refused where the clock port is the only clock. */
const timeCases: readonly (readonly [from: string, code: string, refused: boolean])[] = [
  ['domain/t1.ts', 'export const x = Date.now();', true],
  ['api/t2.ts', 'export const x = new Date();', true],
  ['db/t3.ts', "export const x = globalThis.Date['now']();", true],
  ['cli/t4.ts', 'export const x = Date();', true],
  ['relay/t5.ts', 'export const { now } = { now: Date.now };', true],
  ['api/t6.ts', 'export const x = new Date(0).toISOString();', false],
  ['adapters/clock.ts', 'export const x = Date.now();', false],
  ['workflows/t8.ts', 'export const x = Date.now();', false],
  ['console/t9.ts', 'export const x = new Date();', false],
  ['sdk/t10.ts', 'export const x = Date.now();', false],
  ['test/t11.ts', 'export const x = Date.now();', false],
];

interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly filename: string;
}

let house = '';
let found: readonly Diagnostic[] = [];

const messagesFor = (file: string, rule: string): string[] =>
  found
    .filter((one) => one.filename === file && one.code === `latchkey(${rule})`)
    .map((one) => one.message);

beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), 'latchkey-law-'));
  // The real configuration, but for the rules that need a compiler.
  const { options: _typeAware, ...rules } = JSON.parse(
    readFileSync(join(repository, '.oxlintrc.json'), 'utf8'),
  );
  writeFileSync(join(house, '.oxlintrc.json'), JSON.stringify(rules));
  cpSync(join(repository, '.ci'), join(house, '.ci'), { recursive: true });
  writeFileSync(join(house, 'package.json'), '{"type":"module"}');
  for (const [file, code] of [...cases, ...timeCases]) {
    mkdirSync(dirname(join(house, file)), { recursive: true });
    writeFileSync(join(house, file), `${code}\n`);
  }
  const oxlint = join(repository, 'node_modules/oxlint/bin/oxlint');
  const run = spawnSync(process.execPath, [oxlint, '--format=json', '--quiet'], {
    cwd: house,
    encoding: 'utf8',
  });
  // The shape of oxlint's JSON report; a missing field fails the expectations below.
  found = (JSON.parse(run.stdout) as { diagnostics: Diagnostic[] }).diagnostics;
});

afterAll(() => rmSync(house, { recursive: true, force: true }));

describe('the import law', () => {
  for (const [file, code, refusal] of cases) {
    it(`${refusal === undefined ? 'allows' : 'refuses'} in ${file}: ${code}`, () => {
      const messages = messagesFor(file, 'import-law');
      expect(messages).toHaveLength(refusal === undefined ? 0 : 1);
      expect(messages[0] ?? '').toContain(refusal ?? '');
    });
  }

  it('refuses something in every room that it governs', () => {
    const refusedIn = new Set(
      cases.filter(([, , refusal]) => refusal).map(([from]) => from.split('/')[0] ?? from),
    );
    expect(governedRooms.filter((room) => !refusedIn.has(room))).toEqual([]);
  });

  it('keeps the wiring to itself, whichever room asks', () => {
    for (const room of governedRooms) {
      for (const wired of [
        'runtime/x.ts',
        'cli/x.ts',
        'worker/x.ts',
        'worker.ts',
        'api/server.ts',
      ]) {
        const use = { from: `${room}/x.ts`, specifier: `../${wired}`, isTypeOnly: true };
        expect(judgeImport(use)).toContain('nobody imports it');
      }
    }
  });
});

describe('ambient time', () => {
  for (const [file, code, refused] of timeCases) {
    it(`${refused ? 'is refused' : 'is allowed'} in ${file}: ${code}`, () => {
      expect(messagesFor(file, 'no-ambient-time')).toHaveLength(refused ? 1 : 0);
    });
  }
});
