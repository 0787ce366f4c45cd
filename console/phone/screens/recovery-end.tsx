/** How a recovery ended: the phone has the account, or why not, what that means and what to do now. */
import type { RecoveryView } from '../../../sdk/recovery-types.ts';
import { recoveryEndText, texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button } from '../../parts/parts.tsx';
import { fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { usePhone } from '../phone-context.ts';
import { Page } from './page.tsx';

export function RecoveredScreen({ view }: { readonly view: RecoveryView }) {
  const [{ busy }, model] = usePhone();
  const nowMs = useNow(60_000);
  const { done: words } = texts.recovery;
  const { limitedUntil } = view;
  return (
    <Page
      title={words.title}
      text={words.text}
      actions={
        <Button
          kind="primary"
          icon="key"
          isBusy={busy === 'login'}
          onPress={() => void model.logIn()}
        >
          {words.logIn}
        </Button>
      }
    >
      <span className="medal" data-tone="good">
        <Icon name="shield" size={32} />
      </span>
      {limitedUntil !== undefined && (
        <p className="page-note" title={fullTimeOf(limitedUntil)}>
          {words.limited(momentOf(limitedUntil, nowMs))}
        </p>
      )}
    </Page>
  );
}

export function RecoveryEndScreen({ view }: { readonly view: RecoveryView }) {
  const [, model] = usePhone();
  const { ended: words } = texts.recovery;
  const { title, text } = recoveryEndText(view.reason);
  return (
    <Page
      title={title}
      text={text}
      actions={
        <>
          <Button
            onPress={() => {
              void model.recovering.dismiss().then(() => {
                model.goTo('recover-ask');
              });
            }}
          >
            {words.again}
          </Button>
          <Button
            kind="quiet"
            onPress={() => {
              void model.recovering.dismiss().then(() => {
                model.rest();
              });
            }}
          >
            {words.close}
          </Button>
        </>
      }
    >
      <span className="medal" data-tone={view.reason === 'cancelled_by_customer' ? 'good' : 'wait'}>
        <Icon name={view.reason === 'cancelled_by_customer' ? 'check' : 'shieldOff'} size={32} />
      </span>
    </Page>
  );
}
