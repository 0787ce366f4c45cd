/** Which of the two phones on the stage is looked at: the one that was there first, or the new one. Kept over a reload of this tab. */
import { useState, useSyncExternalStore } from 'react';
import type { PhoneState } from '../phone/phone-state.ts';
import type { PhoneParts, StageParts } from './stage-loader.tsx';

const KEPT = 'latchkey-stage-phone';

export type WhichPhone = 'old' | 'new';

export interface ShownPhone {
  readonly which: WhichPhone;
  readonly show: (which: WhichPhone) => void;
  readonly parts: PhoneParts;
  readonly oldPhone: PhoneState;
  readonly newPhone: PhoneState;
}

export function useShownPhone({ phones }: StageParts): ShownPhone {
  const [which, setWhich] = useState<WhichPhone>(() =>
    sessionStorage.getItem(KEPT) === 'new' ? 'new' : 'old',
  );
  const oldPhone = useSyncExternalStore(phones.old.model.subscribe, phones.old.model.state);
  const newPhone = useSyncExternalStore(phones.new.model.subscribe, phones.new.model.state);
  return {
    which,
    show: (next) => {
      sessionStorage.setItem(KEPT, next);
      setWhich(next);
    },
    parts: phones[which],
    oldPhone,
    newPhone,
  };
}
