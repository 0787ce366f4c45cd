/** Above the other desks while something is broken: what, for how long, what goes on meanwhile, and one button that mends it all. */
import { texts } from '../texts/texts.ts';
import { Icon } from '../parts/icons.tsx';
import { duration, useNow } from '../parts/time.ts';
import type { PartsState } from './use-parts.ts';
import { brokenParts } from './works-now.ts';
import type { BrokenPart } from './works-now.ts';
import { ResumeAll } from './works-now-list.tsx';

export function OutageStrip({ parts }: { readonly parts: PartsState }) {
  const nowMs = useNow();
  const { view } = parts;
  const broken = view === undefined ? [] : brokenParts(view);
  if (view === undefined || broken.length === 0) return null;
  const { outage, since } = texts.parts;
  const sinceMs = Math.min(...broken.map((part) => view[part].sinceMs));
  const lastedMs = nowMs - sinceMs;
  const isDriven = !broken.includes('worker') && !broken.includes('temporal');
  return (
    <div className="outage" role="status">
      <Icon name="warning" size={18} />
      <p>
        <strong>{titleOf(broken)}</strong>{' '}
        {lastedMs >= 1_000 && <time>{since(duration(lastedMs))}</time>}
        <span>{isDriven ? outage.meanwhile.line : outage.meanwhile.driven}</span>
      </p>
      <ResumeAll parts={parts} view={view} />
    </div>
  );
}

function titleOf(broken: readonly BrokenPart[]): string {
  const { outage } = texts.parts;
  if (broken.includes('temporal')) return broken.includes('worker') ? outage.both : outage.temporal;
  return broken.includes('worker') ? outage.worker : outage.line;
}
