/** `npm run test:vectors -- FOLDER`: conformance tests over data that others wrote and that is not kept in this repository. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('name the folder of the vectors: npm run test:vectors -- FOLDER\n');
  process.exitCode = 2;
} else {
  const child = spawn(process.execPath, [vitest, 'run', '--project', 'vectors'], {
    stdio: 'inherit',
    env: { ...process.env, LATCHKEY_VECTORS: resolve(folder) },
  });
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
