/**
 * One customer's life: carries actions out through a door as phones, clone, gateway and fraud engine would, and writes each call down with when
 * it began and was answered. It judges nothing but what the token book holds by itself.
 */
import { randomBytes } from 'node:crypto';
import { APP } from '../../login-bed.ts';
import type { Action, Holder } from './actions.ts';
import type { Cast } from './cast.ts';
import type { Promised } from './calls.ts';
import { History } from './history.ts';
import { TokenBook } from './token-book.ts';
import type { KnownRefreshToken } from './token-book.ts';
import type { Received } from './wire.ts';

type Shown = Extract<Action, { readonly use: unknown }>;
type Of<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;

export class Life {
  readonly history: History;
  readonly #cast: Cast;
  readonly #book = new TokenBook();

  constructor(cast: Cast) {
    this.#cast = cast;
    this.history = new History(cast.door);
  }

  get customerId(): string {
    return this.#cast.customerId;
  }

  async act(action: Action): Promise<void> {
    switch (action.kind) {
      case 'login':
        return await this.#logIn(action);
      case 'refresh':
        return await this.#refresh(action);
      case 'check':
        return await this.#check(action);
      case 'logout':
        return await this.#logOut(action);
      case 'end one':
        return await this.#endOne(action);
      case 'introspect':
      case 'give back':
        return await this.#show(action);
      case 'cut off':
        return await this.#cutOff();
      case 'release':
        return await this.#release();
    }
  }

  async #logIn({ holder }: Of<'login'>): Promise<void> {
    const hand = this.#cast.hands[holder];
    const sessionId = `?${randomBytes(6).toString('hex')}`;
    await this.history.write(
      'login',
      { holder, sessionId },
      async () => {
        const json = { clientId: APP };
        const options = await hand.call({ method: 'POST', path: '/auth/login-options', json });
        if (options.status !== 200) return options;
        const credential = this.#cast.authenticator.authenticate(options.body.options);
        const body = { ...json, credential };
        return await hand.call({ method: 'POST', path: '/auth/login', json: body });
      },
      ({ body }) => {
        const begun = String(body.session_id);
        this.#book.begin(holder, { sessionId: begun, text: String(body.refresh_token) });
        return { sessionId: begun, answer: this.#takeAccess(body) };
      },
    );
  }

  async #refresh({ holder, session, back, asker, how }: Of<'refresh'>): Promise<void> {
    const sessionId = this.#book.sessionsOf(holder)[session];
    const shown = sessionId === undefined ? undefined : this.#book.refreshToken(sessionId, back);
    if (shown === undefined) return;
    const requestId = requestIdOf(asker, shown);
    const isKeyRight = how !== 'wrong key';
    const facts = {
      sessionId: shown.sessionId,
      generation: shown.generation,
      requestId,
      isKeyRight,
      proof: randomBytes(6).toString('hex'),
      isShownTwice: how === 'twice',
    };
    const ask = {
      method: 'POST',
      path: '/oauth/token',
      form: {
        grant_type: 'refresh_token',
        client_id: APP,
        refresh_token: shown.text,
        ...(requestId === null ? {} : { request_id: requestId }),
      },
    } as const;
    const hand = this.#cast.hands[isKeyRight ? holder : 'thief'];
    // One that cannot even be made ready is not sent at all.
    const twice = how === 'twice' ? await hand.prepare(ask).catch(() => undefined) : undefined;
    if (how === 'twice' && twice === undefined) return;
    const once = twice ?? (() => hand.call(ask));
    const one = () =>
      this.history.write('refresh', facts, once, ({ body }) => {
        const generation = this.#book.succeed(shown, String(body.refresh_token), requestId);
        // Who lost the answer goes on with what it has.
        if (how !== 'lost') this.#book.arrive(shown, generation);
        return { answer: { generation, ...this.#takeAccess(body) } };
      });
    await Promise.all(how === 'twice' ? [one(), one()] : [one()]);
  }

  async #check({ holder, session, back, isThief }: Of<'check'>): Promise<void> {
    const held = this.#accessOf(holder, session, back);
    if (held === undefined) return;
    const { text, ...facts } = held;
    const { gateway, hands } = this.#cast;
    const hand = hands[isThief ? 'thief' : holder];
    const ask = { method: 'GET', path: '/gateway/verify', accessToken: text, ...gateway } as const;
    await this.history.write(
      'check',
      { ...facts, isKeyRight: !isThief },
      () => hand.call(ask),
      () => ({
        answer: { passes: true },
      }),
    );
  }

