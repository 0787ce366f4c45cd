/**
 * A phone without a browser for the SDK's tests: a store in memory, a network that answers as told, and a lock and a channel that
 * several "tabs" share. It judges nothing; the tests do.
 */
import { decodeJwt, SignJWT } from 'jose';
import { createLatchkey } from '../../sdk/client.ts';
import type { Latchkey, LatchkeyOptions } from '../../sdk/client.ts';
import type { TabChannel } from '../../sdk/session.ts';
import { memoryStore } from '../setup/memory-store.ts';

export const ISSUER = 'https://login.example/t/demo';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly form: URLSearchParams;
  readonly proof: Readonly<Record<string, unknown>>;
}

/** Answers one request; `undefined` loses the answer. */
export type Answerer = (request: Seen) => Response | undefined | Promise<Response | undefined>;

export function network(answer: Answerer): { fetch: typeof fetch; seen: Seen[] } {
  const seen: Seen[] = [];
  return {
    seen,
    fetch: async (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input);
      const headers = Object.fromEntries(new Headers(init?.headers));
      const body = typeof init?.body === 'string' ? init.body : '';
      const request: Seen = {
        method: init?.method ?? 'GET',
        path: pathname.replace('/t/demo', ''),
        headers,
        body,
        form: new URLSearchParams(body),
        proof: decodeJwt(headers['dpop'] ?? ''),
      };
      seen.push(request);
      const response = await answer(request);
      if (response === undefined) throw new TypeError('fetch failed');
      return response;
    },
  };
}

/** One lock and one channel, as tabs of one origin share them. */
export function sharedTabs(): Pick<LatchkeyOptions, 'alone'> & { tab: () => TabChannel } {
  let last: Promise<unknown> = Promise.resolve();
  const listeners = new Map<TabChannel, (message: unknown) => void>();
  return {
    alone: (work) => {
      const next = last.then(work);
      last = next.catch(() => undefined);
      return next;
    },
    tab: () => {
      const channel: TabChannel = {
        post: (message) => {
          for (const [other, listener] of listeners) if (other !== channel) listener(message);
        },
        listen: (listener) => {
          listeners.set(channel, listener);
        },
      };
      return channel;
    },
  };
}

export function phone(answer: Answerer, options: Partial<LatchkeyOptions> = {}) {
  const { fetch, seen } = network(answer);
  const pauses: number[] = [];
  const tabs = sharedTabs();
  const latchkey: Latchkey = createLatchkey({
    issuer: ISSUER,
    clientId: 'demo-app',
    fetch,
    store: memoryStore(),
    nowMs: () => 1_800_000_000_000,
    pause: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
    ...(tabs.alone === undefined ? {} : { alone: tabs.alone }),
    tabs: tabs.tab(),
    ...options,
  });
  return { latchkey, seen, pauses };
}

export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response {
  return Response.json(body, { status, headers });
}

export function problem(status: number, code: string, headers: Record<string, string> = {}) {
  return json(status, { code, title: code, status, type: 'about:blank' }, headers);
}

const TOKEN_KEY = new TextEncoder().encode('a key of the tests that nobody checks');

export async function tokenAnswer(generation: number, expiresIn = 300): Promise<Response> {
  const accessToken = await new SignJWT({ sid: 'ses_1', generation })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(TOKEN_KEY);
  return json(200, {
    access_token: accessToken,
    token_type: 'DPoP',
    expires_in: expiresIn,
    refresh_token: `refresh-${String(generation)}`,
    scope: 'openid',
    session_id: 'ses_1',
    acr: 'latchkey:2',
  });
}
