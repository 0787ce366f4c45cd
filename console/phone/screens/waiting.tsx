/** Waiting is a screen too: what we wait for, until when, and that the app may be closed. */
import { useState } from 'react';
import type { EnrollmentView } from '../../../sdk/types.ts';
import { texts } from '../../texts/texts.ts';
import { fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { Page } from './page.tsx';

/** After this an opening is no longer "a second". */
const SLOW_AFTER_MS = 5_000;

export function StartingScreen() {
  const { starting, checking } = texts.phone;
  const nowMs = useNow();
  const [sinceMs] = useState(nowMs);
  const isSlow = nowMs - sinceMs >= SLOW_AFTER_MS;
  return (
    <Page title={starting.title} text={isSlow ? starting.slow : starting.text} step={1}>
      <Pulse />
      {isSlow && <p className="waiting-until">{checking.close}</p>}
    </Page>
  );
}

export function CheckingScreen({ view }: { readonly view: EnrollmentView }) {
  const { checking } = texts.phone;
  const nowMs = useNow(30_000);
  const until = view.stepExpiresAt ?? view.expiresAt;
  return (
    <Page title={checking.title} text={checking.text} step={2}>
      <Pulse />
      <p className="waiting-until">
        <time dateTime={until} title={fullTimeOf(until)}>
          {checking.until(momentOf(until, nowMs))}
        </time>
        <br />
        {checking.close}
      </p>
    </Page>
  );
}

export function Pulse() {
  return (
    <div className="pulse" role="status" aria-label={texts.phone.working}>
      <i />
      <i />
      <i />
    </div>
  );
}
