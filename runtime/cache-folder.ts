/** Where programs that were built or fetched once are kept for every checkout on this machine. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$XDG_CACHE_HOME/latchkey`, else `~/.cache/latchkey`. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment['XDG_CACHE_HOME'];
  const isUsable = base !== undefined && base.startsWith('/');
  return join(isUsable ? base : join(homedir(), '.cache'), 'latchkey');
}
