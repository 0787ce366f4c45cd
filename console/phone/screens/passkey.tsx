/** The passkey: what it is, and the platform's own prompt. Closing that prompt is an answer, not an error. */
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { Page } from './page.tsx';

export function PasskeyScreen() {
  const [{ busy }, model] = usePhone();
  const { passkey } = texts.phone;
  return (
    <Page
      title={passkey.title}
      text={passkey.text}
      step={5}
      actions={
        <Button
          kind="primary"
          icon="key"
          isBusy={busy === 'passkey'}
          onPress={() => void model.enrolling.createPasskey()}
        >
          {passkey.create}
        </Button>
      }
    >
      <ul className="facts">
        <li>
          <Icon name="phone" /> {passkey.binds}
        </li>
        <li>
          <Icon name="shield" /> {passkey.noSecret}
        </li>
      </ul>
    </Page>
  );
}
