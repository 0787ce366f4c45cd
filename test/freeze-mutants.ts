/** What the tests of freezes and reported devices must find: one change each after which a freeze stops too little, or too long. Made by test/mutants.ts. */
import type { Mutant } from './mutants.ts';

const ROWS = { project: 'contract', test: 'test/contract/database/freeze.test.ts' } as const;
const HTTP = { project: 'api', test: 'test/api/freezes.test.ts' } as const;

export const FREEZE_MUTANTS: readonly Mutant[] = [
  {
    name: 'freeze: what was approved before is used all the same',
    file: 'db/step-up-approval.ts',
    from: 'if (isFrozen && isStoppedByFreeze(before.actionType))',
    to: 'if (isFrozen && !isStoppedByFreeze(before.actionType))',
    project: 'contract',
    test: 'test/contract/race/freeze.test.ts',
  },
  {
    name: 'freeze: links without end',
    file: 'domain/freeze.ts',
    from: 'isProved ? wantedSeconds : Math.min(wantedSeconds, leftSeconds)',
    to: 'isProved ? wantedSeconds : Math.min(wantedSeconds, leftSeconds + 1e9)',
    ...ROWS,
  },
  {
    name: 'freeze: a link that freezes as often as it is opened',
    file: 'db/freeze.ts',
    from: 'if (messageId !== undefined && isLinkUsed)',
    to: "if (messageId === '' && isLinkUsed)",
    ...ROWS,
  },
  {
    name: 'freeze: sessions that keep what moves money',
    file: 'domain/session-standing.ts',
    from: 'const isWithheld = (scope: string) => isFrozen &&',
    to: 'const isWithheld = (scope: string) => !isFrozen &&',
    ...HTTP,
  },
  {
    name: 'freeze: lifted by a session from before it',
    file: 'api/routes/freezes.ts',
    from: 'authTimeMs > sinceMs',
    to: 'authTimeMs > 0',
    ...HTTP,
  },
  {
    name: 'report: lifted from the very device',
    file: 'domain/device-reports.ts',
    from: "if (isOwnersOwn) return { refused: 'other_device_needed' };",
    to: '',
    project: 'contract',
    test: 'test/contract/database/device-reports.test.ts',
  },
];
