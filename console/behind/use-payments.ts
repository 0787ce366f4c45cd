/** The payments desk: looked at while it is open or told of, and its buttons. The newest answer counts. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { ControlRefusal } from '../stage/control-call.ts';
import type { DemoBankControl } from '../stage/demo-bank-control.ts';
import { viewAfter } from '../stage/payments-view.ts';
import type { PaymentsView } from '../stage/payments-view.ts';

const LOOK_EVERY_MS = 1_000;

export interface Payments {
  readonly view: PaymentsView | undefined;
  readonly failure: string | undefined;
  readonly busy: string | undefined;
  readonly press: (
    name: string,
    button: (bank: DemoBankControl, customerId: string) => Promise<PaymentsView>,
  ) => void;
}

export function usePayments(
  bank: DemoBankControl,
  {
    customerId,
    isWatched,
  }: { readonly customerId: string | undefined; readonly isWatched: boolean },
): Payments {
  const [view, setView] = useState<PaymentsView>();
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState<string>();
  const question = useRef(0);

  const follow = useCallback((asked: Promise<PaymentsView>): Promise<void> => {
    question.current += 1;
    const own = question.current;
    return asked.then((answer) => {
      const isOvertaken = own !== question.current;
      setView((before) => viewAfter(before, answer, isOvertaken));
    });
  }, []);

  useEffect(() => {
    if (customerId === undefined || !isWatched) return undefined;
    const look = () => {
      if (!document.hidden) follow(bank.payments(customerId)).catch(() => undefined);
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [bank, customerId, isWatched, follow]);

  return {
    view,
    failure,
    busy,
    press: (name, button) => {
      if (customerId === undefined || busy !== undefined) return;
      setBusy(name);
      setFailure(undefined);
      if (name === 'reset') setView(undefined);
      follow(button(bank, customerId))
        .catch((error: unknown) => {
          setFailure(error instanceof ControlRefusal ? error.title : String(error));
        })
        .finally(() => {
          setBusy(undefined);
        });
    },
  };
}
