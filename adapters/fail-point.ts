/**
 * The fail point of a development process: at a named place it kills itself with SIGKILL, or holds still with SIGSTOP until it is let go on,
 * once. What is left behind in a file proves that the place was reached, and keeps it from happening again. Production refuses it.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noFailPoint } from '../domain/fail-point.ts';
import type { FailPoint } from '../domain/fail-point.ts';

const SIGNALS = { kill: 'SIGKILL', hold: 'SIGSTOP' } as const;

/** Where the marker of a fail point lies when nobody names another file. */
function failPointMarker(name: string): string {
  return join(tmpdir(), `latchkey-fail-point-${name}`);
}

/** Where an order that was carried out lies. */
export function reachedMarker(orderFile: string): string {
  return `${orderFile}.reached`;
}

/** `configured` is the name of a place; or `@` and a file that may say `kill <name>` or `hold <name>` at any time, to a process that runs. */
export function createFailPoint(
  configured: string | undefined,
  markerFile = configured === undefined ? '' : failPointMarker(configured),
): FailPoint {
  if (configured === undefined) return noFailPoint;
  if (configured.startsWith('@')) return obeyFile(configured.slice(1));
  return (name) => {
    if (name !== configured || !leaveMarker(markerFile)) return;
    process.kill(process.pid, 'SIGKILL');
  };
}

function obeyFile(file: string): FailPoint {
  return (name) => {
    const [verb, place] = readOrder(file).split(' ');
    if (place !== name || (verb !== 'kill' && verb !== 'hold') || !takeOrder(file)) return;
    process.kill(process.pid, SIGNALS[verb]);
  };
}

function readOrder(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // There is none, which is how it nearly always is.
    return '';
  }
}

/** false: another process was faster. */
function takeOrder(file: string): boolean {
  try {
    renameSync(file, reachedMarker(file));
    return true;
  } catch {
    return false;
  }
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
