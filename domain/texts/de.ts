/**
 * What customers read, in German. An SMS keeps to the letters of GSM 03.38, umlauts among them, and to two parts; every text that carries a code
 * says what the code is for and that nobody from the bank asks for it. The one link that may stand in a message is freeze-line.ts's.
 */
import type { Catalogue } from './index.ts';

export const de: Catalogue = {
  enrollment_code: {
    sms: '{bank}: {code} ist Ihr Code, um die App auf diesem Telefon einzurichten. Gilt {minutes} Min. Die Bank fragt nie danach. Nicht Sie? Ignorieren Sie diese Nachricht.',
    subject: '{code} ist Ihr Code',
    text: `{code} ist Ihr Code, um die App von {bank} einzurichten. Er gilt {minutes} Minuten.

Geben Sie ihn nur in der App ein. Niemand von {bank} wird Sie je danach fragen.

Wenn Sie das nicht begonnen haben, ignorieren Sie diese Nachricht: ohne den Code geschieht nichts.`,
  },
  email_code: {
    sms: '{bank}: {code} ist Ihr Code, um Ihre E-Mail-Adresse zu bestätigen. Gilt {minutes} Min. Die Bank fragt nie danach.',
    subject: '{code} bestätigt Ihre E-Mail-Adresse',
    text: `{code} ist Ihr Code, um diese E-Mail-Adresse bei {bank} zu bestätigen. Er gilt {minutes} Minuten.

Geben Sie ihn nur in der App ein. Niemand von {bank} wird Sie je danach fragen.

Wenn Sie das nicht begonnen haben, ignorieren Sie diese Nachricht: ohne den Code geschieht nichts.`,
  },
  enrollment_reminder: {
    sms: '{bank}: Sie haben begonnen, die App einzurichten, und können dort weitermachen, wo Sie aufgehört haben. Öffnen Sie die App. Nach {hours} Std. beginnen Sie neu.',
    subject: 'Richten Sie die App von {bank} fertig ein',
    text: `Sie haben begonnen, die App von {bank} einzurichten. Öffnen Sie die App, um dort weiterzumachen, wo Sie aufgehört haben.

Wenn Sie nichts tun, wird alles bisher Eingegebene in {hours} Stunden gelöscht.`,
  },
  enrollment_completed: {
    sms: '{bank}: Die App ist auf {device} eingerichtet. Nicht Sie? Rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    subject: 'Die App von {bank} ist eingerichtet',
    text: `Die App von {bank} ist auf {device} eingerichtet. Von nun an melden Sie sich dort mit Ihrem Passkey an.

Wenn Sie das nicht waren, rufen Sie {bank} sofort unter der Nummer auf Ihrer Karte an.`,
  },
  session_cut_off: {
    sms: '{bank}: Zu Ihrem Schutz haben wir alle Anmeldungen beendet und Ihr Konto gesperrt. Rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    subject: 'Ihr Konto ist zu Ihrem Schutz gesperrt',
    text: `Zu Ihrem Schutz hat {bank} alle Anmeldungen an Ihrem Konto beendet und es gesperrt.

Rufen Sie {bank} unter der Nummer auf Ihrer Karte an. Niemand wird Sie nach einem Code oder Passwort fragen.`,
  },
  hold_released: {
    sms: '{bank}: Die Sperre Ihres Kontos ist aufgehoben. Sie können sich wieder anmelden.',
    subject: 'Ihr Konto ist wieder offen',
    text: `Die Sperre Ihres Kontos ist aufgehoben. Sie können sich in der App von {bank} wieder anmelden.

Wenn Sie Fragen haben, rufen Sie {bank} unter der Nummer auf Ihrer Karte an.`,
  },
  session_ended: {
    sms: '{bank}: Die Bank hat eine Anmeldung an Ihrem Konto beendet. Nicht von Ihnen gewünscht? Rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    subject: 'Eine Anmeldung an Ihrem Konto wurde beendet',
    text: `Jemand von {bank} hat eine Anmeldung an Ihrem Konto beendet. Sie können sich mit Ihrem Passkey wieder anmelden.

Wenn Sie das nicht gewünscht haben, rufen Sie {bank} unter der Nummer auf Ihrer Karte an. Niemand wird Sie nach einem Code oder Passwort fragen.`,
  },
  device_stopped: {
    sms: '{bank}: Eines Ihrer Geräte kann Ihr Konto nicht mehr benutzen. Nicht von Ihnen gewünscht? Rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    subject: 'Eines Ihrer Geräte kann Ihr Konto nicht mehr benutzen',
    text: `Eines Ihrer Geräte wurde gesperrt oder entfernt. Es ist abgemeldet, und seine Passkeys gelten nicht mehr.

Wenn Sie das nicht gewünscht haben, rufen Sie {bank} unter der Nummer auf Ihrer Karte an. Niemand wird Sie nach einem Code oder Passwort fragen.`,
  },
  device_resumed: {
    sms: '{bank}: Eines Ihrer Geräte kann Ihr Konto wieder benutzen. Nicht von Ihnen gewünscht? Rufen Sie die Bank sofort unter der Nummer auf Ihrer Karte an.',
    subject: 'Eines Ihrer Geräte kann Ihr Konto wieder benutzen',
    text: `Eines Ihrer Geräte, das gesperrt war, kann Ihr Konto wieder benutzen, mit seinen Passkeys.

Wenn Sie das nicht gewünscht haben, rufen Sie {bank} sofort unter der Nummer auf Ihrer Karte an. Niemand wird Sie nach einem Code oder Passwort fragen.`,
  },
  customer_frozen: {
    sms: '{bank}: Ihr Konto ist eingefroren. Kein Geld bewegt sich, nichts Wichtiges wird geändert. In der App können Sie sich anmelden und das beenden. Fragen? Rufen Sie die Nummer auf Ihrer Karte an.',
    subject: 'Ihr Konto ist eingefroren',
    text: `Ihr Konto bei {bank} ist eingefroren: kein Geld bewegt sich, und nichts Wichtiges wird geändert. Anmelden und lesen können Sie weiter. Nach einiger Zeit endet das von selbst.

Wenn alles in Ordnung ist, melden Sie sich mit Ihrem Passkey in der App an und beenden Sie es dort. Wenn jemand Ihr Telefon hat, rufen Sie {bank} unter der Nummer auf Ihrer Karte an.`,
  },
  freeze_lifted: {
    sms: '{bank}: Ihr Konto ist nicht mehr eingefroren. Nicht Sie? Rufen Sie die Bank sofort unter der Nummer auf Ihrer Karte an.',
    subject: 'Ihr Konto ist nicht mehr eingefroren',
    text: `Ihr Konto ist nicht mehr eingefroren. Zahlungen und Änderungen sind wieder möglich.

Wenn Sie das nicht wollten, rufen Sie {bank} sofort unter der Nummer auf Ihrer Karte an.`,
  },
  device_reported: {
    sms: '{bank}: Eines Ihrer Geräte wurde als verloren oder gestohlen gemeldet und kann nur noch lesen. Gefunden? Heben Sie die Meldung auf einem anderen Gerät auf oder rufen Sie die Bank an.',
    subject: 'Eines Ihrer Geräte wurde als verloren oder gestohlen gemeldet',
    text: `Eines Ihrer Geräte wurde als verloren oder gestohlen gemeldet. Von nun an kann es nur noch lesen: nicht zahlen, nicht freigeben, nichts ändern.

Wenn Sie es gefunden haben, heben Sie die Meldung auf einem anderen Ihrer Geräte auf oder rufen Sie {bank} unter der Nummer auf Ihrer Karte an.`,
  },
  report_lifted: {
    sms: '{bank}: Ein Gerät, das als verloren oder gestohlen gemeldet war, kann wieder benutzt werden. Nicht Sie? Rufen Sie die Bank sofort unter der Nummer auf Ihrer Karte an.',
    subject: 'Ein gemeldetes Gerät kann wieder benutzt werden',
    text: `Die Meldung eines verlorenen oder gestohlenen Geräts wurde aufgehoben. Es kann wieder, was es vorher konnte.

Wenn Sie das nicht wollten, rufen Sie {bank} sofort unter der Nummer auf Ihrer Karte an.`,
  },
  freeze_code: {
    sms: '{bank}: {code} ist Ihr Code, um Ihr Konto einzufrieren. Gilt {minutes} Min. Die Bank fragt nie danach. Nicht Sie? Ignorieren Sie diese Nachricht.',
    subject: '{code} ist Ihr Code, um Ihr Konto einzufrieren',
    text: `{code} ist Ihr Code, um Ihr Konto bei {bank} einzufrieren. Er gilt {minutes} Minuten.

Geben Sie ihn nur in der App ein. Niemand von {bank} wird Sie je danach fragen. Wenn Sie ihn nicht angefordert haben, ignorieren Sie diese Nachricht: ohne den Code geschieht nichts.`,
  },
  passkey_removed: {
    sms: '{bank}: Ein Passkey Ihres Kontos wurde entfernt. Nicht Sie? Rufen Sie die Bank sofort unter der Nummer auf Ihrer Karte an.',
    subject: 'Ein Passkey Ihres Kontos wurde entfernt',
    text: `Ein Passkey Ihres Kontos wurde entfernt. Er gilt nicht mehr, und was mit ihm angemeldet war, ist abgemeldet.

Wenn Sie das nicht waren, rufen Sie {bank} sofort unter der Nummer auf Ihrer Karte an. Niemand wird Sie nach einem Code oder Passwort fragen.`,
  },
  step_up_waiting: {
    sms: '{bank}: Etwas wartet auf Ihre Entscheidung. Öffnen Sie die App, um zu sehen, was es ist.',
    subject: '{bank}',
    text: 'Etwas wartet auf Ihre Entscheidung. Öffnen Sie die App, um zu sehen, was es ist.',
  },
  step_up_code: {
    sms: '{bank}: {code} ist Ihr Code, um dies freizugeben: {action}. Gilt {minutes} Min. Die Bank fragt nie danach. Nicht gewollt? Lehnen Sie in der App ab.',
    subject: '{code} ist Ihr Code für eine Freigabe',
    text: `{code} ist Ihr Code, um dies bei {bank} freizugeben:

{action}

Er gilt {minutes} Minuten. Geben Sie ihn nur in der App ein, und nur, wenn Sie das wollen. Niemand von {bank} wird Sie je danach fragen.`,
  },
  step_up_not_me: {
    sms: '{bank}: Sie haben eine Anfrage in der App als nicht Ihre gemeldet. Wir haben sie gestoppt. Folgen Sie keinem Anrufer; rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    subject: 'Wir haben eine Anfrage gestoppt, die nicht Ihre war',
    text: `Sie haben {bank} gemeldet, dass eine Anfrage in der App nicht Ihre war. Wir haben sie gestoppt, und nichts wurde ausgeführt.

Wenn Sie deshalb jemand angerufen hat, tun Sie nicht, was er sagt. Rufen Sie {bank} unter der Nummer auf Ihrer Karte an.`,
  },
  recovery_code: {
    sms: '{bank}: {code} ist Ihr Code, um Ihr Konto auf einem neuen Telefon wiederherzustellen. Gilt {minutes} Min. Die Bank fragt nie danach. Nicht Sie? Ignorieren Sie diese Nachricht.',
    subject: '{code} ist Ihr Code, um Ihr Konto wiederherzustellen',
    text: `{code} ist Ihr Code, um Ihr Konto bei {bank} auf einem neuen Telefon wiederherzustellen. Er gilt {minutes} Minuten.

Geben Sie ihn nur in der App auf Ihrem neuen Telefon ein, oder öffnen Sie den Link unten und geben Sie die Zahl ein, die das neue Telefon zeigt. Niemand von {bank} wird Sie je danach fragen. Wenn Sie ihn nicht angefordert haben, ignorieren Sie diese Nachricht: ohne den Code geschieht nichts.`,
  },
  recovery_opened: {
    sms: '{bank}: Jemand will Ihr Konto auf einem neuen Telefon einrichten. Nicht Sie? Stoppen Sie es in der App auf Ihrem Telefon, oder rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    subject: 'Jemand will Ihr Konto auf einem neuen Telefon einrichten',
    text: `Jemand hat darum gebeten, Ihr Konto bei {bank} auf einem neuen Telefon wiederherzustellen. Bis das getan ist, bleibt alles, wie es ist.

Wenn Sie das nicht waren, stoppen Sie es in der App auf Ihrem Telefon, oder rufen Sie {bank} unter der Nummer auf Ihrer Karte an. Niemand wird Sie nach einem Code oder Passwort fragen.`,
  },
  recovery_cooling: {
    sms: '{bank}: Ihr Konto wird bald auf einem neuen Telefon eingerichtet. Nicht Sie? Stoppen Sie es jetzt in der App auf Ihrem Telefon, oder rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    subject: 'Ihr Konto wird bald auf einem neuen Telefon eingerichtet',
    text: `Die Wiederherstellung Ihres Kontos bei {bank} wurde geprüft. Nach einer Zeit, in der Sie widersprechen können, wird es auf einem neuen Telefon eingerichtet, und Ihre alten Geräte werden entfernt.

Wenn Sie das nicht waren, stoppen Sie es jetzt in der App auf Ihrem Telefon, oder rufen Sie {bank} unter der Nummer auf Ihrer Karte an.`,
  },
  recovery_ready: {
    sms: '{bank}: Sie können Ihr Konto jetzt auf dem neuen Telefon einrichten. Öffnen Sie dort die App. Nicht Sie? Rufen Sie die Bank sofort unter der Nummer auf Ihrer Karte an.',
    subject: 'Sie können Ihr Konto jetzt auf dem neuen Telefon einrichten',
    text: `Sie können Ihr Konto bei {bank} jetzt auf dem neuen Telefon einrichten. Öffnen Sie dort die App, um Ihren Passkey anzulegen.

Wenn Sie das nicht waren, rufen Sie {bank} sofort unter der Nummer auf Ihrer Karte an.`,
  },
  recovery_completed: {
    sms: '{bank}: Ihr Konto ist auf einem neuen Telefon eingerichtet, und Ihre alten Geräte wurden entfernt. Nicht Sie? Rufen Sie die Bank sofort unter der Nummer auf Ihrer Karte an.',
    subject: 'Ihr Konto ist auf einem neuen Telefon eingerichtet',
    text: `Ihr Konto bei {bank} ist auf einem neuen Telefon eingerichtet. Ihre alten Geräte und Passkeys wurden entfernt, und für eine Weile gelten niedrigere Grenzen.

Wenn Sie das nicht waren, rufen Sie {bank} sofort unter der Nummer auf Ihrer Karte an.`,
  },
  recovery_ended: {
    sms: '{bank}: Die Wiederherstellung Ihres Kontos ist beendet. Nichts wurde geändert. Fragen? Rufen Sie die Bank unter der Nummer auf Ihrer Karte an.',
    subject: 'Die Wiederherstellung Ihres Kontos ist beendet',
    text: `Die Wiederherstellung Ihres Kontos bei {bank} ist beendet, ohne dass ein neues Telefon eingerichtet wurde. Ihre Geräte und Passkeys sind, wie sie waren.

Wenn Sie Fragen haben, rufen Sie {bank} unter der Nummer auf Ihrer Karte an.`,
  },
};
