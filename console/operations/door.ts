/**
 * What the page asks the operations door for. The staff cookie travels by itself and no script can read it; whatever is refused comes back as a
 * code, for which the page has its own words.
 */
import { presenceHeaders } from './presence.ts';

export type Role = 'agent' | 'supervisor' | 'auditor' | 'administrator';

export interface Door {
  readonly tenants: readonly string[];
  readonly temporalUi?: { readonly tenant: string; readonly path: string };
}

export interface Me {
  readonly staffId: string;
  readonly name: string;
  readonly employeeId: string;
  readonly roles: readonly Role[];
  readonly authTime: string;
  readonly tenant: { readonly slug: string; readonly name: string };
}

export interface Hold {
  readonly holdId: string;
  readonly customerId: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: string;
  readonly approvalId: string | null;
}

export interface DeadLetter {
  readonly outboxId: string;
  readonly topic: string;
  /** Of an event; else null. */
  readonly eventType: string | null;
  readonly subject: string;
  readonly errorCode: string | null;
  readonly attempts: number;
  readonly createdAt: string;
}

/** `silent`: nobody answered, or not what was asked for. */
export type Answer<Value> =
  | { readonly kind: 'answered'; readonly value: Value }
  | { readonly kind: 'logged-out' | 'forbidden' | 'silent' };

const LIST_LENGTH = 10;

export const readDoor = () => ask<Door>('/door.json');

/** The first tenant in which this browser is logged in. */
export async function readMe(tenants: readonly string[]): Promise<Answer<Me>> {
  for (const tenant of tenants) {
    const answer = await ask<Me>(`/t/${tenant}/staff/me`);
    if (answer.kind !== 'logged-out') return answer;
  }
  return { kind: 'logged-out' };
}

export async function readHolds(tenant: string): Promise<Answer<readonly Hold[]>> {
  const path = `/t/${tenant}/staff/holds?limit=${LIST_LENGTH}`;
  return listed(await ask<{ holds: readonly Hold[] }>(path), ({ holds }) => holds);
}

export async function readDeadLetters(tenant: string): Promise<Answer<readonly DeadLetter[]>> {
  const path = `/t/${tenant}/ops/dead-letters?limit=${LIST_LENGTH}`;
  return listed(
    await ask<{ deadLetters: readonly DeadLetter[] }>(path),
    ({ deadLetters }) => deadLetters,
  );
}

/** False when the door did not hear it. */
export async function logOut(tenant: string): Promise<boolean> {
  const answer = await ask(`/t/${tenant}/staff/logout`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  return answer.kind === 'answered' || answer.kind === 'logged-out';
}

/** `isFresh`: the person types their password again, as a release or an approval asks for. */
export function loginAddress(tenant: string, returnTo = '/', isFresh = false): string {
  const query = new URLSearchParams({ returnTo, ...(isFresh ? { fresh: 'true' } : {}) });
  return `/t/${tenant}/staff/login?${query.toString()}`;
}

/** Where one is, with the filters that stand in the address. */
export const here = (): string => window.location.pathname + window.location.search;

/** Away to the directory, and back to where one is. */
export function logInAnew({ tenant }: Me): void {
  window.location.assign(loginAddress(tenant.slug, here(), true));
}

function listed<Page, Item>(
  answer: Answer<Page>,
  items: (page: Page) => readonly Item[],
): Answer<readonly Item[]> {
  return answer.kind === 'answered' ? { kind: 'answered', value: items(answer.value) } : answer;
}

async function ask<Value>(
  path: string,
  options: RequestInit = { headers: presenceHeaders() },
): Promise<Answer<Value>> {
  try {
    const answer = await fetch(path, options);
    if (answer.status === 401) return { kind: 'logged-out' };
    if (answer.status === 403) return { kind: 'forbidden' };
    if (!answer.ok) return { kind: 'silent' };
    // The door's own answers, held by its schemas.
    return { kind: 'answered', value: (await answer.json()) as Value };
  } catch {
    return { kind: 'silent' };
  }
}
