/**
 * The fail point of a development process: kills it with SIGKILL at the configured place, once. The marker file proves that the place
 * was reached, and keeps the process that is started next from dying there again. Production refuses the configuration.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noFailPoint } from '../domain/fail-point.ts';
import type { FailPoint } from '../domain/fail-point.ts';

/** Where the marker of a fail point lies when nobody names another file. */
export function failPointMarker(name: string): string {
  return join(tmpdir(), `latchkey-fail-point-${name}`);
}

export function createFailPoint(
  configured: string | undefined,
  markerFile = configured === undefined ? '' : failPointMarker(configured),
): FailPoint {
  if (configured === undefined) return noFailPoint;
  return (name) => {
    if (name !== configured || !leaveMarker(markerFile)) return;
    process.kill(process.pid, 'SIGKILL');
  };
}

/** false: it was there already. */
function leaveMarker(file: string): boolean {
  try {
    const descriptor = openSync(file, 'wx');
    fsyncSync(descriptor);
    closeSync(descriptor);
    return true;
  } catch {
    return false;
  }
}
