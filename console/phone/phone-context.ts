/** How screens reach the phone's model and are drawn again when it changes. */
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { PhoneModel } from './phone-model.ts';
import type { PhoneState } from './phone-state.ts';

export const PhoneContext = createContext<PhoneModel | undefined>(undefined);

export function usePhone(): readonly [state: PhoneState, model: PhoneModel] {
  const model = useContext(PhoneContext);
  if (model === undefined) throw new Error('a screen stands outside the phone');
  return [useSyncExternalStore(model.subscribe, model.state), model];
}
