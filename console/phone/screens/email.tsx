/** The e-mail address, first asked or corrected. */
import { useState } from 'react';
import { texts } from '../../texts/texts.ts';
import { Button, Field } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { ExampleFiller, Page } from './page.tsx';

export function EmailScreen() {
  const [{ busy, isChangingEmail }, model] = usePhone();
  const [email, setEmail] = useState('');
  const { email: words, next } = texts.phone;
  return (
    <Page
      title={words.title}
      step={3}
      misfit={texts.problems.email_invalid}
      {...(isChangingEmail
        ? {
            onBack: () => {
              model.enrolling.changeEmail(false);
            },
          }
        : {})}
      onSubmit={() => void model.enrolling.submitEmail(email.trim())}
      actions={
        <Button kind="primary" type="submit" isBusy={busy === 'email'} isDisabled={email === ''}>
          {next}
        </Button>
      }
    >
      <Field
        label={words.label}
        hint={words.hint}
        placeholder={words.placeholder}
        type="email"
        inputMode="email"
        autoComplete="off"
        value={email}
        onChange={setEmail}
        isRequired
        autoFocus
      />
      <ExampleFiller
        onFill={() => {
          setEmail(`aroha.${crypto.randomUUID().slice(0, 4)}@example.com`);
        }}
      />
    </Page>
  );
}
