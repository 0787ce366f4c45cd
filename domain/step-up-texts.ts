/**
 * The words for an action, in the customer's language, from the template of its type. They enter what he signs, so that the same action, language
 * and version always give the same text. No value is ever read as a template.
 */
import { ACTION_TYPES } from './action-types.ts';
import type { ActionTypes, Template } from './action-types.ts';
import type { Action } from './action.ts';

export interface Display {
  /** The language of the text. */
  readonly locale: string;
  /** The action's type. */
  readonly template: string;
  readonly version: number;
  /** Title and parts, a line each: what is signed. */
  readonly text: string;
  /** The parts once more, to lay out; the values stand word for word in `text`. */
  readonly fields: { readonly label: string; readonly value: string }[];
}

const PLACE = /\{([A-Za-z_]+(?:\.[A-Za-z_]+)*)\}/g;

/** `locale` is BCP 47; English when there is no template in its language. */
export function displayOf(
  action: Action,
  locale: string,
  requesterName: string,
  types: ActionTypes = ACTION_TYPES,
): Display {
  const type = Object.hasOwn(types, action.type) ? types[action.type] : undefined;
  if (type === undefined) throw new TypeError('an action of a type that has no text');
  const language = (locale.split('-')[0] ?? 'en').toLowerCase();
  const found = Object.hasOwn(type.templates, language) ? type.templates[language] : undefined;
  const template: Template = found ?? type.templates.en;
  const valueOf = (path: string): string | undefined =>
    path === 'requester' ? requesterName : memberAt(action, path);
  const fields = template.fields.flatMap(({ label, value }) => {
    const filled = fill(value, valueOf);
    return filled === undefined ? [] : [{ label, value: filled }];
  });
  const title = fill(template.title, valueOf);
  if (title === undefined) throw new TypeError('a title names only what every action has');
  return {
    locale: found === undefined ? 'en' : language,
    template: action.type,
    version: type.version,
    text: [title, ...fields.map(({ label, value }) => `${label}: ${value}`)].join('\n'),
    fields,
  };
}

/** undefined: a place that has no value. */
function fill(text: string, valueOf: (path: string) => string | undefined): string | undefined {
  let isWhole = true;
  const filled = text.replaceAll(PLACE, (_, path: string) => {
    const value = valueOf(path);
    isWhole &&= value !== undefined;
    return value ?? '';
  });
  return isWhole ? filled : undefined;
}

function memberAt(action: Action, path: string): string | undefined {
  let value: Action[string] | undefined = action;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return typeof value === 'string' ? value : undefined;
}
