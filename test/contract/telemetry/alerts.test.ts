/** The alarms: judged by Prometheus's own tool, each just before and just after what it is for, and each with its paragraph for whoever is called. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { debianTool } from '../../setup/programs/debian-tool.ts';
import { metricNames } from '../../setup/documents/metric-names.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const repository = new URL('../../../', import.meta.url);
const folder = fileURLToPath(new URL('ops/prometheus/', repository));
const read = (path: string) => readFileSync(new URL(path, repository), 'utf8');
// The shape that promtool checks.
const { groups } = parse(read('ops/prometheus/alerts.yml')) as {
  groups: { rules: Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);

describe('the alarms', () => {
  let promtool: string;
  const run = (...args: string[]) => promisify(execFile)(promtool, args, { cwd: folder });

  beforeAll(async () => {
    promtool = await debianTool({ package: 'prometheus', executable: 'promtool' });
  });

  test('are rules that Prometheus takes', async () => {
    const { stdout } = await run('check', 'rules', 'alerts.yml');
    expect(stdout).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  test('are found by the example of a configuration', async () => {
    const { stdout } = await run('check', 'config', 'prometheus.yml');
    expect(stdout).toContain('is valid');
  });

  test('sound just after what they are for and not just before', async () => {
    const { stdout } = await run('test', 'rules', 'alerts.test.yml');
    expect(stdout).toContain('SUCCESS');
  });

  test('are each in the tests of the rules, or are plain comparisons that need none', () => {
    const tested = read('ops/prometheus/alerts.test.yml');
    const untested = rules.filter(({ alert }) => !tested.includes(alert));
    expect(untested.map(({ alert }) => alert)).toEqual([
      'GatewaySlow',
      'DatabasePoolExhausted',
      'DatabaseUnavailable',
      'BacklogUnread',
      'RefreshReuse',
      'EventLoopBlocked',
      'WorkersUnseen',
    ]);
  });
});

describe.each(rules)('$alert', ({ alert, annotations, labels, expr }) => {
  test('says what happened, what it means and what to do', () => {
    const { summary = '', meaning = '', action = '' } = annotations;
    for (const part of [summary, meaning, action]) expect(part.length).toBeGreaterThan(20);
    expect(['critical', 'warning']).toContain(labels.severity);
  });

  test('has its paragraph in the runbook', () => {
    expect(annotations['runbook']).toBe(`docs/observability.md#${alert.toLowerCase()}`);
    expect(read('docs/observability.md')).toContain(`\n### ${alert}\n`);
  });

  test('asks for metrics', () => {
    expect(metricNames(expr).length > 0 || expr.startsWith('up{')).toBe(true);
  });
});
