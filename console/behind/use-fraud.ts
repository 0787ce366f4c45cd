/** What the fraud desk did: the cut-off under way until its receipt is sealed, and the release. Kept over a reload of the page. */
import { useCallback, useEffect, useState } from 'react';
import { ControlRefusal } from '../stage/control-call.ts';
import type { CutOff, StageControl } from '../stage/control.ts';

const REMEMBERED = 'latchkey-stage-revocation';
const LOOK_EVERY_MS = 1_000;

export interface FraudState {
  readonly cutOff: CutOff | undefined;
  readonly releasedAt: string | undefined;
  readonly failure: string | undefined;
  readonly isBusy: boolean;
}

export interface Fraud {
  readonly state: FraudState;
  readonly cutOff: () => void;
  readonly release: () => void;
  readonly forget: () => void;
}

const NOTHING: FraudState = {
  cutOff: undefined,
  releasedAt: undefined,
  failure: undefined,
  isBusy: false,
};

export function useFraud(control: StageControl, customerId: string | undefined): Fraud {
  const [state, setState] = useState<FraudState>(NOTHING);
  const [revocationId, setRevocationId] = useState(
    () => sessionStorage.getItem(REMEMBERED) ?? undefined,
  );
  const isSettled = state.cutOff?.status === 'sealed' && state.cutOff.revocationId === revocationId;

  const attempt = useCallback((work: () => Promise<Partial<FraudState>>) => {
    setState((before) => ({ ...before, isBusy: true, failure: undefined }));
    work().then(
      (change) => {
        setState((before) => ({ ...before, ...change, isBusy: false }));
      },
      (error: unknown) => {
        const failure = error instanceof ControlRefusal ? error.title : String(error);
        setState((before) => ({ ...before, failure, isBusy: false }));
      },
    );
  }, []);

  useEffect(() => {
    if (revocationId === undefined || isSettled) return undefined;
    const look = () => {
      control.revocation(revocationId).then(
        (cutOff) => {
          setState((before) => ({ ...before, cutOff }));
        },
        (error: unknown) => {
          // Another database than the one this page remembers: there is no such cut-off.
          if (!(error instanceof ControlRefusal) || error.code === 'no_answer') return;
          sessionStorage.removeItem(REMEMBERED);
          setRevocationId(undefined);
        },
      );
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [control, revocationId, isSettled]);

  return {
    state,
    cutOff: () => {
      if (customerId === undefined) return;
      attempt(async () => {
        const id = await control.cutOff(customerId);
        sessionStorage.setItem(REMEMBERED, id);
        setRevocationId(id);
        return { releasedAt: undefined, cutOff: await control.revocation(id) };
      });
    },
    release: () => {
      if (customerId === undefined) return;
      attempt(async () => {
        const releasedAt = await control.release(customerId);
        sessionStorage.removeItem(REMEMBERED);
        return { releasedAt };
      });
    },
    forget: () => {
      sessionStorage.removeItem(REMEMBERED);
      setRevocationId(undefined);
      setState(NOTHING);
    },
  };
}