  async #logOut({ holder, session, scope }: Of<'logout'>): Promise<void> {
    const held = this.#accessOf(holder, session, 0);
    if (held === undefined) return;
    const { text, ...facts } = held;
    const ask = {
      method: 'POST',
      path: '/auth/logout',
      accessToken: text,
      json: { scope },
    } as const;
    const hand = this.#cast.hands[holder];
    await this.history.write(
      'logout',
      { ...facts, scope, isKeyRight: true },
      () => hand.call(ask),
      ({ body }) => ({
        answer: { ended: Number(body.ended) },
      }),
    );
  }

  async #endOne({ holder, session, target: whose }: Of<'end one'>): Promise<void> {
    const held = this.#accessOf(holder, session, 0);
    const [target] = this.#book.sessionsOf(whose);
    if (held === undefined || target === undefined) return;
    const { text, ...facts } = held;
    const path = `/auth/sessions/${target}/end`;
    const ask = { method: 'POST', path, accessToken: text, json: {} } as const;
    const hand = this.#cast.hands[holder];
    const named = { ...facts, target, isKeyRight: true };
    await this.history.write(
      'end one',
      named,
      () => hand.call(ask),
      () => ({ answer: { ended: true } }),
    );
  }

  /** To whoever asks whether it is worth anything, or to the API to be rid of it. */
  async #show({ kind, holder, session, use, back }: Shown): Promise<void> {
    const sessionId = this.#book.sessionsOf(holder)[session];
    if (sessionId === undefined) return;
    const token = this.#book[use === 'access' ? 'accessToken' : 'refreshToken'](sessionId, back);
    if (token === undefined) return;
    const { text, ...facts } = token;
    const { hands, service } = this.#cast;
    if (kind === 'give back') {
      const form = { token: text, client_id: APP };
      const ask = { method: 'POST', path: '/oauth/revoke', form } as const;
      const send = () => hands[holder].call(ask);
      await this.history.write('give back', facts, send, () => ({ answer: { done: true } }));
      return;
    }
    const send = async () => {
      const { hand, accessToken } = await service();
      const form = { token: text };
      return await hand.call({ method: 'POST', path: '/oauth/introspect', accessToken, form });
    };
    await this.history.write('introspect', facts, send, ({ body }) => ({
      answer: { active: body.active === true },
    }));
  }

  async #cutOff(): Promise<void> {
    const { customerId } = this.#cast;
    const json = { customerId, reason: 'account_takeover' };
    await this.history.write('cut off', {}, this.#asEngine('/fraud/signals', json), ({ body }) => ({
      answer: { epoch: Number(body.newEpoch) },
    }));
  }

  async #release(): Promise<void> {
    const { customerId } = this.#cast;
    const json = { customerId, reason: 'false_alarm' };
    const send = this.#asEngine('/fraud/releases', json);
    await this.history.write('release', {}, send, () => ({ answer: { released: true } }));
  }

  #asEngine(path: string, json: unknown): () => Promise<Received> {
    return async () => {
      const { hand, accessToken } = await this.#cast.engine();
      return await hand.call({ method: 'POST', path, accessToken, json });
    };
  }

  #accessOf(holder: Holder, session: number, back: number) {
    const sessionId = this.#book.sessionsOf(holder)[session];
    return sessionId === undefined ? undefined : this.#book.accessToken(sessionId, back);
  }

  #takeAccess(body: Received['body']): Promised {
    const expiresInSeconds = Number(body.expires_in);
    this.#book.grantAccess({
      sessionId: String(body.session_id),
      text: String(body.access_token),
      expiresAtMs: this.#cast.door.nowMs() + expiresInSeconds * 1000,
    });
    return { expiresInSeconds, refreshExpiresInSeconds: Number(body.refresh_expires_in) };
  }
}

function requestIdOf(
  asker: Of<'refresh'>['asker'],
  { sessionId, generation }: KnownRefreshToken,
): string | null {
  switch (asker) {
    case 'honest':
    case 'clone':
      // Chosen and stored before it is sent, so that every repeat carries it.
      return `${asker}-${sessionId}-${String(generation)}`;
    case 'new':
      return randomBytes(9).toString('base64url');
    case 'nameless':
      return null;
  }
}
