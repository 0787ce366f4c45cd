/**
 * One case as it stands: read when its bell rings, and every few seconds while the bell is silent. The bell carries nothing: what changed is read by
 * its own question.
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { StaffApi } from '../staff-api.ts';
import { useTold } from '../use-told.ts';
import type { Shown } from '../use-told.ts';
import type { RecoveryCase } from './recovery-api.ts';

const LOOK_EVERY_MS = 5_000;

/** The server says every fifteen seconds that it is there. */
const SILENT_MS = 40_000;

export function useCase(
  api: StaffApi,
  recoveryId: string,
): { readonly shown: Shown<RecoveryCase>; readonly isLive: boolean } {
  const refresh = useRef<() => void>(() => undefined);
  const isLive = useBell(api, recoveryId, () => {
    refresh.current();
  });
  const shown = useTold(
    useCallback(() => api.recoveries.one(recoveryId), [api, recoveryId]),
    isLive ? undefined : LOOK_EVERY_MS,
  );
  useEffect(() => {
    refresh.current = shown.refresh;
  });
  return { shown, isLive };
}

/** `onRing` may change from one drawing to the next. */
function useBell(api: StaffApi, recoveryId: string, onRing: () => void): boolean {
  const [isLive, setIsLive] = useState(true);
  const ring = useRef(onRing);
  useEffect(() => {
    ring.current = onRing;
  });
  useEffect(() => {
    let heardMs = Date.now();
    const hear = () => {
      heardMs = Date.now();
      setIsLive(true);
    };
    const hang = (): EventSource => {
      const bell = api.recoveries.bell(recoveryId);
      bell.addEventListener('recovery', () => {
        hear();
        ring.current();
      });
      bell.addEventListener('beat', hear);
      bell.addEventListener('error', () => {
        setIsLive(false);
      });
      return bell;
    };
    let bell = hang();
    const timer = setInterval(() => {
      if (Date.now() - heardMs > SILENT_MS) setIsLive(false);
      // A line that broke is mended by the browser; one that was refused is asked for anew.
      if (bell.readyState === EventSource.CLOSED) bell = hang();
    }, 5_000);
    return () => {
      clearInterval(timer);
      bell.close();
    };
  }, [api, recoveryId]);
  return isLive;
}
