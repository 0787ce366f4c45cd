/**
 * What `npm audit` answered, judged: known vulnerabilities, none, or that nobody could say. It must never take an answer that did not come
 * for one that found nothing.
 */
export type Audit =
  | { readonly outcome: 'passed'; readonly details: readonly string[] }
  | { readonly outcome: 'failed'; readonly details: readonly string[] }
  | { readonly outcome: 'unknown'; readonly details: readonly string[] };

/** Below these a finding is told and fails nothing. */
const FAILING = ['high', 'critical'];

/** Findings that may stay a while, by package, with reason and last day (YYYY-MM-DD). Empty is right. */
const ACCEPTED: Readonly<Record<string, readonly [reason: string, lastDay: string]>> = {};

/** @param text standard output of `npm audit --omit=dev --json`. @param today YYYY-MM-DD. */
export const judgeAudit = (text: string, today: string): Audit => {
  const answer = parse(text);
  const found = recordOf(answer?.['vulnerabilities']);
  const metadata = recordOf(answer?.['metadata']);
  if (found === undefined || metadata === undefined) {
    const message = typeof answer?.['message'] === 'string' ? answer['message'] : 'no answer';
    const reason = message.replace(/ - .*$/, '');
    return {
      outcome: 'unknown',
      details: [`known vulnerabilities could not be looked up: the registry says ${reason}`],
    };
  }
  const findings = Object.entries(found).map(([name, finding]) => {
    const severity = recordOf(finding)?.['severity'];
    return { name, severity: typeof severity === 'string' ? severity : 'critical' };
  });
  const details = findings.map(({ name, severity }) => `${name} has a vulnerability: ${severity}`);
  const failing = findings.filter(
    ({ name, severity }) => FAILING.includes(severity) && !((ACCEPTED[name]?.[1] ?? '') >= today),
  );
  return { outcome: failing.length > 0 ? 'failed' : 'passed', details };
};

const parse = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    return undefined;
  }
};

const recordOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined;
