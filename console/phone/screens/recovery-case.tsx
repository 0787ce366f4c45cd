/** A case on the new phone, one state a screen: what is due, from whom, until when. What it shows is what the server says of the case. */
import type { ReactNode } from 'react';
import type { RecoveryView } from '../../../sdk/recovery-types.ts';
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Banner, Button } from '../../parts/parts.tsx';
import { duration, fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { shortId } from '../../behind/timeline.ts';
import { usePhone } from '../phone-context.ts';
import { asked, ContactFields, useContactQuestion } from './contact-question.tsx';
import { Page } from './page.tsx';
import { LivenessScreen } from './recovery-liveness.tsx';
import { RecoveredScreen, RecoveryEndScreen } from './recovery-end.tsx';
import { GiveUp, Road, Turn } from './recovery-road.tsx';
import { Pulse } from './waiting.tsx';

export function RecoveryScreen({ view }: { readonly view: RecoveryView }) {
  switch (view.state) {
    case 'starting':
      return <Waiting view={view} words={texts.recovery.starting} />;
    case 'contact':
      return <ContactScreen view={view} />;
    case 'identity':
      return <LivenessScreen view={view} />;
    case 'review':
      return <Waiting view={view} words={texts.recovery.review} />;
    case 'cooling':
      return <CoolingScreen view={view} />;
    case 'rebind':
      return <RebindScreen view={view} />;
    case 'held':
      return <HeldScreen view={view} />;
    case 'ended':
      return view.outcome === 'completed' ? (
        <RecoveredScreen view={view} />
      ) : (
        <RecoveryEndScreen view={view} />
      );
  }
}

/** The waiting room. */
function Waiting({
  view,
  words,
  children,
}: {
  readonly view: RecoveryView;
  readonly words: { readonly title: string; readonly text: string };
  readonly children?: ReactNode;
}) {
  return (
    <Page title={words.title} text={words.text} actions={<GiveUp />}>
      {children}
      <Road view={view} />
      <Turn view={view} hasTime={view.state !== 'cooling'} />
      {children === undefined && <Pulse />}
      <CaseFoot view={view} />
    </Page>
  );
}

function CaseFoot({ view }: { readonly view: RecoveryView }) {
  const words = texts.recovery;
  return (
    <p className="page-note">
      {words.close}
      <br />
      <span title={view.recoveryId}>{words.reference(shortId(view.recoveryId))}</span>
    </p>
  );
}

function ContactScreen({ view }: { readonly view: RecoveryView }) {
  const [{ busy }, model] = usePhone();
  const { contact: words, ask } = texts.recovery;
  const isFirst = view.missing.includes('contact');
  // Most begin with the other one.
  const [question, setQuestion] = useContactQuestion(isFirst ? 'email' : 'phone');
  return (
    <Page
      title={isFirst ? words.titleFirst : words.title}
      text={isFirst ? words.textFirst : words.text}
      misfit={texts.problems[question.kind === 'phone' ? 'phone_invalid' : 'email_invalid']}
      // Of the old phone the case knows already: this word never takes any of it back.
      onSubmit={() => void model.recovering.ask('replaced', asked(question))}
      actions={
        <>
          <Button
            kind="primary"
            type="submit"
            isBusy={busy === 'recover-ask'}
            isDisabled={question.value === ''}
          >
            {ask.send}
          </Button>
          <GiveUp />
        </>
      }
    >
      <Road view={view} />
      <Turn view={view} />
      <ContactFields
        question={question}
        onChange={setQuestion}
        note={isFirst ? words.stuck : words.stuckSecond}
      />
    </Page>
  );
}

function CoolingScreen({ view }: { readonly view: RecoveryView }) {
  const nowMs = useNow(10_000);
  const { cooling: words } = texts.recovery;
  const { objectUntil } = view;
  return (
    <Waiting view={view} words={words}>
      {objectUntil !== undefined && (
        <p className="object-until">
          <time dateTime={objectUntil} title={fullTimeOf(objectUntil)}>
            {words.until(momentOf(objectUntil, nowMs))}
            <small>{words.left(duration(Date.parse(objectUntil) - nowMs))}</small>
          </time>
        </p>
      )}
      <h3 className="page-question">{words.how}</h3>
      <ul className="ways">
        {words.ways.map((way) => (
          <li key={way}>{way}</li>
        ))}
      </ul>
    </Waiting>
  );
}

function HeldScreen({ view }: { readonly view: RecoveryView }) {
  const { held: words } = texts.recovery;
  return (
    <Waiting view={view} words={words}>
      <Banner tone="wait">{words.now}</Banner>
    </Waiting>
  );
}

function RebindScreen({ view }: { readonly view: RecoveryView }) {
  const [{ busy }, model] = usePhone();
  const { rebind: words } = texts.recovery;
  return (
    <Page
      title={words.title}
      text={words.text}
      actions={
        <>
          <Button
            kind="primary"
            icon="key"
            isBusy={busy === 'passkey'}
            onPress={() => void model.recovering.createPasskey()}
          >
            {words.create}
          </Button>
          <GiveUp />
        </>
      }
    >
      <Road view={view} />
      <Turn view={view} />
      <ul className="facts">
        {words.effects.map((effect, index) => (
          <li key={effect}>
            <Icon name={index === 0 ? 'shieldOff' : 'pause'} /> {effect}
          </li>
        ))}
      </ul>
    </Page>
  );
}
