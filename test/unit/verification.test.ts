/** docs/verification.md and docs/operations.md are true of the tree: every command they name can be run, and finds the tests it promises. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FAULT_MUTANTS } from '../fault-mutants.ts';
import { MUTANTS } from '../mutants.ts';

const page = readFileSync('docs/verification.md', 'utf8');
const threats = readFileSync('docs/threat-model.md', 'utf8');
const commandsOf = (text: string): string[] =>
  [...text.matchAll(/`((?:npx|npm|node) [^`]+)`/g)].map(([, command = '']) => command);
const operations = readFileSync('docs/operations.md', 'utf8');
const commands = commandsOf(`${page}\n${operations}`);

interface VitestCommand {
  readonly command: string;
  readonly project: string;
  readonly file: string;
  readonly name: string | undefined;
}

const FORM = /^npx vitest run --project (\w+) (test\/\S+\.test\.ts)(?: -t "([^"]+)")?$/;
const vitestOf = (all: readonly string[]): VitestCommand[] =>
  all
    .filter((command) => command.startsWith('npx '))
    .map((command) => {
      const [, project = '', file = '', name] = FORM.exec(command) ?? [];
      return { command, project, file, name };
    });
const vitest = vitestOf(commands);

/** The project is the file's folder, and the name stands in the file, where quotes inside a sentence may be escaped. */
const findsItsTests = ({ project, file, name }: VitestCommand): boolean => {
  if (file.split('/')[1] !== project || !existsSync(file)) return false;
  const source = readFileSync(file, 'utf8').replaceAll("\\'", "'");
  return name === undefined || source.includes(name);
};

describe('docs/verification.md and docs/operations.md', () => {
  test('names commands at all', () => {
    expect(vitest.length).toBeGreaterThan(50);
  });

  test.each(vitest)('$command', (command) => {
    expect(command).toSatisfy(findsItsTests);
  });

  test('says for every part that may be down which test shows it', () => {
    const [, table = ''] = operations.split('## What works when which part is down');
    const lines = (table.split('\n## ')[0] ?? '')
      .split('\n')
      .filter((line) => line.startsWith('| '));
    expect(lines.length).toBeGreaterThan(10);
    expect(lines.slice(2).filter((line) => !line.includes('npx vitest run'))).toEqual([]);
  });

  test('names scripts and mutants that there are', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const unknown = commands.filter((command) => {
      const mutant = /^node test\/mutants\.ts "([^"]+)"$/.exec(command)?.[1];
      if (mutant !== undefined) return !MUTANTS.some(({ name }) => name.includes(mutant));
      const script = /^npm (?:run )?([\w:-]+)$/.exec(command)?.[1];
      const isBuiltIn = command === 'npm ci' || command.startsWith('npm ci && ');
      return command.startsWith('npm ') && !isBuiltIn && !Object.hasOwn(scripts, script ?? '');
    });
    expect(unknown).toEqual([]);
  });

  test('leaves no fault test and no recovery out', () => {
    const files = readdirSync('test/faults').filter((file) => file.endsWith('.test.ts'));
    expect(files.filter((file) => !page.includes(`test/faults/${file}`))).toEqual([]);
    const recoveries = FAULT_MUTANTS.map(({ name }) => name.replace('fault: ', ''));
    expect(recoveries.filter((name) => !page.includes(name))).toEqual([]);
  });
});

describe('docs/threat-model.md', () => {
  const rows = threats.split('\n').filter((line) => line.startsWith('| '));
  /** The tables from section 1 on; what stands before them is no attack. */
  const attacks = threats
    .slice(threats.indexOf('\n## Section 1'))
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (attack|---) /.test(line));

  test.each(vitestOf(commandsOf(threats)))('$command', (command) => {
    expect(command).toSatisfy(findsItsTests);
  });

  test('shows each attack refused, or says which issue brings the answer', () => {
    expect(attacks.length).toBeGreaterThan(50);
    const isHonest = (row: string) => row.includes('`npx vitest ') || row.includes('not yet: ');
    expect(attacks.filter((row) => !isHonest(row))).toEqual([]);
  });

  test('answers every attack of the list in the security design, by name', () => {
    for (const attack of [
      'SIM swap',
      'Mailbox takeover',
      'Dishonest agent',
      'Malware with accessibility service',
      'Relayed or injected liveness',
      'Fatigue',
      'Shared codes',
      'Stolen unlocked phone',
      'One proofed person under two numbers',
      'Caller who says he is the bank',
      'Thief as vetoer',
    ]) {
      expect(rows.filter((row) => row.includes(`**${attack}**`))).toHaveLength(1);
    }
  });
});
