/** What staff can count on at this moment, in plain words, and what to do meanwhile where something is late or down. For reading. */
import { useCallback, useEffect } from 'react';
import { Banner, Tag } from '../../parts/parts.tsx';
import { duration, exactTimeOf } from '../../parts/time.ts';
import { Told } from '../page-parts.tsx';
import type { PageProps } from '../page-parts.tsx';
import type { WorkingPart } from '../staff-api.ts';
import { useTold } from '../use-told.ts';
import { readingTexts } from './reading-texts.ts';

const LOOK_EVERY_MS = 5_000;
const TONES = { works: 'good', slow: 'wait', down: 'danger' } as const;

export function WorksNowPage({ api, onLost }: PageProps) {
  const { works: text } = readingTexts;
  const shown = useTold(
    useCallback(() => api.worksNow(), [api]),
    LOOK_EVERY_MS,
  );
  const isLost = shown.trouble?.kind === 'logged-out';
  useEffect(() => {
    if (isLost) onLost();
  }, [isLost, onLost]);
  return (
    <section className="card" aria-labelledby="works-now">
      <header className="card-head">
        <h1 id="works-now">{text.title}</h1>
        {shown.value !== undefined && (
          <small>
            {text.asOf} {exactTimeOf(shown.value.at)}
          </small>
        )}
      </header>
      <p className="quiet">{text.text}</p>
      <Told shown={shown} forbidden="">
        {({ parts }) => (
          <>
            {parts.every(({ standing }) => standing === 'works') ? (
              <Banner tone="good">{text.all}</Banner>
            ) : (
              <Banner tone="wait">{text.some}</Banner>
            )}
            <ul className="parts-now">
              {parts.map((part) => (
                <Part key={part.name} part={part} />
              ))}
            </ul>
          </>
        )}
      </Told>
    </section>
  );
}

function Part({ part }: { readonly part: WorkingPart }) {
  const { works: text } = readingTexts;
  const { name, standing, waiting, oldestSeconds, undelivered } = part;
  const said = standing === 'works' ? text.working[name] : text.instead[name];
  return (
    <li>
      <span>
        <strong>{text.names[name] ?? name}</strong>
        {said !== undefined && <small>{said}</small>}
        {standing !== 'works' && waiting > 0 && (
          <small>{text.waiting(waiting, duration(oldestSeconds * 1_000))}</small>
        )}
        {undelivered > 0 && <small>{text.undelivered(undelivered)}</small>}
      </span>
      <Tag tone={TONES[standing]}>{text.standings[standing]}</Tag>
    </li>
  );
}
