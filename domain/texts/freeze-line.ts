/**
 * The line that every security notice ends with: a link that freezes the account. It is the one link that ever stands in a message; it asks for
 * nothing, opens a page of the bank's own address, and can do one thing only.
 */
import { nearestLocale, type Locale, type Template, type TemplateText } from './index.ts';

/** What a customer may want to stop: every notice about his account, and every code that approves something. */
export const WITH_FREEZE_LINK: ReadonlySet<Template> = new Set<Template>([
  'enrollment_completed',
  'hold_released',
  'session_ended',
  'device_stopped',
  'device_resumed',
  'device_reported',
  'report_lifted',
  'passkey_removed',
  'freeze_lifted',
  'step_up_code',
  'step_up_not_me',
]);

const LINES: Readonly<Record<Locale, { readonly sms: string; readonly text: string }>> = {
  en: {
    sms: 'Stop it:',
    text: 'If something is wrong, freeze your account here. Payments and changes stop at once; you can end it in the app:',
  },
  de: {
    sms: 'Stoppen:',
    text: 'Wenn etwas nicht stimmt, frieren Sie Ihr Konto hier ein. Zahlungen und Änderungen halten sofort an; in der App können Sie das beenden:',
  },
};

/** The text as it was for every other template. */
export function withFreezeLink(
  template: Template,
  locale: string,
  text: TemplateText,
  url: string,
): TemplateText {
  if (!WITH_FREEZE_LINK.has(template)) return text;
  const line = LINES[nearestLocale(locale)];
  return {
    ...text,
    sms: `${text.sms} ${line.sms} ${url}`,
    text: `${text.text}\n\n${line.text}\n${url}`,
  };
}
