/**
 * How the staff commands speak to the operations door: the session as its cookie, the door's own Origin, and one Idempotency-Key for as long as an
 * outcome is not known. Refusals become sentences; a token must never reach another address, a redirect or the screen.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { readStaffSession } from './staff-session-file.ts';
import type { StaffSessionFile } from './staff-session-file.ts';
import { say, warn } from './terminal.ts';

const COOKIE = '__Host-latchkey-staff';
const TIMEOUT_MS = 15_000;
/** A restart of the API, or an answer that was lost. */
const TRIES = 3;
const MAX_PAUSE_SECONDS = 5;

/** What the door refused, as a sentence. `code` is one of docs/errors.md. */
export class StaffRefusal extends Error {
  override readonly name = 'StaffRefusal';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface StaffClient {
  readonly session: StaffSessionFile;
  /** Paths below the tenant. @throws StaffRefusal */
  get(path: string): Promise<Record<string, unknown>>;
  post(path: string, body: object): Promise<Record<string, unknown>>;
}

/** With the session of this machine's user. @throws StaffRefusal when nobody is logged in */
export async function staffClient(environment: NodeJS.ProcessEnv): Promise<StaffClient> {
  const session = await readStaffSession(environment);
  if (session === undefined)
    throw new StaffRefusal(
      'staff_login_required',
      'Nobody is logged in here: latchkey staff login',
    );
  const cookie = `${COOKIE}=${session.token}`;
  const base = { ...session, cookie };
  return {
    session,
    get: (path) => askDoor(base, { method: 'GET', path }),
    post: (path, body) => askDoor(base, { method: 'POST', path, body }),
  };
}

interface Door {
  readonly url: string;
  readonly tenant: string;
  readonly cookie?: string;
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
}

type Answer =
  | {
      readonly isAnswered: true;
      readonly status: number;
      readonly pauseSeconds: number;
      readonly body: Record<string, unknown>;
    }
  | { readonly isAnswered: false; readonly error: unknown };

/** Tries again while the outcome is unknown, under the same key, so that nothing is done twice. */
export async function askDoor(door: Door, call: Call): Promise<Record<string, unknown>> {
  const idempotencyKey = randomUUID();
  for (let tried = 1; ; tried += 1) {
    const answer = await once(door, call, idempotencyKey);
    const isUnknown = !answer.isAnswered || answer.status === 503;
    if (isUnknown && tried < TRIES) {
      await pause((answer.isAnswered ? answer.pauseSeconds : 1) * 1_000);
      continue;
    }
    if (!answer.isAnswered)
      throw new Error(`${door.url} does not answer as Latchkey does`, { cause: answer.error });
    if (answer.status >= 400) throw refusalOf(answer.status, answer.body);
    return answer.body;
  }
}

async function once(
  { url, tenant, cookie }: Door,
  call: Call,
  idempotencyKey: string,
): Promise<Answer> {
  const headers = {
    accept: 'application/json',
    ...(cookie === undefined ? {} : { cookie }),
    ...(call.method === 'GET'
      ? {}
      : { origin: url, 'content-type': 'application/json', 'idempotency-key': idempotencyKey }),
  };
  try {
    const answer = await fetch(`${url}/t/${tenant}${call.path}`, {
      method: call.method,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    });
    const body = membersOf(await answer.json());
    const pauseSeconds = retryAfter(answer.headers);
    return { isAnswered: true, status: answer.status, pauseSeconds, body };
  } catch (error) {
    // No connection, no answer in time, a redirect, or a page instead of an answer.
    return { isAnswered: false, error };
  }
}

function retryAfter(headers: Headers): number {
  const seconds = Number(headers.get('retry-after') ?? '1');
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), MAX_PAUSE_SECONDS) : 1;
}

const HINTS: Readonly<Record<string, string>> = {
  staff_login_required: 'Log in again: latchkey staff login',
  reauthentication_required: 'This needs a login of the last minutes: latchkey staff login',
};

function refusalOf(status: number, problem: Record<string, unknown>): StaffRefusal {
  const code = typeof problem['code'] === 'string' ? problem['code'] : `http_${String(status)}`;
  const title =
    typeof problem['title'] === 'string' ? problem['title'] : 'The request was refused.';
  return new StaffRefusal(code, `${HINTS[code] ?? title} (${code})`);
}

function membersOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('the answer is an object');
  return { ...value };
}

/** Every page of a list, to its end. */
async function* pagesOf(
  client: StaffClient,
  path: string,
  member: string,
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  let next: unknown = '';
  while (typeof next === 'string') {
    const query: string = next === '' ? '' : `&cursor=${encodeURIComponent(next)}`;
    const page = await client.get(`${path}?limit=100${query}`);
    const entries = page[member];
    if (!Array.isArray(entries)) throw new TypeError(`the answer lists ${member}`);
    for (const entry of entries) yield membersOf(entry);
    next = page['next'];
  }
}

/** Every entry of every page, a line each; the heading goes to stderr, so that a script reads lines alone. Says `nothing` when there are none. */
export async function sayList(
  path: string,
  { name, members, nothing }: { name: string; members: readonly string[]; nothing: string },
): Promise<void> {
  const client = await staffClient(process.env);
  let isEmpty = true;
  for await (const entry of pagesOf(client, path, name)) {
    if (isEmpty) warn(members.join('  '));
    isEmpty = false;
    say(line(entry, members));
  }
  if (isEmpty) say(nothing);
}

/** One line of a list; what is not there is a dash. Whatever a device is called, it writes no line of its own and no escape. */
export function line(entry: Readonly<Record<string, unknown>>, members: readonly string[]): string {
  return members
    .map((name) => {
      const given = entry[name];
      const value = Array.isArray(given) ? given.join(',') || undefined : given;
      const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '-';
      return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
    })
    .join('  ');
}
