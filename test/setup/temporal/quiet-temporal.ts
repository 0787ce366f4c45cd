/** Temporal's own logging into the void: a test's output shows its tests. Call it before anything of the SDK connects. */
import { installRuntime } from '../../../temporal/runtime-log.ts';

let isQuiet = false;

export function quietTemporal(): void {
  if (isQuiet) return;
  isQuiet = true;
  const drop = () => undefined;
  installRuntime({ debug: drop, info: drop, warn: drop, error: drop }, { level: 'ERROR' });
}
