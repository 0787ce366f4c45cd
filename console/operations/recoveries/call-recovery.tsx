/** In a call in which the caller has proved himself: opening a recovery with that as its first proof. */
import { useCallback } from 'react';
import type { PageProps } from '../page-parts.tsx';
import { useQuestion } from '../question.tsx';
import type { Call } from '../staff-api.ts';
import { useTold } from '../use-told.ts';
import { OpenRecovery } from './open-recovery.tsx';

export function CallRecovery({
  customerId,
  call,
  ...page
}: PageProps & { readonly customerId: string; readonly call: Call | undefined }) {
  const { api } = page;
  const customer = useTold(useCallback(() => api.customer(customerId), [api, customerId]));
  const question = useQuestion(page, customer.refresh);
  if (customer.value === undefined || call === undefined) return null;
  return (
    <>
      {question.done}
      <OpenRecovery
        api={api}
        customer={customer.value}
        callId={call.stepUpId}
        onChange={question.ask}
      />
      {question.dialog()}
    </>
  );
}
