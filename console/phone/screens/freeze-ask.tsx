/** "Freeze me" from a phone that nobody knows: the enrolled number, the code that came there, and until when it is frozen. Nothing of the account is told. */
import { useState } from 'react';
import { texts } from '../../texts/texts.ts';
import { Icon } from '../../parts/icons.tsx';
import { Button, Field } from '../../parts/parts.tsx';
import { fullTimeOf, momentOf, useNow } from '../../parts/time.ts';
import { usePhone } from '../phone-context.ts';
import { CodeField } from './approval-code.tsx';
import { Page } from './page.tsx';

export function FreezeAskScreen() {
  const [{ freezeAsked }] = usePhone();
  if (freezeAsked?.frozenUntil !== undefined)
    return <FrozenScreen until={freezeAsked.frozenUntil} />;
  return freezeAsked === undefined ? <NumberQuestion /> : <CodeQuestion />;
}

function NumberQuestion() {
  const [{ busy }, model] = usePhone();
  const [number, setNumber] = useState('');
  const { freeze: words } = texts.recovery;
  const { number: field } = texts.phone;
  return (
    <Page
      title={words.title}
      text={words.text}
      misfit={texts.problems.phone_invalid}
      onBack={() => {
        model.goTo('recover-ask');
      }}
      onSubmit={() => void model.freezing.request(number.replaceAll(/[\s()-]/g, ''))}
      actions={
        <Button
          kind="primary"
          type="submit"
          isBusy={busy === 'freeze-ask'}
          isDisabled={number === ''}
        >
          {words.send}
        </Button>
      }
    >
      <Field
        label={field.label}
        hint={texts.recovery.ask.phoneHint}
        placeholder={field.placeholder}
        type="tel"
        inputMode="tel"
        autoComplete="off"
        value={number}
        onChange={setNumber}
      />
    </Page>
  );
}

function CodeQuestion() {
  const [{ busy, draftCode }, model] = usePhone();
  const { freeze: words } = texts.recovery;
  return (
    <Page
      title={words.title}
      text={words.codeText}
      onBack={() => {
        model.goTo('recover-ask');
      }}
      onSubmit={() => void model.freezing.submitCode(draftCode)}
      actions={
        <Button
          kind="primary"
          type="submit"
          isBusy={busy === 'freeze-code'}
          isDisabled={draftCode.length < 6}
        >
          {words.confirm}
        </Button>
      }
    >
      <CodeField code={undefined} />
    </Page>
  );
}

function FrozenScreen({ until }: { readonly until: string }) {
  const nowMs = useNow(60_000);
  const [, model] = usePhone();
  const { freeze: words } = texts.recovery;
  return (
    <Page
      title={words.done}
      actions={
        <Button
          kind="primary"
          onPress={() => {
            model.goTo('recover-ask');
          }}
        >
          {words.goOn}
        </Button>
      }
    >
      <span className="medal" data-tone="wait">
        <Icon name="pause" size={32} />
      </span>
      <p title={fullTimeOf(until)}>{words.doneText(momentOf(until, nowMs))}</p>
    </Page>
  );
}
