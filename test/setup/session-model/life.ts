/**
 * One customer's life: carries actions out through a door as phones, clone, gateway and fraud engine would, and writes each call down with when
 * it began and was answered. It judges nothing but what the token book holds by itself.
 */
import { randomBytes } from 'node:crypto';
import { APP } from '../login-bed.ts';
import type { Action, Holder } from './actions.ts';
import type { Call } from './calls.ts';
import type { Cast } from './cast.ts';
import { TokenBook } from './token-book.ts';
import type { KnownRefreshToken } from './token-book.ts';
import type { Received } from './wire.ts';

type Of<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;
/** What the call was and what it was answered; when, this file writes down. */
type Facts<Kind extends Call['kind']> = Omit<
  Extract<Call, { kind: Kind }>,
  'kind' | 'invokedAt' | 'answeredAt' | 'nowMs' | 'answer'
>;

export class Life {
  readonly calls: Call[] = [];
  readonly #cast: Cast;
  readonly #book = new TokenBook();
  #events = 0;

  constructor(cast: Cast) {
    this.#cast = cast;
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
      case 'cut off':
        return await this.#cutOff();
      case 'release':
        return await this.#release();
    }
  }

  /** What the rows say, while nothing else is under way. */
  look(answer: Extract<Call, { kind: 'look' }>['answer']): void {
    const at = { invokedAt: this.#tick(), answeredAt: this.#tick() };
    this.calls.push({ kind: 'look', ...at, nowMs: this.#cast.door.nowMs(), answer });
  }

  /** Nothing of what was never answered can happen any more. */
  settle(): void {
    const answeredAt = this.#tick();
    for (const [index, call] of this.calls.entries())
      if (call.answeredAt === Infinity) this.calls[index] = { ...call, answeredAt };
  }

  #tick(): number {
    this.#events += 1;
    return this.#events;
  }

  /** Sends it; `read` says what a 2xx means, all else is a refusal by its code, and what throws was lost. */
  async #write<Kind extends Call['kind']>(
    kind: Kind,
    facts: Facts<Kind>,
    send: () => Promise<Received>,
    read: (answer: Received) => Record<string, unknown>,
  ): Promise<void> {
    const { door } = this.#cast;
    const asked = { kind, invokedAt: this.#tick(), nowMs: door.nowMs(), ...facts };
    const received = await send().catch(() => undefined);
    const answeredAt = received === undefined ? Infinity : this.#tick();
    const isLost = received === undefined;
    const read2xx = isLost ? undefined : received.status < 300 ? read(received) : refusal(received);
    // The members of one kind, put together from its facts and what was answered.
    this.calls.push({ ...asked, answeredAt, ...named(read2xx) } as unknown as Call);
  }

  async #logIn({ holder }: Of<'login'>): Promise<void> {
    const hand = this.#cast.hands[holder];
    const sessionId = `?${randomBytes(6).toString('hex')}`;
    await this.#write(
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
        return { sessionId: begun, answer: { expiresInSeconds: this.#takeAccess(body) } };
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
      this.#write('refresh', facts, once, ({ body }) => {
        const generation = this.#book.succeed(shown, String(body.refresh_token), requestId);
        // Who lost the answer goes on with what it has.
        if (how !== 'lost') this.#book.arrive(shown, generation);
        return { answer: { generation, expiresInSeconds: this.#takeAccess(body) } };
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
    await this.#write(
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
    await this.#write(
      'logout',
      { ...facts, scope, isKeyRight: true },
      () => hand.call(ask),
      ({ body }) => ({
        answer: { ended: Number(body.ended) },
      }),
    );
  }

  async #cutOff(): Promise<void> {
    const { customerId } = this.#cast;
    const json = { customerId, reason: 'account_takeover' };
    await this.#write('cut off', {}, this.#asEngine('/fraud/signals', json), ({ body }) => ({
      answer: { epoch: Number(body.newEpoch) },
    }));
  }

  async #release(): Promise<void> {
    const { customerId } = this.#cast;
    const json = { customerId, reason: 'false_alarm' };
    const send = this.#asEngine('/fraud/releases', json);
    await this.#write('release', {}, send, () => ({ answer: { released: true } }));
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

  /** Answers for how many seconds it was promised. */
  #takeAccess(body: Received['body']): number {
    const expiresInSeconds = Number(body.expires_in);
    this.#book.grantAccess({
      sessionId: String(body.session_id),
      text: String(body.access_token),
      expiresAtMs: this.#cast.door.nowMs() + expiresInSeconds * 1000,
    });
    return expiresInSeconds;
  }
}

function refusal({ status, body }: Received): Record<string, unknown> {
  return { answer: { refused: String(body?.code ?? body?.error ?? status) } };
}

function named(answered: Record<string, unknown> | undefined): Record<string, unknown> {
  return answered ?? { answer: undefined };
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
