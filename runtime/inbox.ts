/**
 * The customer's phone and mailbox on a developer's machine: a local vendor that takes real SMTP and the generic signed SMS call,
 * and shows what arrived. It keeps messages in memory only and must never send anything on.
 */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import type { Clock } from '../domain/clock.ts';
import { openStream, readObject, startLocalServer } from './local-http.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';
import { describeTakenPort } from './ports.ts';
import { isSignedBody, SIGNATURE_HEADER } from './vendor-signature.ts';

const HOST = '127.0.0.1';
const KEPT_MESSAGES = 500;
const MAIL_LIMIT_BYTES = 1024 * 1024;

export interface InboxMessage {
  readonly id: string;
  /** Counts up from 1; the id of its event in the stream. */
  readonly position: number;
  readonly receivedAt: string;
  readonly channel: 'sms' | 'email';
  readonly to: string;
  readonly text: string;
  readonly from?: string;
  readonly subject?: string;
  readonly html?: string;
  readonly reference?: string;
}

export interface InboxOptions {
  /** 0 means a free one. */
  readonly port: number;
  readonly smtpPort: number;
  readonly smsSecret: string;
  readonly clock: Clock;
  readonly onError?: (error: unknown) => void;
}

export interface Inbox {
  readonly url: string;
  readonly smsUrl: string;
  readonly smtpUrl: string;
  messages(): readonly InboxMessage[];
  /** Calls back for every message that arrives from now on; returns how to stop. */
  subscribe(listener: (message: InboxMessage) => void): () => void;
  clear(): void;
  stop(): Promise<void>;
}

type NewMessage = Omit<InboxMessage, 'id' | 'position' | 'receivedAt'>;

/** Listens on both ports. @throws Error naming the holder of a taken port. */
export async function startInbox(options: InboxOptions): Promise<Inbox> {
  const onError = options.onError ?? (() => undefined);
  const store = new MessageStore(options.clock);
  const http = await startLocalServer({
    name: 'the inbox',
    port: options.port,
    onError,
    handle: (request) => Promise.resolve(route(request, store, options)),
  });
  const smtp = createSmtpServer(store, onError);
  try {
    await listen(smtp, options.smtpPort);
  } catch (error) {
    await http.stop();
    throw error;
  }
  const address = smtp.server.address();
  if (address === null || typeof address === 'string') throw new Error('no SMTP port was assigned');
  return {
    url: http.url,
    smsUrl: `${http.url}/sms`,
    smtpUrl: `smtp://${HOST}:${address.port}`,
    messages: () => store.messages(),
    subscribe: (listener) => store.subscribe(listener),
    clear: () => {
      store.clear();
    },
    stop: async () => {
      await http.stop();
      await new Promise<void>((resolve) => {
        smtp.close(() => {
          resolve();
        });
      });
    },
  };
}

class MessageStore {
  readonly #clock: Clock;
  readonly #listeners = new Set<(message: InboxMessage) => void>();
  #messages: InboxMessage[] = [];
  #position = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  messages(): readonly InboxMessage[] {
    return this.#messages;
  }

  byReference(channel: InboxMessage['channel'], reference: string): InboxMessage | undefined {
    return this.#messages.find(
      (message) => message.channel === channel && message.reference === reference,
    );
  }

  add(message: NewMessage): InboxMessage {
    this.#position += 1;
    const stored: InboxMessage = {
      id: randomUUID(),
      position: this.#position,
      receivedAt: new Date(this.#clock.nowMs()).toISOString(),
      ...message,
    };
    this.#messages = [...this.#messages, stored].slice(-KEPT_MESSAGES);
    for (const listener of this.#listeners) listener(stored);
    return stored;
  }

  subscribe(listener: (message: InboxMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  clear(): void {
    this.#messages = [];
  }
}

function route(
  request: LocalRequest,
  store: MessageStore,
  options: InboxOptions,
): LocalAnswer | undefined {
  switch (`${request.method} ${request.url.pathname}`) {
    case 'POST /sms':
      return takeSms(request, store, options);
    case 'GET /messages':
      return { status: 200, body: { messages: store.messages() } };
    case 'DELETE /messages':
      store.clear();
      return { status: 204 };
    case 'GET /messages/stream':
      streamMessages(request, store);
      return undefined;
    default:
      return { status: 404, body: { error: 'not_found' } };
  }
}

/** The same reference again is the same message: 200 instead of 202, and nothing arrives twice. */
function takeSms(
  { headers, body }: LocalRequest,
  store: MessageStore,
  { smsSecret, clock }: InboxOptions,
): LocalAnswer {
  const header = headers[SIGNATURE_HEADER];
  const signed = { secret: smsSecret, body };
  if (!isSignedBody(typeof header === 'string' ? header : undefined, signed, clock.nowMs())) {
    return { status: 401, body: { error: 'wrong_signature' } };
  }
  const { to, text, reference } = readObject(body) ?? {};
  if (typeof to !== 'string' || typeof text !== 'string' || typeof reference !== 'string') {
    return { status: 400, body: { error: 'malformed' } };
  }
  const known = store.byReference('sms', reference);
  if (known === undefined) {
    store.add({ channel: 'sms', to, text, reference });
    return { status: 202, body: { reference } };
  }
  return known.to === to && known.text === text
    ? { status: 200, body: { reference } }
    : { status: 409, body: { error: 'reference_reused' } };
}

function streamMessages({ response, headers }: LocalRequest, store: MessageStore): void {
  const seen = Number(headers['last-event-id'] ?? '0');
  const unsubscribe = { now: () => undefined as void };
  const send = openStream(response, {}, () => {
    unsubscribe.now();
  });
  const tell = (message: InboxMessage) => {
    send({ id: String(message.position), name: 'message', data: message });
  };
  store
    .messages()
    .filter((message) => message.position > seen)
    .forEach(tell);
  unsubscribe.now = store.subscribe(tell);
}

function createSmtpServer(store: MessageStore, onError: (error: unknown) => void): SMTPServer {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MAIL_LIMIT_BYTES,
    banner: 'Latchkey inbox',
    onData: (stream, _session, answer) => {
      takeMail(stream, store).then(
        () => {
          answer();
        },
        (error: unknown) => {
          onError(error);
          answer(new Error('the message could not be read'));
        },
      );
    },
  });
  server.on('error', onError);
  return server;
}

/** A Message-ID that was seen before is the same message delivered again. */
async function takeMail(stream: Readable, store: MessageStore): Promise<void> {
  const mail = await simpleParser(stream);
  const reference = mail.messageId;
  if (reference !== undefined && store.byReference('email', reference) !== undefined) return;
  const to = [mail.to ?? []].flat().map((address) => address.text);
  store.add({
    channel: 'email',
    to: to.join(', '),
    text: mail.text ?? '',
    ...(mail.from === undefined ? {} : { from: mail.from.text }),
    ...(mail.subject === undefined ? {} : { subject: mail.subject }),
    ...(mail.html === false ? {} : { html: mail.html }),
    ...(reference === undefined ? {} : { reference }),
  });
}

async function listen(server: SMTPServer, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, HOST, () => {
      resolve();
    });
  }).catch(async (cause: unknown) => {
    throw new Error(await describeTakenPort("the inbox's SMTP", port), { cause });
  });
}
