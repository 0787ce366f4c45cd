/** What the page behind the links of a recovery says, in the languages that its messages are written in. */

interface Screen {
  readonly title: string;
  readonly text: string;
}

export interface RecoverTexts {
  readonly prove: {
    readonly title: string;
    readonly lead: string;
    readonly warning: string;
    readonly label: string;
    readonly hint: string;
    readonly button: string;
    readonly working: string;
    readonly leave: string;
    readonly missing: string;
    readonly wrong: string;
  };
  readonly proved: Screen;
  readonly object: {
    readonly title: string;
    readonly lead: string;
    readonly after: string;
    readonly button: string;
    readonly working: string;
    readonly leave: string;
  };
  readonly objected: { readonly [result: string]: Screen | undefined };
  readonly refused: { readonly [code: string]: Screen | undefined };
  readonly otherwise: Screen;
  readonly again: string;
}

const en: RecoverTexts = {
  prove: {
    title: 'Are you moving your account to a new phone?',
    lead: 'Somebody asked the bank to open your account on another phone. If that is you, type the number that the new phone shows now.',
    warning:
      'Did somebody call you and tell you a number? Then stop: they want your account. The bank never asks for this on a call.',
    label: 'Number on the new phone',
    hint: 'Four digits. They stand on that phone and in no message.',
    button: 'Yes, that is my phone',
    working: 'Checking …',
    leave: 'You asked for nothing? Close this page. Opening it changes nothing.',
    missing: 'Type the four digits that the new phone shows.',
    wrong: 'That is not the number on the new phone. Look there and try again.',
  },
  proved: {
    title: 'Go on with your new phone',
    text: 'The bank knows now that this message reached you. The new phone shows what comes next.',
  },
  object: {
    title: 'Was that not you?',
    lead: 'Somebody is moving your account to another phone. Nothing has happened on this page yet. When you press the button, it stops until the bank has looked.',
    after:
      'If it is over already, the button cuts off every phone and login of your account at once.',
    button: 'That was not me',
    working: 'Stopping …',
    leave: 'Was it you? Close this page. Opening it changes nothing.',
  },
  objected: {
    held: {
      title: 'It is stopped',
      text: 'Nobody gets your account until the bank has looked. If you have a phone with the app, log in there and object: that ends it for good. Or call the bank at the number on your card.',
    },
    ended: {
      title: 'It is over',
      text: 'Your account is as it was before.',
    },
    stopped: {
      title: 'Your account is cut off',
      text: 'Every phone and login has ended. Call the bank at the number on your card, never at one from a message or a caller.',
    },
    noted: {
      title: 'The bank has it in writing',
      text: 'The bank looked at an objection by such a link before, so this one stops nothing. If that was not you, call the bank at the number on your card now.',
    },
  },
  refused: {
    recovery_link_expired: {
      title: 'This link is too old',
      text: 'Ask again on the new phone. If you did not ask, there is nothing to do.',
    },
    recovery_link_used: {
      title: 'This link has been used',
      text: 'Look at the new phone: it shows what comes next. If that was not you, call the bank at the number on your card.',
    },
    recovery_link_invalid: {
      title: 'This link is not complete',
      text: 'Open it again from the message, as a whole. If that does not help, call the bank at the number on your card.',
    },
    attempts_exhausted: {
      title: 'Too many wrong numbers',
      text: 'This link is over. Ask again on the new phone.',
    },
    ceremony_ended: {
      title: 'There is nothing to stop',
      text: 'It has ended already. If something else is wrong, call the bank at the number on your card.',
    },
    ceremony_expired: {
      title: 'There is nothing to stop',
      text: 'It ran out by itself, and your account is as it was.',
    },
  },
  otherwise: {
    title: 'That did not work',
    text: 'We could not reach the bank. Try again now. If it is urgent, call the bank at the number on your card.',
  },
  again: 'Try again',
};

