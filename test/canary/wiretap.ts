/**
 * Listens to every HTTP exchange of this process, which is the phones, the machines and the stranger of the canary test. It picks up the
 * secrets that the API hands out, so that they are searched for afterwards; it never changes what passes.
 */
import type { Canary, CanaryKind } from './needles.ts';
import type { Haystack } from './search.ts';

/** Members of an answer, and fields of a form, that are secrets. */
const SECRETS: Readonly<Record<string, CanaryKind>> = {
  access_token: 'access token',
  refresh_token: 'refresh token',
  id_token: 'id token',
  client_assertion: 'client assertion',
};
/** Ids are no secrets, and a place with one in it would be a place of its own. */
const ID = /[a-z]{2,4}_[0-9a-f]{32}/g;

export interface Wiretap {
  readonly canaries: readonly Canary[];
  readonly haystacks: readonly Haystack[];
  /** Requests whose own address holds a canary on purpose: only what is answered counts. */
  asStranger<T>(work: () => Promise<T>): Promise<T>;
  /** The body of an answer that came by another way than fetch. */
  note(where: string, answer: string): void;
  close(): void;
}

/** Replaces `fetch` until it is closed. Call it once a test file. */
export function openWiretap({
  others,
}: {
  /** Servers that are no part of Latchkey, by the beginning of their addresses. */
  readonly others: readonly string[];
}): Wiretap {
  const canaries: Canary[] = [];
  const haystacks: Haystack[] = [];
  const original = globalThis.fetch;
  let strangers = 0;
  const add = (sink: Haystack['sink'], where: string, text: string) => {
    haystacks.push({ sink, where, bytes: Buffer.from(text, 'utf8') });
  };

  globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : input.toString();
    if (others.some((other) => url.startsWith(other))) return await original(input, init);
    const isStranger = strangers > 0;
    noteRequest(canaries, new Headers(init?.headers), init?.body);
    noteAddress(canaries, url);
    const response = await original(input, init);
    for (const line of response.headers.getSetCookie()) noteCookie(canaries, line);
    const path = isStranger ? '(a stranger’s)' : placeOf(url);
    const where = `${init?.method ?? 'GET'} ${path} ${String(response.status)}`;
    if (!isStranger) add('URL', where, url);
    add('header', where, [...response.headers].map((header) => header.join(': ')).join('\n'));
    if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
      const body = await response.clone().text();
      add('body', where, body);
      noteAnswer(canaries, body);
    }
    return response;
  };

  return {
    canaries,
    haystacks,
    asStranger: async (work) => {
      strangers += 1;
      try {
        return await work();
      } finally {
        strangers -= 1;
      }
    },
    note: (where, answer) => {
      add('body', where, answer);
    },
    close: () => {
      globalThis.fetch = original;
    },
  };
}

function placeOf(url: string): string {
  return new URL(url).pathname.replace(/^\/t\/[^/]+/, '').replaceAll(ID, '{id}');
}

function noteRequest(canaries: Canary[], headers: Headers, body: unknown): void {
  const proof = headers.get('dpop');
  // The signature alone: the rest of a proof is in clear in the request's own line.
  if (proof !== null) canaries.push({ kind: 'proof', value: proof.split('.').at(-1) ?? '' });
  if (typeof body !== 'string') return;
  const [, typed] = /^\{"code":"(\d{9,})"\}$/.exec(body) ?? [];
  if (typed !== undefined) canaries.push({ kind: 'typed code', value: typed });
  const assertion = new URLSearchParams(body).get('client_assertion');
  if (assertion !== null) canaries.push({ kind: 'client assertion', value: assertion });
}

/** The code of OpenID Connect travels in an address by its protocol, once. */
function noteAddress(canaries: Canary[], url: string): void {
  const { pathname, searchParams } = new URL(url);
  const code = searchParams.get('code');
  if (pathname.endsWith('/staff/callback') && code !== null)
    canaries.push({ kind: 'authorization code', value: code });
}

function noteCookie(canaries: Canary[], line: string): void {
  const [, value = ''] = /^[^=]+=([^;]*)/.exec(line) ?? [];
  if (value !== '') canaries.push({ kind: 'staff cookie', value });
}

function noteAnswer(canaries: Canary[], body: string): void {
  for (const [member, kind] of Object.entries(SECRETS)) {
    const [, value] = new RegExp(`"${member}":"([^"]+)"`).exec(body) ?? [];
    if (value !== undefined) canaries.push({ kind, value });
  }
}
