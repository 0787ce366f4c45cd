/** What `npm test` makes of its steps: the counts of one Vitest report, the table, the last line. Pure. */
export interface StepResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly string[];
}

const failed = (why: string): Counts => ({ passed: 0, failed: 1, skipped: 0, failures: [why] });

const parseReport = (text: string): VitestReport | undefined => {
  try {
    // The shape is that of Vitest's JSON reporter.
    return JSON.parse(text) as VitestReport;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

/**
 * Counts one project. No report, no tests, or a bad exit without a failing test (a broken file, an unhandled rejection)
 * is a failure of its own.
 */
export const countVitestReport = (text: string | undefined, hasExitedWell: boolean): Counts => {
  const report = text === undefined ? undefined : parseReport(text);
  if (report === undefined) return failed('Vitest wrote no report');
  const skipped = report.numPendingTests + report.numTodoTests;
  const failures = report.testResults.flatMap((file) => {
    const tests = file.assertionResults.filter((test) => test.status === 'failed');
    if (tests.length === 0)
      return file.status === 'failed' ? [`${file.name}: ${file.message}`] : [];
    return tests.map(
      (test) => `${file.name}: ${test.fullName}\n${test.failureMessages?.join('\n') ?? ''}`,
    );
  });
  const brokenFiles = failures.length - report.numFailedTests;
  const seen = report.numFailedTests + Math.max(brokenFiles, 0);
  const counts = { passed: report.numPassedTests, failed: seen, skipped, failures };
  if (seen > 0) return counts;
  if (report.numPassedTests + skipped === 0) return failed('the project has no tests');
  if (!hasExitedWell) return { ...counts, failed: 1, failures: ['Vitest failed outside any test'] };
  return counts;
};

/**
 * Counts the lines of `.ci/supply-chain.ts`. What it could not find out counts neither way; a bad exit without a failed line, or no line at
 * all, is a failure of its own.
 */
export const countSupplyChain = (output: string, hasExitedWell: boolean): Counts => {
  const lines = output.split('\n');
  const passed = lines.filter((line) => line.startsWith('passed ')).length;
  const failures = lines.filter((line) => line.startsWith('FAILED '));
  if (passed + failures.length === 0) return failed('the supply chain was not looked at');
  if (!hasExitedWell && failures.length === 0) return failed('the supply chain check broke off');
  return { passed, failed: failures.length, skipped: 0, failures };
};

export const formatTable = (results: readonly StepResult[]): string => {
  const width = Math.max(...results.map(({ name }) => name.length), 4);
  const row = (name: string, cells: readonly string[]) =>
    [name.padEnd(width), ...cells.map((cell) => cell.padStart(8))].join(' ');
  const lines = results.map((result) =>
    row(result.name, [
      `${result.passed}`,
      `${result.failed}`,
      `${result.skipped}`,
      result.seconds.toFixed(1),
    ]),
  );
  return [row('step', ['passed', 'failed', 'skipped', 'seconds']), ...lines].join('\n');
};

/** The last line; every skipped test stands among the failed, because nothing may be skipped. */
export const summaryLine = (results: readonly StepResult[]): { line: string; failed: number } => {
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const notPassed = results.reduce((sum, result) => sum + result.failed + result.skipped, 0);
  return { line: `${passed} passed, ${notPassed} failed`, failed: notPassed };
};
