/** A question to a customer's phone, as the member of the staff who asked sees it. */
import { useEffect, useRef, useState } from 'react';
import { consoleTexts as words } from '../console-texts.ts';
import type { Call, StaffApi } from '../staff-api.ts';

const LOOK_EVERY_MS = 1_000;

/** One question at a time; asked again by a person only, and looked at until it is over. */
export function useCall(api: StaffApi, customerId: string, onLost: () => void) {
  const [call, setCall] = useState<Call>();
  const [trouble, setTrouble] = useState<string>();
  const [isBusy, setIsBusy] = useState(false);
  const key = useRef(crypto.randomUUID());
  const stepUpId = call?.stepUpId;
  const isOpen = call !== undefined && ['pending', 'approved'].includes(call.status);
  useEffect(() => {
    if (stepUpId === undefined || !isOpen) return undefined;
    const timer = setInterval(() => {
      if (document.hidden) return;
      void api.call(stepUpId).then((told) => {
        if (told.kind === 'answered') setCall(told.value);
        if (told.kind === 'logged-out') onLost();
      });
    }, LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [api, stepUpId, isOpen, onLost]);
  const ask = (caseReference: string) => {
    setIsBusy(true);
    setTrouble(undefined);
    void api.startCall(customerId, caseReference, key.current).then((told) => {
      setIsBusy(false);
      if (told.kind !== 'silent') key.current = crypto.randomUUID();
      if (told.kind === 'answered') setCall(told.value);
      else if (told.kind === 'logged-out') onLost();
      else
        setTrouble(
          told.kind === 'silent' ? words.confirm.silent : (words.refusals[told.code] ?? told.title),
        );
    });
  };
  return { call, trouble, isBusy, ask };
}
