/** What the logged-in phone shows: who, which device, which sessions, and what the bank's API answered. */
import type { Latchkey } from '../../sdk/client.ts';
import type { OwnRecovery } from '../../sdk/recovery-types.ts';
import type { LatchkeyProblem } from '../../sdk/problem.ts';
import type { Me, SessionEntry } from '../../sdk/types.ts';

export interface Home {
  readonly me: Me | undefined;
  readonly sessions: readonly SessionEntry[];
  /** Of this account, asked for elsewhere. */
  readonly recoveries: readonly OwnRecovery[];
}

export const emptyHome: Home = { me: undefined, sessions: [], recoveries: [] };

export interface Account {
  readonly number: string;
  readonly name: string;
  readonly currency: string;
  readonly balance: string;
}

export type BankAnswer =
  | {
      readonly accounts: readonly Account[];
      /** The identity headers that the gateway check put in. */
      readonly seen: readonly (readonly [name: string, value: string])[];
    }
  | { readonly refused: LatchkeyProblem };

export async function loadHome(latchkey: Latchkey): Promise<Home> {
  const me = await latchkey.me();
  const recoveries = await latchkey.ownRecoveries.list();
  return { me, sessions: await latchkey.sessions(), recoveries };
}

export function readBankAnswer(answer: unknown): BankAnswer {
  const { accounts, seenByTheBank } = isRecord(answer) ? answer : {};
  return {
    accounts: Array.isArray(accounts) ? accounts.filter(isAccount) : [],
    seen: isRecord(seenByTheBank)
      ? Object.entries(seenByTheBank).flatMap(([name, value]) =>
          typeof value === 'string' && value !== '' ? [[name, value] as const] : [],
        )
      : [],
  };
}

function isAccount(value: unknown): value is Account {
  return (
    isRecord(value) &&
    ['number', 'name', 'currency', 'balance'].every((name) => typeof value[name] === 'string')
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
