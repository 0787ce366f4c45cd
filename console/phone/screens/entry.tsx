/** The screens before anybody is known: welcome, the number, and login with a passkey. */
import { useState } from 'react';
import { texts } from '../../texts/texts.ts';
import { Button, Field } from '../../parts/parts.tsx';
import { usePhone } from '../phone-context.ts';
import { ExampleFiller, Page } from './page.tsx';

export function WelcomeScreen() {
  const [{ busy }, model] = usePhone();
  const { welcome } = texts.phone;
  return (
    <Page
      title={welcome.title}
      text={welcome.text}
      actions={
        <>
          <Button
            kind="primary"
            onPress={() => {
              model.goTo('number');
            }}
          >
            {welcome.begin}
          </Button>
          <Button kind="quiet" isBusy={busy === 'login'} onPress={() => void model.logIn()}>
            {welcome.logIn}
          </Button>
          <LostPhone />
        </>
      }
    >
      <div className="hero" aria-hidden="true">
        <span className="hero-mark" />
      </div>
    </Page>
  );
}

export function NumberScreen() {
  const [{ busy, installation }, model] = usePhone();
  const [number, setNumber] = useState('');
  const { number: words, next } = texts.phone;
  return (
    <Page
      title={words.title}
      step={1}
      misfit={texts.problems.phone_invalid}
      onBack={() => {
        model.goTo(installation === undefined ? 'welcome' : 'logged-out');
      }}
      onSubmit={() => void model.enrolling.start(number.replaceAll(/[\s()-]/g, ''))}
      actions={
        <Button kind="primary" type="submit" isBusy={busy === 'start'} isDisabled={number === ''}>
          {next}
        </Button>
      }
    >
      <Field
        label={words.label}
        hint={words.hint}
        placeholder={words.placeholder}
        type="tel"
        inputMode="tel"
        autoComplete="off"
        value={number}
        onChange={setNumber}
        isRequired
        autoFocus
      />
      <ExampleFiller
        onFill={() => {
          setNumber(exampleNumber());
        }}
      />
    </Page>
  );
}

/** A New Zealand mobile number that nobody at the stage used before. */
function exampleNumber(): string {
  const digits = String(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0).padStart(7, '0');
  return `+64 21 ${digits.slice(-7, -4)} ${digits.slice(-4)}`;
}

export function LoggedOutScreen() {
  const [{ busy }, model] = usePhone();
  const { loggedOut } = texts.phone;
  return (
    <Page
      title={loggedOut.title}
      text={loggedOut.text}
      actions={
        <>
          <Button
            kind="primary"
            icon="key"
            isBusy={busy === 'login'}
            onPress={() => void model.logIn()}
          >
            {loggedOut.logIn}
          </Button>
          <Button
            kind="quiet"
            onPress={() => {
              model.goTo('number');
            }}
          >
            {loggedOut.setUp}
          </Button>
          <LostPhone />
        </>
      }
    >
      <div className="hero" aria-hidden="true">
        <span className="hero-mark" />
      </div>
    </Page>
  );
}

/** For whoever has an account and no phone with it any more. */
function LostPhone() {
  const [, model] = usePhone();
  return (
    <Button
      kind="quiet"
      onPress={() => {
        model.goTo('recover-ask');
      }}
    >
      {texts.recovery.begin}
    </Button>
  );
}
