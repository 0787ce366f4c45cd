/**
 * The demo bank's agent at her own desk: logged in at the operations door as a person of the staff directory, with the rights of her role and none
 * besides. The stage shows her pane; it must never hold her session.
 */
import { randomUUID } from 'node:crypto';
import { logInAtDirectory } from './directory-login.ts';
import type { DemoPersonId } from './staff-people.ts';

const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' };
const TIMEOUT_MS = 10_000;

export interface AgentCall {
  readonly method: 'GET' | 'POST';
  /** Below the tenant. */
  readonly path: string;
  readonly body?: unknown;
}

export class DemoAgent {
  readonly #operationsUrl: string;
  readonly #base: string;
  readonly #person: DemoPersonId;
  #cookie: string | undefined;

  constructor(given: { operationsUrl: string; slug: string; person: DemoPersonId }) {
    this.#operationsUrl = given.operationsUrl;
    this.#base = `${given.operationsUrl}/t/${given.slug}`;
    this.#person = given.person;
  }

  /** The door's answer, whatever its status; a session that is over is begun anew. */
  async call(call: AgentCall): Promise<Response> {
    const remembered = this.#cookie;
    const answer = await this.#send(call, (this.#cookie ??= await this.#logIn()));
    if (answer.status !== 401 || remembered === undefined) return answer;
    await answer.body?.cancel();
    return await this.#send(call, (this.#cookie = await this.#logIn()));
  }

  async #send({ method, path, body }: AgentCall, cookie: string): Promise<Response> {
    return await fetch(`${this.#base}${path}`, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        cookie,
        ...(method === 'POST'
          ? {
              origin: this.#operationsUrl,
              'content-type': 'application/json',
              'idempotency-key': randomUUID(),
            }
          : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async #logIn(): Promise<string> {
    const open = (url: string, cookie = '') =>
      fetch(url, { redirect: 'manual', headers: { ...NAVIGATION, cookie } });
    const begun = await open(`${this.#base}/staff/login`);
    const wayBack = await logInAtDirectory(begun.headers.get('location') ?? '', this.#person);
    const done = await open(wayBack, cookiesOf(begun));
    const cookie = cookiesOf(done);
    if (cookie === '') throw new Error(`the door let nobody in (status ${done.status})`);
    return cookie;
  }
}

/** Those that are set, without those that are cleared. */
function cookiesOf(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .filter((line) => !line.includes('Max-Age=0'))
    .map((line) => line.split(';')[0] ?? '')
    .join('; ');
}
