/**
 * An action in one line, for an SMS: the title of what the app shows, then the parts that the title does not say. Nothing is cut off: a code whose
 * text hides the payee is worse than a long one.
 */
import type { Display } from '../step-up-texts.ts';

export function actionLine({ text, fields }: Pick<Display, 'text' | 'fields'>): string {
  const title = text.split('\n', 1)[0] ?? '';
  const rest = fields.filter(({ value }) => !title.includes(value));
  return [title, ...rest.map(({ label, value }) => `${label}: ${value}`)].join('; ');
}
