/** A question that a page puts before it changes something, and what came of it. Whatever the answer, the page looks again. */
import { useState } from 'react';
import { Confirm } from './confirm.tsx';
import type { Change } from './confirm.tsx';
import { logInAnew } from './door.ts';
import { Done } from './page-parts.tsx';
import type { PageProps } from './page-parts.tsx';

export function useQuestion<Asked extends Change>(
  { me, onLost, onRefused }: Pick<PageProps, 'me' | 'onLost' | 'onRefused'>,
  look: () => void,
) {
  const [change, setChange] = useState<Asked>();
  const [said, setSaid] = useState<string>();
  return {
    change,
    ask: (next: Asked | undefined) => {
      setSaid(undefined);
      setChange(next);
    },
    done: said === undefined ? null : <Done said={said} />,
    /** `blocked`: what happened meanwhile so that it can be done no more. */
    dialog: (blocked?: string) =>
      change === undefined ? null : (
        <Confirm
          change={change}
          blocked={blocked}
          onClose={() => {
            setChange(undefined);
            look();
          }}
          onDone={(words) => {
            setChange(undefined);
            setSaid(words);
            look();
          }}
          onLost={onLost}
          onRefused={() => {
            onRefused();
            look();
          }}
          onReauthenticate={() => {
            logInAnew(me);
          }}
        />
      ),
  };
}
