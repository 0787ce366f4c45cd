/** What the page behind the link of a notice says, in the languages that notices are written in. */

export interface FreezeTexts {
  readonly ask: {
    readonly title: string;
    readonly lead: string;
    readonly stops: string;
    readonly stopped: readonly string[];
    readonly goesOn: string;
    readonly kept: readonly string[];
    readonly ends: string;
    readonly button: string;
    readonly working: string;
    readonly leave: string;
  };
  readonly done: {
    readonly title: string;
    readonly until: string;
    readonly next: string;
    readonly steps: readonly string[];
  };
  readonly refused: {
    readonly [code: string]: { readonly title: string; readonly text: string } | undefined;
  };
  readonly otherwise: { readonly title: string; readonly text: string };
  readonly again: string;
}

const en: FreezeTexts = {
  ask: {
    title: 'Freeze your account?',
    lead: 'Nothing has happened yet. When you press the button, this stops at once:',
    stops: 'Stops',
    stopped: ['Payments and transfers', 'New payees, limits, passkeys and devices'],
    goesOn: 'Goes on',
    kept: ['Logging in and reading', 'Ending logins, and reporting a lost phone'],
    ends: 'The freeze ends by itself. You can end it sooner in the app, with your passkey.',
    button: 'Freeze my account now',
    working: 'Freezing …',
    leave: 'Nothing is wrong? Close this page. Opening it changes nothing.',
  },
  done: {
    title: 'Your account is frozen',
    until: 'No money moves and nothing sensitive changes until',
    next: 'What to do now',
    steps: [
      'Call the bank at the number on your card, never at one from a message or a caller.',
      'If a phone was lost or stolen, report it in the app on another of your devices, or on that call.',
      'If it was a false alarm, log in to the app with your passkey and end the freeze there.',
    ],
  },
  refused: {
    freeze_link_expired: {
      title: 'This link is too old',
      text: 'Nothing was changed. Freeze your account in the app, or call the bank at the number on your card.',
    },
    freeze_link_used: {
      title: 'This link was used before',
      text: 'It froze your account once, and that freeze has ended. Freeze it again in the app, or call the bank at the number on your card.',
    },
    freeze_limit_reached: {
      title: 'This link cannot freeze your account now',
      text: 'It was frozen by links too often lately. Freeze it in the app with your passkey, or call the bank at the number on your card.',
    },
    freeze_link_invalid: {
      title: 'This link is not complete',
      text: 'Open it again from the message, as a whole. If that does not help, freeze your account in the app, or call the bank at the number on your card.',
    },
  },
  otherwise: {
    title: 'That did not work',
    text: 'We could not reach the bank. Try again now. If it is urgent, call the bank at the number on your card.',
  },
  again: 'Try again',
};

const de: FreezeTexts = {
  ask: {
    title: 'Konto einfrieren?',
    lead: 'Noch ist nichts geschehen. Wenn Sie auf den Knopf drücken, hält dies sofort an:',
    stops: 'Hält an',
    stopped: ['Zahlungen und Überweisungen', 'Neue Empfänger, Limits, Passkeys und Geräte'],
    goesOn: 'Geht weiter',
    kept: ['Anmelden und lesen', 'Anmeldungen beenden und ein verlorenes Telefon melden'],
    ends: 'Das endet von selbst. In der App können Sie es mit Ihrem Passkey früher beenden.',
    button: 'Mein Konto jetzt einfrieren',
    working: 'Wird eingefroren …',
    leave: 'Alles in Ordnung? Schließen Sie diese Seite. Das Öffnen ändert nichts.',
  },
  done: {
    title: 'Ihr Konto ist eingefroren',
    until: 'Kein Geld bewegt sich, und nichts Wichtiges wird geändert, bis',
    next: 'Was jetzt zu tun ist',
    steps: [
      'Rufen Sie die Bank unter der Nummer auf Ihrer Karte an, nie unter einer aus einer Nachricht oder von einem Anrufer.',
      'Wenn ein Telefon verloren oder gestohlen ist, melden Sie es in der App auf einem anderen Ihrer Geräte oder bei diesem Anruf.',
      'Wenn es ein falscher Alarm war, melden Sie sich mit Ihrem Passkey in der App an und beenden Sie es dort.',
    ],
  },
  refused: {
    freeze_link_expired: {
      title: 'Dieser Link ist zu alt',
      text: 'Nichts wurde geändert. Frieren Sie Ihr Konto in der App ein oder rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    },
    freeze_link_used: {
      title: 'Dieser Link wurde schon benutzt',
      text: 'Er hat Ihr Konto einmal eingefroren, und das ist beendet. Frieren Sie es in der App wieder ein oder rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    },
    freeze_limit_reached: {
      title: 'Dieser Link kann Ihr Konto jetzt nicht einfrieren',
      text: 'Es wurde in letzter Zeit zu oft durch Links eingefroren. Frieren Sie es mit Ihrem Passkey in der App ein oder rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    },
    freeze_link_invalid: {
      title: 'Dieser Link ist nicht vollständig',
      text: 'Öffnen Sie ihn noch einmal ganz aus der Nachricht. Wenn das nicht hilft, frieren Sie Ihr Konto in der App ein oder rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    },
  },
  otherwise: {
    title: 'Das hat nicht geklappt',
    text: 'Wir konnten die Bank nicht erreichen. Versuchen Sie es gleich noch einmal. Wenn es eilt, rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
  },
  again: 'Noch einmal versuchen',
};

/** German for whoever prefers it, English for everybody else. */
export function textsFor(languages: readonly string[]): {
  readonly locale: 'de' | 'en';
  readonly texts: FreezeTexts;
} {
  const first = languages.find((language) => /^(?:de|en)\b/i.test(language)) ?? 'en';
  return /^de/i.test(first) ? { locale: 'de', texts: de } : { locale: 'en', texts: en };
}
