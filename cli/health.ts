/**
 * `latchkey health [PATH] [--port N]`: asks a process of this container how it is, for health checks of images that bring no curl. Exit code 0
 * means yes. It asks loopback only.
 */
import { parseArgs } from 'node:util';
import { isPort } from '../configuration/environment.ts';
import { say, UsageError } from './terminal.ts';

/** Less than whoever asks waits. */
const DEADLINE_MS = 3_000;

export async function health(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { port: { type: 'string' } },
  });
  const port = values.port ?? (process.env['LATCHKEY_PORT'] || '4600');
  const path = positionals[0] ?? '/readyz';
  if (positionals.length > 1 || !path.startsWith('/') || !isPort(port)) {
    throw new UsageError('health takes one path, which begins with a slash, and a port');
  }
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    signal: AbortSignal.timeout(DEADLINE_MS),
    redirect: 'error',
  });
  const text = await response.text();
  say(response.ok ? `${path} answered ${response.status}` : text.slice(0, 1_000));
  return response.ok ? 0 : 1;
}
