/**
 * The line that every notice of a recovery ends with: a link that objects. It asks for nothing and opens a page of the bank's own address; whoever
 * follows it can hold the recovery, and no more.
 */
import { nearestLocale, type Locale, type Template, type TemplateText } from './index.ts';

/** While there is something to stop, and while what completed is still disputed. */
const WITH_OBJECTION_LINK: ReadonlySet<Template> = new Set<Template>([
  'recovery_opened',
  'recovery_cooling',
  'recovery_ready',
  'recovery_completed',
]);

const LINES: Readonly<Record<Locale, { readonly sms: string; readonly text: string }>> = {
  en: {
    sms: 'Not you?',
    text: 'If that was not you, say so here. It stops until the bank has looked:',
  },
  de: {
    sms: 'Nicht Sie?',
    text: 'Wenn Sie das nicht waren, sagen Sie es hier. Es hält an, bis die Bank nachgesehen hat:',
  },
};

/** The text as it was for every other template. */
export function withObjectionLink(
  template: Template,
  locale: string,
  text: TemplateText,
  url: string,
): TemplateText {
  if (!WITH_OBJECTION_LINK.has(template)) return text;
  const line = LINES[nearestLocale(locale)];
  return {
    ...text,
    sms: `${text.sms} ${line.sms} ${url}`,
    text: `${text.text}\n\n${line.text}\n${url}`,
  };
}