const de: RecoverTexts = {
  prove: {
    title: 'Ziehen Sie auf ein neues Telefon um?',
    lead: 'Jemand hat die Bank gebeten, Ihr Konto auf einem anderen Telefon zu öffnen. Wenn Sie das sind, geben Sie die Zahl ein, die das neue Telefon jetzt zeigt.',
    warning:
      'Hat Sie jemand angerufen und Ihnen eine Zahl genannt? Dann hören Sie auf: Diese Person will Ihr Konto. Die Bank fragt am Telefon nie danach.',
    label: 'Zahl auf dem neuen Telefon',
    hint: 'Vier Ziffern. Sie stehen auf jenem Telefon und in keiner Nachricht.',
    button: 'Ja, das ist mein Telefon',
    working: 'Wird geprüft …',
    leave: 'Sie haben um nichts gebeten? Schließen Sie diese Seite. Das Öffnen ändert nichts.',
    missing: 'Geben Sie die vier Ziffern ein, die das neue Telefon zeigt.',
    wrong:
      'Das ist nicht die Zahl auf dem neuen Telefon. Sehen Sie dort nach und versuchen Sie es noch einmal.',
  },
  proved: {
    title: 'Weiter auf dem neuen Telefon',
    text: 'Die Bank weiß jetzt, dass diese Nachricht Sie erreicht hat. Das neue Telefon zeigt, wie es weitergeht.',
  },
  object: {
    title: 'Waren Sie das nicht?',
    lead: 'Jemand zieht mit Ihrem Konto auf ein anderes Telefon um. Auf dieser Seite ist noch nichts geschehen. Wenn Sie auf den Knopf drücken, hält es an, bis die Bank nachgesehen hat.',
    after:
      'Wenn es schon vorbei ist, trennt der Knopf sofort jedes Telefon und jede Anmeldung Ihres Kontos.',
    button: 'Das war ich nicht',
    working: 'Wird angehalten …',
    leave: 'Waren Sie es? Schließen Sie diese Seite. Das Öffnen ändert nichts.',
  },
  objected: {
    held: {
      title: 'Es ist angehalten',
      text: 'Niemand bekommt Ihr Konto, bis die Bank nachgesehen hat. Wenn Sie ein Telefon mit der App haben, melden Sie sich dort an und widersprechen Sie: Das beendet es endgültig. Oder rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    },
    ended: { title: 'Es ist vorbei', text: 'Ihr Konto ist wie zuvor.' },
    stopped: {
      title: 'Ihr Konto ist getrennt',
      text: 'Jedes Telefon und jede Anmeldung ist beendet. Rufen Sie die Bank unter der Nummer auf Ihrer Karte an, nie unter einer aus einer Nachricht oder von einem Anrufer.',
    },
    noted: {
      title: 'Die Bank hat es schriftlich',
      text: 'Die Bank hat sich einen Widerspruch über einen solchen Link schon angesehen, darum hält dieser nichts an. Wenn Sie das nicht waren, rufen Sie jetzt die Bank unter der Nummer auf Ihrer Karte an.',
    },
  },
  refused: {
    recovery_link_expired: {
      title: 'Dieser Link ist zu alt',
      text: 'Fragen Sie auf dem neuen Telefon noch einmal. Wenn Sie nicht gefragt haben, ist nichts zu tun.',
    },
    recovery_link_used: {
      title: 'Dieser Link wurde schon benutzt',
      text: 'Sehen Sie auf das neue Telefon: Es zeigt, wie es weitergeht. Wenn Sie das nicht waren, rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    },
    recovery_link_invalid: {
      title: 'Dieser Link ist nicht vollständig',
      text: 'Öffnen Sie ihn noch einmal ganz aus der Nachricht. Wenn das nicht hilft, rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    },
    attempts_exhausted: {
      title: 'Zu viele falsche Zahlen',
      text: 'Dieser Link ist vorbei. Fragen Sie auf dem neuen Telefon noch einmal.',
    },
    ceremony_ended: {
      title: 'Es gibt nichts anzuhalten',
      text: 'Es ist schon beendet. Wenn etwas anderes nicht stimmt, rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    },
    ceremony_expired: {
      title: 'Es gibt nichts anzuhalten',
      text: 'Es ist von selbst abgelaufen, und Ihr Konto ist wie zuvor.',
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
  readonly texts: RecoverTexts;
} {
  const first = languages.find((language) => /^(?:de|en)\b/i.test(language)) ?? 'en';
  return /^de/i.test(first) ? { locale: 'de', texts: de } : { locale: 'en', texts: en };
}
