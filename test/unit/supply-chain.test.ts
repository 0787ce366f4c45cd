/** The rules of the supply chain, each shown refusing its own fault in what is otherwise right. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isAllowed, judgeLicences } from '../../.ci/licences.ts';
import { BINARIES_WITHOUT_DIGEST, judgeLockFile } from '../../.ci/lock-file.ts';
import type { LockedPackage, LockFile } from '../../.ci/lock-file.ts';
import { judgeAudit } from '../../.ci/vulnerabilities.ts';
import { countSupplyChain } from '../run-report.ts';

// npm's own file.
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as LockFile;
const { allowScripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  allowScripts: Record<string, boolean>;
};
const withPackage = (path: string, entry: LockedPackage): LockFile => ({
  ...lock,
  packages: { ...lock.packages, [path]: entry },
});
const sound: LockedPackage = { version: '1.0.0', integrity: 'sha512-AAAA' };

describe('the lock file', () => {
  test('is without a fault', () => {
    expect(judgeLockFile(lock, allowScripts)).toEqual([]);
    expect(judgeLockFile(withPackage('node_modules/one', sound), allowScripts)).toEqual([]);
  });

  test.each<[string, LockedPackage, string]>([
    ['a host', { ...sound, resolved: 'https://elsewhere.example/one.tgz' }, 'names the host'],
    ['no digest', { version: '1.0.0' }, 'has no digest'],
    ['a weak digest', { ...sound, integrity: 'sha1-AAAA' }, 'weak digest'],
    ['a script', { ...sound, hasInstallScript: true }, 'would run a script'],
    ['a link', { ...sound, link: true }, 'is a link'],
    ['an end', { ...sound, deprecated: 'use another' }, 'is given up by its author: use another'],
  ])('turns red over a package with %s', (_what, entry, reason) => {
    const faults = judgeLockFile(withPackage('node_modules/one', entry), allowScripts);
    expect(faults).toEqual([expect.stringContaining(reason)]);
  });

  test('turns red when one more binary of another platform has no digest, or a script is no longer allowed', () => {
    const foreign: LockedPackage = { version: '1.0.0', optional: true, os: ['plan9'] };
    const bare = Object.values(lock.packages).filter(
      ({ integrity, optional }) => integrity === undefined && optional === true,
    );
    expect(bare.length).toBeLessThanOrEqual(BINARIES_WITHOUT_DIGEST);
    const more = Array.from(
      { length: BINARIES_WITHOUT_DIGEST - bare.length + 1 },
      (_, index) => [`node_modules/binary-${index}`, foreign] as const,
    );
    const grown = { ...lock, packages: { ...lock.packages, ...Object.fromEntries(more) } };
    expect(judgeLockFile(grown, allowScripts)).toEqual([
      `${BINARIES_WITHOUT_DIGEST + 1} binaries of other platforms have no digest, ${BINARIES_WITHOUT_DIGEST} are known`,
    ]);
    const { node: _node, ...fewer } = allowScripts;
    expect(judgeLockFile(lock, fewer)).toEqual([
      'node_modules/node would run a script at installation that package.json does not allow',
    ]);
  });
});

describe('a licence', () => {
  test.each([
    'MIT',
    '(MIT OR GPL-3.0-only)',
    'Apache-2.0 AND MIT',
    '(GPL-2.0-only OR (ISC AND MIT))',
  ])('%s may be here', (licence) => {
    expect(isAllowed(licence)).toBe(true);
  });

  test.each(['GPL-3.0-only', 'MIT AND GPL-3.0-only', '(MIT', 'MIT ISC', '', 'UNLICENSED'])(
    '%j may not',
    (licence) => {
      expect(isAllowed(licence)).toBe(false);
    },
  );

  test('outside the list, or not told, fails by the name of its package; an idle exception fails too', () => {
    const excepted = [
      { name: 'caniuse-lite', licence: 'CC-BY-4.0' },
      { name: 'unionfs', licence: undefined },
    ];
    expect(judgeLicences(excepted)).toEqual([]);
    expect(
      judgeLicences([
        ...excepted,
        { name: 'one', licence: 'AGPL-3.0-only' },
        { name: 'two', licence: undefined },
        { name: 'three', licence: 'CC-BY-4.0' },
      ]),
    ).toEqual([
      'one is under AGPL-3.0-only, which is not on the list',
      'two says nothing about its licence',
      'three is under CC-BY-4.0, which is not on the list',
    ]);
    expect(judgeLicences([])).toHaveLength(2);
  });
});

describe("npm's word on vulnerabilities", () => {
  const answer = (vulnerabilities: Record<string, { severity: string }>) =>
    JSON.stringify({ vulnerabilities, metadata: {} });

  test('passes when it found none, or only what is told', () => {
    expect(judgeAudit(answer({}), '2026-01-01')).toEqual({ outcome: 'passed', details: [] });
    expect(judgeAudit(answer({ one: { severity: 'low' } }), '2026-01-01')).toEqual({
      outcome: 'passed',
      details: ['one has a vulnerability: low'],
    });
  });

  test.each(['high', 'critical'])('fails over one that is %s', (severity) => {
    expect(judgeAudit(answer({ one: { severity } }), '2026-01-01').outcome).toBe('failed');
  });

  test.each([
    ['', 'no answer'],
    ['{}', 'no answer'],
    ['{"message": "405 Method Not Allowed - POST https://host/path"}', '405 Method Not Allowed'],
  ])('is unknown when it is %j, never passed, and names no host', (text, reason) => {
    expect(judgeAudit(text, '2026-01-01')).toEqual({
      outcome: 'unknown',
      details: [`known vulnerabilities could not be looked up: the registry says ${reason}`],
    });
  });
});

describe('the step of npm test', () => {
  test('counts what passed and failed, and what nobody could say not at all', () => {
    const output = 'passed  one\nUNKNOWN two\n        why\nFAILED  three\n';
    expect(countSupplyChain(output, false)).toMatchObject({ passed: 1, failed: 1, skipped: 0 });
    expect(countSupplyChain('passed  one\nUNKNOWN two\n', true)).toMatchObject({
      passed: 1,
      failed: 0,
    });
  });

  test('fails when it broke off, whatever it had passed', () => {
    expect(countSupplyChain('', false).failed).toBe(1);
    expect(countSupplyChain('', true).failed).toBe(1);
    expect(countSupplyChain('passed  one\n', false).failed).toBe(1);
  });
});
