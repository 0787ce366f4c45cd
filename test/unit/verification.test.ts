/** docs/verification.md is true of the tree: every command it names can be run, and finds the tests it promises. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FAULT_MUTANTS } from '../fault-mutants.ts';
import { MUTANTS } from '../mutants.ts';

const page = readFileSync('docs/verification.md', 'utf8');
const commands = [...page.matchAll(/`((?:npx|npm|node) [^`]+)`/g)].map(
  ([, command = '']) => command,
);

interface VitestCommand {
  readonly command: string;
  readonly project: string;
  readonly file: string;
  readonly name: string | undefined;
}

const FORM = /^npx vitest run --project (\w+) (test\/\S+\.test\.ts)(?: -t "([^"]+)")?$/;
const vitest = commands
  .filter((command) => command.startsWith('npx '))
  .map((command): VitestCommand => {
    const [, project = '', file = '', name] = FORM.exec(command) ?? [];
    return { command, project, file, name };
  });

describe('docs/verification.md', () => {
  test('names commands at all', () => {
    expect(vitest.length).toBeGreaterThan(50);
  });

  test.each(vitest)('$command', ({ project, file, name }) => {
    expect(file.split('/')[1]).toBe(project);
    expect(existsSync(file)).toBe(true);
    if (name === undefined) return;
    // As written in the file, where quotes inside a sentence may be escaped.
    const source = readFileSync(file, 'utf8').replaceAll("\\'", "'");
    expect(source).toContain(name);
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
