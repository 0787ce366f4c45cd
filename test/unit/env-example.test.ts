/** `.env.example` and the code name the same variables, compared both ways. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ConfigurationError, loadConfiguration } from '../../configuration/configuration.ts';
import { readPorts, stackDirectory } from '../../runtime/stack-options.ts';

const variablesRead = (): string[] => {
  const names = new Set<string>();
  const env = new Proxy<Record<string, string | undefined>>(
    {},
    {
      get: (_, name) => {
        if (typeof name === 'string') names.add(name);
        return undefined;
      },
    },
  );
  expect(() => loadConfiguration(env)).toThrow(ConfigurationError);
  // What only a developer's machine is told.
  readPorts(env);
  stackDirectory(env, '.');
  return [...names].filter((name) => !name.endsWith('_FILE')).toSorted();
};

it('names every variable that the code reads, and none that it does not', () => {
  const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const documented = [...example.matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => `${name}`);
  expect(documented.toSorted()).toEqual(variablesRead());
});

it('explains every variable or the group it stands in', () => {
  const lines = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8').split('\n');
  const bare = lines.filter(
    (line, index) => /^[A-Z]/.test(line) && lines[index - 1]?.trim() === '',
  );
  expect(bare).toEqual([]);
});
