/**
 * Over the screen while the outcome of its action is unknown: what happened, that nothing is lost, how long it has been. It goes on by
 * itself; the one button ends the waiting, not the action.
 */
import { useEffect, useRef } from 'react';
import { texts } from '../texts/texts.ts';
import { Icon } from '../parts/icons.tsx';
import type { IconName } from '../parts/icons.tsx';
import { Button } from '../parts/parts.tsx';
import { duration, useNow } from '../parts/time.ts';
import { usePhone } from './phone-context.ts';
import type { Waiting, WaitsFor } from './waiting.ts';

const ICONS: Readonly<Record<WaitsFor, IconName>> = {
  line: 'lineLost',
  outcome: 'loop',
  ceremonies: 'pause',
  bank: 'pause',
};

export function WaitingSheet({ waiting }: { readonly waiting: Waiting }) {
  const [, model] = usePhone();
  const nowMs = useNow(500);
  const sheet = useRef<HTMLDivElement>(null);
  const words = texts.phone.waiting;
  const { title, text, doing } = words.reasons[waiting.for];
  const lastedMs = nowMs - waiting.sinceMs;

  // The screen below is out of reach meanwhile: the focus comes here, and goes back to where it was.
  useEffect(() => {
    const before = document.activeElement;
    const isOurs = before instanceof HTMLElement && before.closest('.phone') !== null;
    if (isOurs) sheet.current?.focus();
    return () => {
      if (isOurs && before.isConnected) before.focus();
    };
  }, []);

  return (
    <div className="waiting">
      <div className="waiting-sheet" ref={sheet} tabIndex={-1} role="status">
        <span className="waiting-mark" aria-hidden="true">
          <Icon name={ICONS[waiting.for]} size={24} />
        </span>
        <h3>{title}</h3>
        <p>{text}</p>
        <p className="waiting-line">
          <span className="spinner" aria-hidden="true" />
          {doing}
          {lastedMs >= 1_000 && <time aria-hidden="true">{duration(lastedMs)}</time>}
        </p>
        <Button
          kind="quiet"
          onPress={() => {
            model.giveUp();
          }}
        >
          {words.giveUp}
        </Button>
      </div>
    </div>
  );
}
