/**
 * A tenant's own types of action: what one may be, and how an action is read when a type has had several versions. They are written in the words of
 * domain/action-types.ts, not in free JSON Schema, so that amounts, accounts and texts are held to the same rules as the built-in ones.
 */
import { ACTION_TYPES, isOptional } from './action-types.ts';
import type { ActionType, ActionTypes, Member, Members, Template } from './action-types.ts';
import { canonicalAction, readAction } from './action.ts';
import type { Action } from './action.ts';
import { LatchkeyError } from './errors.ts';
import { flawOf } from './text-flaws.ts';

export type ActionTypeDefinition = Pick<ActionType, 'members' | 'templates'>;

const MAX_MEMBERS = 30;
const MAX_TEXT_LENGTH = 120;
const PLACE = /\{([^{}]*)\}/g;

/** The type that a value names, if it is not one of the built-in ones. */
export function ownTypeOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  const { type } = value;
  return typeof type === 'string' && !Object.hasOwn(ACTION_TYPES, type) ? type : undefined;
}

/**
 * `versions` from the newest on. An older one reads what the newest does not: what was asked before a change can still be used.
 * @throws LatchkeyError action_invalid, as the newest one says
 */
export function readOwnAction(
  value: unknown,
  name: string,
  versions: readonly ActionType[],
): Action {
  const [newest = {}, ...older] = versions.map((version) => ({ [name]: version }));
  try {
    return readAction(value, newest);
  } catch (error) {
    if (!isInvalid(error)) throw error;
    for (const types of older) {
      const action = readIfValid(value, types);
      if (action !== undefined) return action;
    }
    throw error;
  }
}

/** The newest version under which the action is what it is: by its text it is shown. */
export function typesOfAction(action: Action, versions: readonly ActionType[]): ActionTypes {
  const wanted = canonicalAction(action);
  const all = versions.map((version): ActionTypes => ({ [action.type]: version }));
  return (
    all.find((types) => {
      const read = readIfValid(action, types);
      return read !== undefined && canonicalAction(read) === wanted;
    }) ?? {}
  );
}

/** What is wrong with a definition beyond its shape; a line each, none repeats a value. */
export function definitionFlaws(
  name: string,
  { members, templates }: ActionTypeDefinition,
): readonly string[] {
  const flaws: string[] = [];
  if (Object.hasOwn(ACTION_TYPES, name)) flaws.push('a built-in type has that name');
  const all = [...pathsOf(members)];
  if (all.length === 0 || all.length > MAX_MEMBERS) flaws.push('1 to 30 members');
  if (all.some(([path]) => path.split('.').some((part) => part in {})))
    flaws.push('a member with a name that every object has');
  for (const taken of ['type', 'requester'])
    if (Object.hasOwn(members, taken)) flaws.push(`\`${taken}\` is no member of its own`);
  flaws.push(...moneyFlaws(members));
  for (const template of Object.values(templates))
    flaws.push(...templateFlaws(template, new Map(all)));
  return [...new Set(flaws)];
}

/** An amount is one of the currency beside it; elsewhere it would be refused for ever. */
function moneyFlaws(members: Members): readonly string[] {
  const entries = Object.values(members);
  const hasAmount = entries.some(({ kind }) => kind === 'amount');
  const here =
    hasAmount && members['currency']?.kind !== 'currency'
      ? ['an amount needs the member `currency` beside it']
      : [];
  // Thresholds and the day's total look there: money under another name would never be counted.
  const hidden = Object.entries(members).some(
    ([name, { kind }]) => (kind === 'amount') !== (name === 'amount'),
  );
  const isBelow = entries.some(
    (member) =>
      member.kind === 'object' &&
      Object.values(member.members).some(({ kind }) => kind === 'amount'),
  );
  const below = entries.flatMap((member) =>
    member.kind === 'object' ? moneyFlaws(member.members) : [],
  );
  return [
    ...here,
    ...(hidden ? ['an amount is called `amount`, and nothing else is'] : []),
    ...below,
    ...(isBelow ? ['an amount stands at the top, where it is counted'] : []),
  ];
}

function templateFlaws(
  { title, fields }: Template,
  all: ReadonlyMap<string, Member>,
): readonly string[] {
  const flaws: string[] = [];
  const texts = [title, ...fields.flatMap(({ label, value }) => [label, value])];
  if (texts.some(isUnreadable))
    flaws.push('a text with characters that hide or imitate, or longer than 120 characters');
  const places = texts.flatMap(placesIn);
  if (texts.some((text) => text.replaceAll(PLACE, '').match(/[{}]/) !== null))
    flaws.push('a brace that belongs to no place');
  if (places.some((place) => place !== 'requester' && !all.has(place)))
    flaws.push('a place that names no member');
  const optional = [...all].filter(([, member]) => isOptional(member)).map(([path]) => path);
  if (placesIn(title).some((place) => optional.includes(place)))
    flaws.push('a title that names an optional member');
  // What is signed is what was shown: nothing may be approved unseen.
  const shown = new Set(fields.flatMap(({ value }) => placesIn(value)));
  if ([...all.keys()].some((path) => !shown.has(path))) flaws.push('a member that no field shows');
  return flaws;
}

/** The bank's own words may mix scripts ("IBAN" in a Cyrillic line), but nothing in them may hide. */
function isUnreadable(text: string): boolean {
  const flaw = flawOf(text.replaceAll(PLACE, ''), MAX_TEXT_LENGTH);
  return (
    text.length > MAX_TEXT_LENGTH || flaw === 'invisible_character' || flaw === 'not_normalised'
  );
}

function placesIn(text: string): readonly string[] {
  return [...text.matchAll(PLACE)].map(([, path = '']) => path);
}

function* pathsOf(members: Members, before = ''): Generator<readonly [string, Member]> {
  for (const [name, member] of Object.entries(members)) {
    if (member.kind === 'object') yield* pathsOf(member.members, `${before}${name}.`);
    else yield [before + name, member];
  }
}

function readIfValid(value: unknown, types: ActionTypes): Action | undefined {
  try {
    return readAction(value, types);
  } catch (error) {
    if (isInvalid(error)) return undefined;
    throw error;
  }
}

function isInvalid(error: unknown): boolean {
  return error instanceof LatchkeyError && error.code === 'action_invalid';
}
