/** A cut-off says what happened, what it means and what to do; a hold says whom to call. Neither blames. */
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { Page } from './page.tsx';

export function CutOffScreen() {
  return <Explained words={texts.phone.cutOff} tone="danger" />;
}

export function HoldScreen() {
  return <Explained words={texts.phone.hold} tone="wait" />;
}

function Explained({
  words,
  tone,
}: {
  readonly words: typeof texts.phone.cutOff | typeof texts.phone.hold;
  readonly tone: 'danger' | 'wait';
}) {
  const [{ busy }, model] = usePhone();
  return (
    <Page
      title={words.title}
      actions={
        <Button
          kind={tone === 'danger' ? 'primary' : 'secondary'}
          isBusy={busy === 'login'}
          onPress={() => void model.logIn()}
        >
          {words.logIn}
        </Button>
      }
    >
      <span className="medal" data-tone={tone}>
        <Icon name="shieldOff" size={32} />
      </span>
      <dl className="explained">
        <dt>{words.happened}</dt>
        <dd>{words.happenedText}</dd>
        <dt>{words.means}</dt>
        <dd>{words.meansText}</dd>
        <dt>{words.now}</dt>
        <dd>{words.nowText}</dd>
      </dl>
    </Page>
  );
}
