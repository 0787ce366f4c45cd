/** The Node that runs TypeScript as it is: this one when it can, else the one pinned among the dependencies. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export function nodeExecutable(): string {
  if (process.features.typescript !== false) return process.execPath;
  const home = dirname(createRequire(import.meta.url).resolve('node/package.json'));
  return join(home, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}
