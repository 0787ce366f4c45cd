/** What is broken and what still works meanwhile, told from the parts alone. Pure. */
import type { PartsView } from '../stage/parts-view.ts';

export type Ability = 'hotPath' | 'cutOff' | 'ceremonies' | 'messages';
/** `later`: it takes effect at once and is confirmed later. */
export type Working = 'works' | 'waits' | 'later' | 'unreachable';
export type BrokenPart = 'line' | 'worker' | 'temporal';

export const ABILITIES: readonly Ability[] = ['hotPath', 'cutOff', 'ceremonies', 'messages'];

/** An armed line is not broken yet, and a part that is starting does not work yet. */
export function brokenParts({ line, worker, temporal }: PartsView): readonly BrokenPart[] {
  const broken: BrokenPart[] = [];
  if (line.status === 'down') broken.push('line');
  if (worker.status !== 'up') broken.push('worker');
  if (temporal.status !== 'up' && temporal.status !== 'not_ours') broken.push('temporal');
  return broken;
}

/** PostgreSQL decides the hot path and the cut-off; ceremonies need Temporal and a worker; messages go out through the worker. */
export function worksNow(broken: readonly BrokenPart[]): Readonly<Record<Ability, Working>> {
  const isDriven = !broken.includes('worker') && !broken.includes('temporal');
  const reached = (working: Working): Working =>
    broken.includes('line') ? 'unreachable' : working;
  return {
    hotPath: reached('works'),
    cutOff: isDriven ? 'works' : 'later',
    ceremonies: reached(isDriven ? 'works' : 'waits'),
    messages: broken.includes('worker') ? 'waits' : 'works',
  };
}
