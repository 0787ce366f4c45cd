/** What the recovery desk knows: how the vendor will answer, which customers were aged, what did not work. One button at a time. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { ControlRefusal } from '../stage/control-call.ts';
import type { LivenessDesk, RecoveryControl } from '../stage/recovery-control.ts';

const LOOK_EVERY_MS = 2_500;
const UNKNOWN: LivenessDesk = { next: 'pass', ends: [], waiting: 0 };

export interface RecoveryDeskState {
  readonly vendor: LivenessDesk;
  readonly isVendorSilent: boolean;
  /** Whose year has passed on this page. */
  readonly aged: ReadonlySet<string>;
  readonly busy: 'year' | 'cooling' | 'floor' | undefined;
  readonly failure: string | undefined;
  readonly choose: (end: string) => void;
  readonly release: () => void;
  readonly passYear: (customerId: string) => void;
  readonly passCoolingOff: (recoveryId: string) => void;
  readonly passCoolingFloor: (recoveryId: string) => void;
}

export function useRecoveryDesk(control: RecoveryControl, isWatched: boolean): RecoveryDeskState {
  const vendor = useVendor(control, isWatched);
  const [aged, setAged] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState<RecoveryDeskState['busy']>();
  const [failure, setFailure] = useState<string>();

  const press = (button: NonNullable<RecoveryDeskState['busy']>, work: () => Promise<void>) => {
    setBusy(button);
    setFailure(undefined);
    work()
      .catch((error: unknown) => {
        if (!(error instanceof ControlRefusal)) throw error;
        setFailure(error.code.replaceAll('_', ' '));
      })
      .finally(() => {
        setBusy(undefined);
      });
  };
  return {
    ...vendor,
    aged,
    busy,
    failure,
    passYear: (customerId) => {
      press('year', async () => {
        await control.passYear(customerId);
        setAged((before) => new Set(before).add(customerId));
      });
    },
    passCoolingOff: (recoveryId) => {
      press('cooling', () => control.passCoolingOff(recoveryId));
    },
    passCoolingFloor: (recoveryId) => {
      press('floor', () => control.passCoolingFloor(recoveryId));
    },
  };
}

function useVendor(control: RecoveryControl, isWatched: boolean) {
  const [vendor, setVendor] = useState(UNKNOWN);
  const [isVendorSilent, setIsVendorSilent] = useState(false);
  // Only the newest question counts: an answer from before a choice would undo it for a moment.
  const questions = useRef(0);
  const follow = useCallback((asked: Promise<LivenessDesk>) => {
    questions.current += 1;
    const question = questions.current;
    asked.then(
      (answer) => {
        if (question !== questions.current) return;
        setVendor(answer);
        setIsVendorSilent(false);
      },
      () => {
        setIsVendorSilent(true);
      },
    );
  }, []);
  useEffect(() => {
    if (!isWatched) return undefined;
    follow(control.liveness());
    const timer = setInterval(() => {
      if (!document.hidden) follow(control.liveness());
    }, LOOK_EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }, [control, follow, isWatched]);
  return {
    vendor,
    isVendorSilent,
    choose: (next: string) => {
      setVendor({ ...vendor, next });
      follow(control.setNext(next));
    },
    release: () => {
      follow(control.release());
    },
  };
}
