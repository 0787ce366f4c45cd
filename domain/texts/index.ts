/**
 * The catalogue of customer-facing messages: one file a locale, each with every template, rendered with typed values. A number that is
 * known already gets `enrollment_code` like any other. A text must never go out with a placeholder left in it.
 */
import { de } from './de.ts';
import { en } from './en.ts';

/** What each template needs; names and numbers only, never personal data. */
export interface TemplateValues {
  enrollment_code: { readonly bank: string; readonly code: string; readonly minutes: number };
  email_code: { readonly bank: string; readonly code: string; readonly minutes: number };
  enrollment_reminder: { readonly bank: string; readonly hours: number };
  enrollment_completed: { readonly bank: string; readonly device: string };
  session_cut_off: { readonly bank: string };
  hold_released: { readonly bank: string };
  session_ended: { readonly bank: string };
  device_stopped: { readonly bank: string };
  device_resumed: { readonly bank: string };
  passkey_removed: { readonly bank: string };
  /** What a push says: subject and text. It names nothing, since it may light up on a locked phone. */
  step_up_waiting: { readonly bank: string };
  /** `action` names amount and payee, as the app shows them. */
  step_up_code: {
    readonly bank: string;
    readonly code: string;
    readonly minutes: number;
    readonly action: string;
  };
  step_up_not_me: { readonly bank: string };
  customer_frozen: { readonly bank: string };
  freeze_lifted: { readonly bank: string };
  device_reported: { readonly bank: string };
  report_lifted: { readonly bank: string };
  freeze_code: { readonly bank: string; readonly code: string; readonly minutes: number };
  /** A link follows it (relay/recovery-requests.ts). */
  recovery_code: { readonly bank: string; readonly code: string; readonly minutes: number };
  recovery_opened: { readonly bank: string };
  recovery_cooling: { readonly bank: string };
  recovery_ready: { readonly bank: string };
  recovery_completed: { readonly bank: string };
  recovery_ended: { readonly bank: string };
}

export type Template = keyof TemplateValues;

export interface TemplateText {
  readonly sms: string;
  readonly subject: string;
  readonly text: string;
}

export type Catalogue = { readonly [T in Template]: TemplateText };

const CATALOGUES = { en, de } as const satisfies Record<string, Catalogue>;

export type Locale = keyof typeof CATALOGUES;

export const DEFAULT_LOCALE: Locale = 'en';
// Object.keys forgets the literal types that the constant has.
export const LOCALES = Object.keys(CATALOGUES) as readonly Locale[];
export const TEMPLATES = Object.keys(en) as readonly Template[];

export function isTemplate(value: string): value is Template {
  return Object.hasOwn(en, value);
}

/** The nearest locale there is (BCP 47 lookup, RFC 4647 section 3.4): `de-CH` → `de` → the default. */
export function nearestLocale(wanted: string): Locale {
  const parts = wanted.toLowerCase().split('-');
  while (parts.length > 0) {
    const found = LOCALES.find((locale) => locale.toLowerCase() === parts.join('-'));
    if (found !== undefined) return found;
    parts.pop();
  }
  return DEFAULT_LOCALE;
}

/** @throws TypeError when a value is missing. Control characters in values become spaces: a device's name writes no line of its own. */
export function render<T extends Template>(
  template: T,
  locale: string,
  values: TemplateValues[T],
): TemplateText {
  const { sms, subject, text } = CATALOGUES[nearestLocale(locale)][template];
  const known = new Map<string, string>(
    Object.entries(values).map(([name, value]) => [name, plain(String(value))]),
  );
  return { sms: fill(sms, known), subject: fill(subject, known), text: fill(text, known) };
}

function fill(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\{([a-zA-Z]+)\}/g, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new TypeError(`the text needs ${name}`);
    return value;
  });
}

function plain(value: string): string {
  return value.replaceAll(/\p{Cc}+/gu, ' ');
}
