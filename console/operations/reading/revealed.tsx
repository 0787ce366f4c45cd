/** A contact in clear: once, for a picked reason, and gone again by itself. It stands in no address, no list and no storage. */
import { useEffect, useState } from 'react';
import { Button } from '../../parts/parts.tsx';
import type { Change } from '../confirm.tsx';
import { Confirm } from '../confirm.tsx';
import type { PageProps } from '../page-parts.tsx';
import type { Customer, Revealed as Shown } from '../staff-api.ts';
import { readingTexts } from './reading-texts.ts';

const CONTACTS = ['phone', 'email'] as const;

/** What was shown, until its time is over. */
function useShortly() {
  const [shown, setShown] = useState<Shown>();
  useEffect(() => {
    if (shown === undefined) return undefined;
    const timer = setTimeout(() => {
      setShown(undefined);
    }, shown.hideAfterSeconds * 1000);
    return () => {
      clearTimeout(timer);
    };
  }, [shown]);
  return [shown, setShown] as const;
}

export function Revealed({
  api,
  customer,
  onLost,
  onRefused,
}: Pick<PageProps, 'api' | 'onLost' | 'onRefused'> & { readonly customer: Customer }) {
  const { reveal: text } = readingTexts;
  const [asked, setAsked] = useState<(typeof CONTACTS)[number]>();
  const [shown, setShown] = useShortly();
  const changeOf = (contact: (typeof CONTACTS)[number]): Change => ({
    title: text.title[contact],
    effects: text.effects,
    reasons: text.reasons,
    act: text.act[contact],
    isDangerous: false,
    done: text.none,
    send: async (reason, key) => {
      const told = await api.reveal(customer.customerId, contact, reason, key);
      if (told.kind === 'answered') setShown(told.value);
      return told;
    },
  });
  const close = () => {
    setAsked(undefined);
  };
  return (
    <div className="revealed">
      {shown === undefined ? (
        CONTACTS.filter((contact) => customer[contact] !== null).map((contact) => (
          <Button
            key={contact}
            size="dense"
            onPress={() => {
              setAsked(contact);
            }}
          >
            {text.act[contact]}
          </Button>
        ))
      ) : (
        <>
          <strong role="status">{shown.value}</strong>
          <Button
            size="dense"
            onPress={() => {
              setShown(undefined);
            }}
          >
            {text.hide}
          </Button>
        </>
      )}
      {asked !== undefined && (
        <Confirm
          change={changeOf(asked)}
          onClose={close}
          onDone={close}
          onLost={onLost}
          onRefused={onRefused}
          onReauthenticate={close}
        />
      )}
    </div>
  );
}
