/** Waiting is a screen too: what we wait for, until when, and that the app may be closed. */
import type { EnrollmentView } from '../../../sdk/types.ts';
import { texts } from '../../texts/texts.ts';
import { fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { Page, ProblemBanner } from './page.tsx';

export function StartingScreen() {
  const { starting } = texts.phone;
  return (
    <Page title={starting.title} text={starting.text} step={1}>
      <Pulse />
      <ProblemBanner />
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
      <ProblemBanner />
    </Page>
  );
}

function Pulse() {
  return (
    <div className="pulse" role="status" aria-label={texts.phone.working}>
      <i />
      <i />
      <i />
    </div>
  );
}
