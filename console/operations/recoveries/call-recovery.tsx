/** In a call in which the caller has proved himself: opening a recovery with that as its first proof. */
import { useCallback, useState } from 'react';
import { Banner } from '../../parts/parts.tsx';
import { Confirm } from '../confirm.tsx';
import type { Change } from '../confirm.tsx';
import { loginAddress } from '../door.ts';
import type { PageProps } from '../page-parts.tsx';
import type { Call } from '../staff-api.ts';
import { useTold } from '../use-told.ts';
import { OpenRecovery } from './open-recovery.tsx';

export function CallRecovery({
  api,
  me,
  onLost,
  customerId,
  call,
}: PageProps & { readonly customerId: string; readonly call: Call | undefined }) {
  const [change, setChange] = useState<Change>();
  const [done, setDone] = useState<string>();
  const customer = useTold(useCallback(() => api.customer(customerId), [api, customerId]));
  if (customer.value === undefined || call === undefined) return null;
  return (
    <>
      {done !== undefined && <Banner tone="good">{done}</Banner>}
      <OpenRecovery
        api={api}
        customer={customer.value}
        callId={call.stepUpId}
        onChange={setChange}
      />
      {change !== undefined && (
        <Confirm
          change={change}
          onClose={() => {
            setChange(undefined);
          }}
          onDone={(said) => {
            setChange(undefined);
            setDone(said);
          }}
          onLost={onLost}
          onReauthenticate={() => {
            window.location.assign(loginAddress(me.tenant.slug, window.location.pathname, true));
          }}
        />
      )}
    </>
  );
}
