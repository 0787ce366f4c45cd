/**
 * The words for an action, in the customer's language, from the template of its type; amounts as that language writes them. They enter what he
 * signs, and a receipt holds them word for word: no old one is ever written again. No value is ever read as a template.
 */
import { ACTION_TYPES } from './action-types.ts';
import type { ActionTypes, Member, Members, Template } from './action-types.ts';
import type { Action } from './action.ts';
import { groupedAmount } from './money.ts';

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
  const shownIn = found === undefined ? 'en' : language;
  const valueOf = (path: string): string | undefined => {
    if (path === 'requester') return requesterName;
    const value = memberAt(action, path);
    const isAmount = value !== undefined && kindAt(type.members, path) === 'amount';
    return isAmount ? groupedAmount(value, shownIn) : value;
  };
  const fields = template.fields.flatMap(({ label, value }) => {
    const filled = fill(value, valueOf);
    return filled === undefined ? [] : [{ label, value: filled }];
  });
  const title = fill(template.title, valueOf);
  if (title === undefined) throw new TypeError('a title names only what every action has');
  return {
    locale: shownIn,
    template: action.type,
    version: type.version,
    text: [title, ...fields.map(({ label, value }) => `${label}: ${value}`)].join('\n'),
    fields,
  };
}

/** The parts of a text that was sent, whatever its template has become since. Each stands on a line of its own: no value has one. */
export function fieldsOf(text: string): Display['fields'] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => {
      const [label = ''] = line.split(': ', 1);
      return { label, value: line.slice(label.length + 2) };
    });
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

function kindAt(members: Members, path: string): Member['kind'] | undefined {
  const [name = '', ...below] = path.split('.');
  const member = Object.hasOwn(members, name) ? members[name] : undefined;
  if (below.length === 0) return member?.kind;
  return member?.kind === 'object' ? kindAt(member.members, below.join('.')) : undefined;
}
