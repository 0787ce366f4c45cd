/**
 * The action that a customer approves, read from what a requester sent and put into its one form: two spellings of the same action become one
 * text, and so one challenge. What is not understood to the last member is refused, never repaired.
 */
import { ACTION_TYPES, isOptional } from './action-types.ts';
import type { ActionTypes, Member, Members } from './action-types.ts';
import { canonicalJson } from './canonical-json.ts';
import type { JsonValue } from './canonical-json.ts';
import { LatchkeyError } from './errors.ts';
import { currencyDigits, normalAmount } from './money.ts';
import { flawOf } from './text-flaws.ts';

type ActionMember = string | { readonly [name: string]: ActionMember };

/** In its one form: only readAction() makes it. */
export interface Action {
  readonly type: string;
  readonly [member: string]: ActionMember;
}

const ACCOUNT = /^[A-Z0-9][A-Z0-9-]{2,38}[A-Z0-9]$/;
const IBAN = /^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$/;

/** @throws LatchkeyError action_invalid with the member that is wrong and why, as a code. */
export function readAction(value: unknown, types: ActionTypes = ACTION_TYPES): Action {
  if (!isRecord(value)) throw invalid('action', 'not_an_object');
  const { type, ...rest } = value;
  const known = typeof type === 'string' && Object.hasOwn(types, type) ? types[type] : undefined;
  if (typeof type !== 'string' || known === undefined) throw invalid('type', 'unknown_type');
  return { type, ...readMembers(rest, known.members, '') };
}

/** RFC 8785. Equal for equal actions, and only for those. */
export function canonicalAction(action: Action): string {
  return canonicalJson(action satisfies JsonValue);
}

function readMembers(
  value: Readonly<Record<string, unknown>>,
  members: Members,
  path: string,
): Record<string, ActionMember> {
  const stray = Object.keys(value).find((name) => !Object.hasOwn(members, name));
  if (stray !== undefined) throw invalid(path + shortName(stray), 'unknown_member');
  const read: Record<string, ActionMember> = {};
  for (const [name, member] of Object.entries(members)) {
    const given = value[name];
    if (given === undefined) {
      if (isOptional(member)) continue;
      throw invalid(path + name, 'missing');
    }
    read[name] = readMember(given, member, { path: path + name, beside: value });
  }
  return read;
}

function readMember(
  value: unknown,
  member: Member,
  { path, beside }: { readonly path: string; readonly beside: Readonly<Record<string, unknown>> },
): ActionMember {
  if (member.kind === 'object') {
    if (!isRecord(value)) throw invalid(path, 'not_an_object');
    return readMembers(value, member.members, `${path}.`);
  }
  // A number is refused too: JSON's 0.1 is a floating point number.
  if (typeof value !== 'string') throw invalid(path, 'not_a_string');
  switch (member.kind) {
    case 'amount':
      return readAmount(value, beside['currency'], path);
    case 'currency':
      if (currencyDigits(value) === undefined) throw invalid(path, 'unknown_currency');
      return value;
    case 'text': {
      const flaw = flawOf(value, member.maxLength);
      if (flaw !== undefined) throw invalid(path, flaw);
      return value;
    }
    case 'account':
      if (!ACCOUNT.test(value)) throw invalid(path, 'not_an_account');
      if (IBAN.test(value) && !hasCheckDigits(value)) throw invalid(path, 'wrong_check_digits');
      return value;
    case 'one_of':
      if (!member.values.includes(value)) throw invalid(path, 'unknown_value');
      return value;
  }
}

function readAmount(value: string, currency: unknown, path: string): string {
  if (typeof currency !== 'string' || currencyDigits(currency) === undefined)
    throw invalid(path, 'unknown_currency');
  const amount = normalAmount(value, currency);
  if (amount === undefined) throw invalid(path, 'not_an_amount');
  return amount;
}

/** ISO 7064 MOD 97-10, as ISO 13616 uses it. */
function hasCheckDigits(iban: string): boolean {
  const moved = iban.slice(4) + iban.slice(0, 4);
  const digits = moved.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a stranger named his member is shown to him, but not without end. */
function shortName(name: string): string {
  return /^[A-Za-z0-9_]{1,40}$/.test(name) ? name : '?';
}

function invalid(member: string, why: string): LatchkeyError {
  return new LatchkeyError('action_invalid', { extra: { member, why } });
}
