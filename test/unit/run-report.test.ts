/** The runner may not lose a failure: every way a project can go wrong ends in the count. */
import { describe, expect, it } from 'vitest';
import { countVitestReport, formatTable, summaryLine } from '../run-report.ts';

const report = (
  counts: { passed?: number; failed?: number; pending?: number; todo?: number },
  files: unknown[] = [],
) =>
  JSON.stringify({
    numPassedTests: counts.passed ?? 0,
    numFailedTests: counts.failed ?? 0,
    numPendingTests: counts.pending ?? 0,
    numTodoTests: counts.todo ?? 0,
    testResults: files,
  });

const brokenFile = {
  name: 'a.test.ts',
  status: 'failed',
  message: 'cannot load',
  assertionResults: [],
};
const failedTest = {
  name: 'b.test.ts',
  status: 'failed',
  message: '',
  assertionResults: [{ fullName: 'says no', status: 'failed', failureMessages: ['expected yes'] }],
};

describe('a project', () => {
  it('that passed is counted as it says', () => {
    expect(countVitestReport(report({ passed: 3 }), true)).toEqual({
      passed: 3,
      failed: 0,
      skipped: 0,
      failures: [],
    });
  });

  it('counts skipped and todo tests as skipped', () => {
    expect(countVitestReport(report({ passed: 1, pending: 2, todo: 1 }), true)).toMatchObject({
      skipped: 3,
    });
  });

  it.each([
    ['wrote no report', undefined, false, 1],
    ['wrote half a report', '{"numPassed', true, 1],
    ['has no tests', report({}), true, 1],
    ['exited badly though every test passed', report({ passed: 2 }), false, 1],
    ['has a file that does not load', report({ passed: 2 }, [brokenFile]), false, 1],
    ['has a failing test', report({ passed: 2, failed: 1 }, [failedTest]), false, 1],
    ['has both', report({ passed: 2, failed: 1 }, [failedTest, brokenFile]), false, 2],
  ])('fails when it %s', (_, text, hasExitedWell, failures) => {
    const counts = countVitestReport(text, hasExitedWell);
    expect(counts.failed).toBe(failures);
    expect(counts.failures).toHaveLength(failures);
  });
});

describe('the end of the run', () => {
  const steps = [
    { name: 'lint', passed: 1, failed: 0, skipped: 0, seconds: 1.26 },
    { name: 'unit', passed: 9, failed: 2, skipped: 1, seconds: 3 },
  ];

  it('is one line, with the skipped among the failed', () => {
    expect(summaryLine(steps)).toEqual({ line: '10 passed, 3 failed', failed: 3 });
  });

  it('has a table with one row a step', () => {
    expect(formatTable(steps).split('\n')).toEqual([
      'step   passed   failed  skipped  seconds',
      'lint        1        0        0      1.3',
      'unit        9        2        1      3.0',
    ]);
  });
});
