/** The check of the person: begun, looked at, made again; and the way for those who cannot do it. The picture never passes here. */
import { useState } from 'react';
import type { RecoveryView } from '../../../sdk/recovery-types.ts';
import { texts } from '../../texts/texts.ts';
import { Banner, Button } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { Page } from './page.tsx';
import { GiveUp, Road, Turn } from './recovery-road.tsx';
import { Pulse } from './waiting.tsx';

export function LivenessScreen({ view }: { readonly view: RecoveryView }) {
  const [{ busy }, model] = usePhone();
  const { identity: words } = texts.recovery;
  const { liveness, livenessAttemptsLeft: left, missing } = view;
  // One that was good and counts no more: the case was held or sent back since.
  const isVoid = liveness?.status === 'passed' && missing.includes('identity');
  const isUnderWay =
    liveness !== undefined && !isVoid && ['starting', 'ready', 'passed'].includes(liveness.status);
  const hasTries = left > 0;
  return (
    <Page
      title={words.title}
      text={words.text}
      actions={
        <>
          {hasTries && (
            <Button
              kind={isUnderWay ? 'secondary' : 'primary'}
              isBusy={busy === 'liveness'}
              onPress={() => void model.recovering.checkPerson()}
            >
              {liveness === undefined ? words.begin : words.again}
            </Button>
          )}
          <GiveUp />
        </>
      }
    >
      {isVoid ? (
        <Banner tone="wait" title={words.onceMore.title}>
          {words.onceMore.text}
        </Banner>
      ) : (
        <Standing liveness={liveness} />
      )}
      {!hasTries && !isUnderWay && (
        <Banner tone="wait" title={words.none.title}>
          {words.none.text}
        </Banner>
      )}
      <Road view={view} />
      <Turn view={view} />
      {hasTries && <p className="page-note">{words.left(left)}</p>}
      <Otherwise />
    </Page>
  );
}

function Standing({ liveness }: { readonly liveness: RecoveryView['liveness'] | undefined }) {
  const { identity: words } = texts.recovery;
  if (liveness === undefined) return null;
  const { status, verdict } = liveness;
  if (status === 'starting' || status === 'ready' || status === 'passed')
    return (
      <section className="camera" aria-label={words.looking} role="status">
        <span className="camera-face" aria-hidden="true" />
        <strong>{status === 'starting' ? words.starting : words.looking}</strong>
        <p>{words.lookingText}</p>
        <Pulse />
        <p>{words.waits}</p>
      </section>
    );
  if (verdict === undefined || verdict === 'passed') return null;
  const { title, text } = words.verdicts[verdict];
  return (
    <Banner tone="danger" title={title}>
      {text}
    </Banner>
  );
}

function Otherwise() {
  const [isOpen, setIsOpen] = useState(false);
  const { identity: words } = texts.recovery;
  if (isOpen) return <Banner tone="plain">{words.cannotText}</Banner>;
  return (
    <button
      className="link"
      type="button"
      onClick={() => {
        setIsOpen(true);
      }}
    >
      {words.cannot}
    </button>
  );
}
