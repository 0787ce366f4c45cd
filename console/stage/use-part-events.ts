/** What was broken and mended since the page opened, each beside what the phone was busy with then. */
import { useCallback, useRef, useState } from 'react';
import { shortBuild } from '../behind/builds.ts';
import type { StageEvent } from '../behind/timeline.ts';
import type { PhoneModel } from '../phone/phone-model.ts';
import { texts } from '../texts/texts.ts';
import type { PartEvent, PartsView } from './parts-view.ts';
import { groupNow } from './use-phone-calls.ts';

export interface PartEvents {
  readonly events: readonly StageEvent[];
  /** Hears of the parts as often as they are looked at. */
  readonly hear: (view: PartsView) => void;
}

export function usePartEvents(model: PhoneModel): PartEvents {
  const [events, setEvents] = useState<readonly StageEvent[]>([]);
  const lastId = useRef<number>(undefined);
  const hear = useCallback(
    (view: PartsView) => {
      const before = lastId.current;
      lastId.current = view.events.at(-1)?.id ?? before ?? 0;
      // What was there at the first look belongs to the page before.
      const news = before === undefined ? [] : view.events.filter(({ id }) => id > before);
      if (news.length > 0)
        setEvents((known) => [...known, ...news.map((event) => told(event, model))]);
    },
    [model],
  );
  return { events, hear };
}

function told(event: PartEvent, model: PhoneModel): StageEvent {
  const { id, at, what } = event;
  const isBroken = ['answer_lost', 'worker_stopped', 'temporal_stopped'].includes(what);
  return {
    key: `part ${String(id)}`,
    at,
    lane: isBroken ? 'broken' : 'mended',
    text: textOf(event),
    name: what,
    group: groupNow(model),
  };
}

function textOf({ what, path = '', status = 0, from = '', to = '' }: PartEvent): string {
  const { events } = texts.parts;
  if (what === 'answer_lost')
    return events.answer_lost(path.split('/').at(-1) ?? '', String(status));
  return what === 'deployed' ? events.deployed(shortBuild(from), shortBuild(to)) : events[what];
}
