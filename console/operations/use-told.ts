/** What the door last said about something that a page shows: the newest answer wins, and an old one stays in sight while the door is silent. */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Told } from './staff-api.ts';

export interface Shown<Value> {
  readonly value: Value | undefined;
  /** When that was told. */
  readonly atMs: number;
  /** What stands between the value and now: undefined when it is fresh. */
  readonly trouble: Exclude<Told<Value>, { readonly kind: 'answered' }> | undefined;
  readonly isBusy: boolean;
  readonly refresh: () => void;
}

/** `read` must be stable; asked again every `everyMs` while the page is looked at, when that is given. */
export function useTold<Value>(read: () => Promise<Told<Value>>, everyMs?: number): Shown<Value> {
  const [shown, setShown] = useState<Omit<Shown<Value>, 'refresh'>>({
    value: undefined,
    atMs: 0,
    trouble: undefined,
    isBusy: true,
  });
  const asked = useRef(0);
  const ask = useCallback(() => {
    asked.current += 1;
    const mine = asked.current;
    void read().then((told) => {
      if (mine !== asked.current) return;
      setShown((before) =>
        told.kind === 'answered'
          ? { value: told.value, atMs: Date.now(), trouble: undefined, isBusy: false }
          : { ...before, trouble: told, isBusy: false },
      );
    });
  }, [read]);
  useEffect(() => {
    ask();
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) ask();
    }, everyMs);
    return () => {
      clearInterval(timer);
    };
  }, [ask, everyMs]);
  const refresh = () => {
    setShown((before) => ({ ...before, isBusy: true }));
    ask();
  };
  return { ...shown, refresh };
}
