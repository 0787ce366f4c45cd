/**
 * The session of this installation: the access token in memory, the refresh token in the store, one refresh at a time across tabs.
 * The request id of a refresh is stored before it is sent, so that a lost answer is delivered again (SECURITY.md section 2); a refresh
 * token must never be sent under a second id.
 */
import { decodeJwt } from 'jose';
import type { Http } from './http.ts';
import { newKey } from './http.ts';
import { LatchkeyProblem, phoneProblem } from './problem.ts';
import type { Store } from './store.ts';
import type { TokenAnswer } from './types.ts';

const STORED = 'session';
/** A token this close to its end may die on the way. */
const RENEW_BEFORE_MS = 10_000;

/** After these the session is over, whatever the phone still holds. `invalid_grant` is RFC 6749's word for all of them. */
const ENDS_SESSION: ReadonlySet<string> = new Set([
  'session_ended',
  'customer_on_hold',
  'device_not_allowed',
  'revoked',
  'refresh_token_invalid',
  'refresh_superseded',
  'refresh_reused',
  'invalid_grant',
]);
/** A newer access token mends these. */
const WANTS_REFRESH: ReadonlySet<string> = new Set(['token_expired', 'token_invalid']);

interface StoredSession {
  readonly sessionId: string;
  readonly refreshToken: string;
  /** Chosen for the refresh under way. */
  readonly requestId?: string;
}

export interface ActiveSession {
  readonly status: 'active';
  readonly sessionId: string;
  readonly acr: string;
  readonly scope: string;
  readonly accessToken: string;
  readonly expiresAtMs: number;
  readonly claims: Readonly<Record<string, unknown>>;
}

export type SessionState =
  | { readonly status: 'none' }
  | ActiveSession
  /** Ended by the server, not by the customer here; `code` says how it was told. */
  | { readonly status: 'ended'; readonly code: string };

/** What tabs of one installation tell each other. */
export interface TabChannel {
  post(message: unknown): void;
  listen(listener: (message: unknown) => void): void;
}

export interface SessionOptions {
  readonly clientId: string;
  readonly http: Http;
  readonly store: Store;
  readonly nowMs: () => number;
  /** Runs `work` while no other tab runs any. */
  readonly alone: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly tabs: TabChannel;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #listeners = new Set<() => void>();
  #state: SessionState = { status: 'none' };
  #refreshing: Promise<ActiveSession> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    options.tabs.listen((message) => {
      if (isTabNews(message)) this.#become(message.state);
    });
  }

  state(): SessionState {
    return this.#state;
  }

  /** Calls back after every change; returns how to stop. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** After a start of the app: takes up the stored session, if there is one. */
  async restore(): Promise<SessionState> {
    if ((await this.#stored()) !== undefined && this.#state.status !== 'active')
      await this.refresh();
    return this.#state;
  }

  /** Takes what a login answered. */
  async adopt(answer: TokenAnswer): Promise<ActiveSession> {
    await this.#keep({ sessionId: answer.session_id, refreshToken: answer.refresh_token });
    return this.#activate(answer);
  }

  /** Forgets the session here, after a logout. */
  async forget(): Promise<void> {
    await this.#finish({ status: 'none' });
  }

  /** An access token that still lives for a while. @throws LatchkeyProblem */
  async accessToken(): Promise<string> {
    if (this.#state.status === 'active' && this.#isFresh(this.#state))
      return this.#state.accessToken;
    return (await this.refresh()).accessToken;
  }

  /** Makes one refresh however many ask at once. @throws LatchkeyProblem */
  async refresh(): Promise<ActiveSession> {
    const before = this.#state;
    this.#refreshing ??= this.#options
      .alone(() => this.#refreshAlone(before))
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }

  /** Runs a call with a living token: renews it once when it is refused as stale, and ends the session when that is over. */
  async withToken<Answer>(call: (accessToken: string) => Promise<Answer>): Promise<Answer> {
    const token = await this.accessToken();
    try {
      return await call(token);
    } catch (error) {
      if (!isProblem(error) || !WANTS_REFRESH.has(error.code))
        throw await this.#judged(error, token);
    }
    const renewed = (await this.refresh()).accessToken;
    try {
      return await call(renewed);
    } catch (error) {
      throw await this.#judged(error, renewed);
    }
  }

  async #refreshAlone(before: SessionState): Promise<ActiveSession> {
    // Another tab may have refreshed while this one waited, and told it.
    if (this.#state !== before && this.#state.status === 'active') return this.#state;
    const stored = await this.#stored();
    if (stored === undefined) throw phoneProblem('not_logged_in', 'There is no session here.');
    const requestId = stored.requestId ?? newKey();
    await this.#keep({ ...stored, requestId });
    try {
      return await this.adopt(await this.#askForTokens(stored.refreshToken, requestId));
    } catch (error) {
      const isStillOurs = (await this.#stored())?.refreshToken === stored.refreshToken;
      if (isStillOurs && isProblem(error) && ENDS_SESSION.has(error.code))
        await this.#finish({ status: 'ended', code: error.code });
      throw error;
    }
  }

  #askForTokens(refreshToken: string, requestId: string): Promise<TokenAnswer> {
    return this.#options.http.call<TokenAnswer>({
      operation: 'token',
      method: 'POST',
      path: '/oauth/token',
      form: {
        grant_type: 'refresh_token',
        client_id: this.#options.clientId,
        refresh_token: refreshToken,
        request_id: requestId,
      },
    });
  }

  /** A refusal of an older token says nothing about a session that has begun since. */
  async #judged(error: unknown, usedToken: string): Promise<unknown> {
    const state = this.#state;
    const isCurrent = state.status === 'active' && state.accessToken === usedToken;
    if (!isCurrent || !isProblem(error) || !ENDS_SESSION.has(error.code)) return error;
    const stored = await this.#stored();
    // A tab that slept through a newer login must not take that session from the others: it joins them.
    if (stored !== undefined && stored.sessionId !== state.sessionId)
      await this.refresh().catch(() => undefined);
    else await this.#finish({ status: 'ended', code: error.code });
    return error;
  }

  #activate(answer: TokenAnswer): ActiveSession {
    const state: ActiveSession = {
      status: 'active',
      sessionId: answer.session_id,
      acr: answer.acr,
      scope: answer.scope,
      accessToken: answer.access_token,
      expiresAtMs: this.#options.nowMs() + answer.expires_in * 1_000,
      claims: decodeJwt(answer.access_token),
    };
    this.#tell(state);
    return state;
  }

  async #finish(state: SessionState): Promise<void> {
    await this.#options.store.delete(STORED);
    this.#tell(state);
  }

  #tell(state: SessionState): void {
    this.#become(state);
    this.#options.tabs.post({ kind: 'session', state });
  }

  #become(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  #isFresh(state: ActiveSession): boolean {
    return state.expiresAtMs - RENEW_BEFORE_MS > this.#options.nowMs();
  }

  async #keep(session: StoredSession): Promise<void> {
    await this.#options.store.set(STORED, session);
  }

  async #stored(): Promise<StoredSession | undefined> {
    const found = await this.#options.store.get(STORED);
    return isStoredSession(found) ? found : undefined;
  }
}

function isProblem(error: unknown): error is LatchkeyProblem {
  return error instanceof LatchkeyProblem;
}

function isStoredSession(value: unknown): value is StoredSession {
  return typeof value === 'object' && value !== null && 'refreshToken' in value;
}

function isTabNews(value: unknown): value is { readonly state: SessionState } {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'session';
}
