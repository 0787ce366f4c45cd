/** A verified call at the agent's desk: asked for, and looked at until it has ended. */
import { useEffect, useState } from 'react';
import { ControlRefusal } from '../stage/control-call.ts';
import type { CallView } from '../stage/call-view.ts';
import type { DemoBankControl } from '../stage/demo-bank-control.ts';

const LOOK_EVERY_MS = 1_000;
const CASE = '4711';

export interface Call {
  readonly view: CallView | undefined;
  readonly failure: string | undefined;
  readonly isBusy: boolean;
  readonly ask: () => void;
}

export function useCall(bank: DemoBankControl, customerId: string | undefined): Call {
  const [view, setView] = useState<CallView>();
  const [failure, setFailure] = useState<string>();
  const [isBusy, setIsBusy] = useState(false);
  const stepUpId = view?.stepUpId;
  const isOpen = view !== undefined && ['pending', 'approved'].includes(view.status);

  useEffect(() => {
    if (stepUpId === undefined || !isOpen) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) bank.callNow(stepUpId).then(setView, () => undefined);
    }, LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [bank, stepUpId, isOpen]);

  return {
    view,
    failure,
    isBusy,
    ask: () => {
      if (customerId === undefined) return;
      setIsBusy(true);
      setFailure(undefined);
      bank
        .call(customerId, CASE)
        .then(setView)
        .catch((error: unknown) => {
          setFailure(error instanceof ControlRefusal ? error.title : String(error));
        })
        .finally(() => {
          setIsBusy(false);
        });
    },
  };
}
