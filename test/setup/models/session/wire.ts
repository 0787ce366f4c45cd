/**
 * Keys that call an API as phones do, over whatever way there is to it: into the app itself, or through sockets. A call whose answer was lost
 * throws; nothing is repeated here but a question for a nonce.
 */
import { randomBytes } from 'node:crypto';
import type { TestApi } from '../../api.ts';
import { makeProof } from '../../proof.ts';
import type { KeyPair } from '../../proof.ts';

export interface Sent {
  readonly method: 'GET' | 'POST';
  /** With the tenant's prefix. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Received {
  readonly status: number;
  readonly nonce: string | undefined;
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape
  readonly body: any;
}

export interface Door {
  /** What proofs name. */
  readonly publicUrl: string;
  readonly prefix: string;
  nowMs(): number;
  /** @throws when there was no answer */
  send(sent: Sent): Promise<Received>;
}

export function doorInto(api: TestApi): Door {
  return {
    publicUrl: api.publicUrl,
    prefix: api.prefix,
    nowMs: () => api.clock.nowMs(),
    send: async ({ path, body, ...rest }) => {
      const payload = body === undefined ? {} : { payload: body };
      const answer = await api.app.inject({ ...rest, url: path, ...payload });
      const nonce = answer.headers['dpop-nonce'];
      return {
        status: answer.statusCode,
        nonce: typeof nonce === 'string' ? nonce : undefined,
        body: parse(answer.body),
      };
    },
  };
}

export function doorAt(publicUrl: string, prefix: string): Door {
  return {
    publicUrl,
    prefix,
    nowMs: () => Date.now(),
    send: async ({ path, ...init }) => {
      const answer = await fetch(`${publicUrl}${path}`, {
        ...init,
        // An answer that does not come is one that was lost.
        signal: AbortSignal.timeout(20_000),
      });
      const nonce = answer.headers.get('dpop-nonce') ?? undefined;
      return { status: answer.status, nonce, body: parse(await answer.text()) };
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export interface Ask {
  readonly method: 'GET' | 'POST';
  /** Below the tenant. */
  readonly path: string;
  readonly accessToken?: string;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the proof, where it speaks of another request than this one. */
  readonly htu?: string;
}

export class Hand {
  readonly key: KeyPair;
  readonly #door: Door;
  #nonce: string | undefined;

  constructor(door: Door, key: KeyPair) {
    this.#door = door;
    this.key = key;
  }

  async call(ask: Ask): Promise<Received> {
    const answer = await this.#send(await this.#prepare(ask));
    const wantsNonce = answer.body?.code === 'dpop_nonce_required';
    return wantsNonce ? await this.#send(await this.#prepare(ask)) : answer;
  }

  /** The same bytes as often as the function that it answers is called. */
  async prepare(ask: Ask): Promise<() => Promise<Received>> {
    await this.#send({ method: 'GET', path: '/livez', headers: {} });
    const sent = await this.#prepare(ask);
    return () => this.#send(sent);
  }

  async #prepare(ask: Ask): Promise<Sent> {
    const { method, accessToken, json, form } = ask;
    const path = `${this.#door.prefix}${ask.path}`;
    const dpop = await makeProof({
      key: this.key,
      method,
      htu: ask.htu ?? `${this.#door.publicUrl}${path}`,
      nowMs: this.#door.nowMs(),
      nonce: this.#nonce,
      accessToken,
    });
    const body = form === undefined ? JSON.stringify(json) : new URLSearchParams(form).toString();
    const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
    return {
      method,
      path,
      headers: {
        dpop,
        ...(accessToken === undefined ? {} : { authorization: `DPoP ${accessToken}` }),
        ...(method === 'POST' ? { 'content-type': type } : {}),
        ...(json === undefined ? {} : { 'idempotency-key': randomBytes(12).toString('hex') }),
        ...ask.headers,
      },
      ...(method === 'POST' ? { body } : {}),
    };
  }

  async #send(sent: Sent): Promise<Received> {
    const answer = await this.#door.send(sent);
    this.#nonce = answer.nonce ?? this.#nonce;
    return answer;
  }
}
