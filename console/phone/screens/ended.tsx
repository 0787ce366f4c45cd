/** How an enrollment ended: trusted, or why not and what to do now. */
import type { EnrollmentView } from '../../../sdk/types.ts';
import { endingText, texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { Page } from './page.tsx';

export function DoneScreen() {
  const [{ busy }, model] = usePhone();
  const { done } = texts.phone;
  return (
    <Page
      title={done.title}
      text={done.text}
      actions={
        <Button
          kind="primary"
          icon="key"
          isBusy={busy === 'login'}
          onPress={() => void model.logIn()}
        >
          {done.logIn}
        </Button>
      }
    >
      <span className="medal" data-tone="good">
        <Icon name="shield" size={32} />
      </span>
    </Page>
  );
}

export function EndedScreen({ view }: { readonly view: EnrollmentView }) {
  const [, model] = usePhone();
  const { ended } = texts.phone;
  const { title, text } = endingText(view.reason);
  const next = view.nextSteps ?? [];
  return (
    <Page
      title={title}
      text={text}
      actions={
        <>
          {next.includes('login') && (
            <Button kind="primary" onPress={() => void model.enrolling.leave('logged-out')}>
              {ended.logIn}
            </Button>
          )}
          {next.includes('start_again') && (
            <Button kind="primary" onPress={() => void model.enrolling.leave('number')}>
              {ended.startAgain}
            </Button>
          )}
          <Button kind="quiet" onPress={() => void model.enrolling.leave('welcome')}>
            {ended.close}
          </Button>
        </>
      }
    >
      <span className="medal" data-tone="wait">
        <Icon name="warning" size={32} />
      </span>
    </Page>
  );
}
