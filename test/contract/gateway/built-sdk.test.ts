/** What a service installs: the SDK and the verifier as JavaScript with types, without TypeScript, without anything of the server. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../', import.meta.url));

let built: string;
beforeAll(async () => {
  await mkdir(join(repository, 'dist'), { recursive: true });
  // Inside the repository, where its packages are found.
  built = await mkdtemp(join(repository, 'dist', 'sdk-test-'));
  const tsc = join(repository, 'node_modules/.bin/tsc');
  await run(tsc, ['-p', join(repository, 'sdk/tsconfig.json'), '--outDir', built]);
});
afterAll(async () => {
  if (built !== undefined) await rm(built, { recursive: true, force: true });
});

describe('the built SDK', () => {
  it('gives a service its verifier', async () => {
    const module = pathToFileURL(join(built, 'verifier/verifier.js')).href;
    const program = `const { createVerifier } = await import('${module}'); process.stdout.write(typeof createVerifier);`;
    const plain = ['--no-experimental-strip-types', '--input-type=module', '-e', program];
    const { stdout } = await run(process.execPath, plain);
    expect(stdout).toBe('function');
    expect(await readFile(join(built, 'verifier/verifier.d.ts'), 'utf8')).toContain(
      'createVerifier(options: VerifierOptions): Verifier',
    );
  });

  it('imports its own files and packages alone', async () => {
    const files = await readdir(built, { recursive: true });
    const scripts = files.filter((name) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(20);
    for (const script of scripts) {
      const text = await readFile(join(built, script), 'utf8');
      const imported = [...text.matchAll(/from '([^']+)'/g)].map(([, from]) => from ?? '');
      expect(imported.filter((from) => /\.ts$|^node:|^\.\.\/\.\.\//.test(from))).toEqual([]);
    }
  });
});
