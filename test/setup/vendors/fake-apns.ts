/**
 * Apple's push service as its documentation describes it ("Sending notification requests to APNs", "Handling notification responses from APNs"),
 * without TLS: it judges the provider token and the headers, keeps what arrives and answers as it is told.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http2';
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session } from 'node:http2';
import { jwtVerify } from 'jose';

export interface ApnsRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

export type ApnsAnswer =
  | 'silent'
  | {
      readonly status: number;
      readonly reason?: string;
      readonly timestamp?: number;
      readonly headers?: Readonly<Record<string, string>>;
    };

const TOPIC = 'com.bank.app';
const TEAM = 'TEAM123456';
const KEY = 'KEY1234567';

export class FakeApns {
  readonly requests: ApnsRequest[] = [];
  /** Of everything that it would take. */
  answer: ApnsAnswer = { status: 200 };
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #sessions = new Set<ServerHttp2Session>();
  #server: Http2Server | undefined;
  #port = 0;

  static async start(): Promise<FakeApns> {
    const fake = new FakeApns();
    await fake.listen();
    return fake;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  /** What the team would be given. */
  get account() {
    const privateKey = this.#keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { teamId: TEAM, keyId: KEY, privateKey, topic: TOPIC, endpoint: this.endpoint };
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** At the port that it had, if it had one. */
  async listen(): Promise<void> {
    const server = createServer();
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
    });
    server.on('stream', (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('error', () => undefined);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const request = {
          path: String(headers[':path']),
          headers,
          // Latchkey sends objects alone.
          body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as ApnsRequest['body'],
        };
        void this.#judge(request).then((answer) => {
          if (answer === 'silent') return;
          const { status, reason, timestamp } = answer;
          stream.respond({ ':status': status, 'apns-id': randomUUID(), ...answer.headers });
          stream.end(reason === undefined ? undefined : JSON.stringify({ reason, timestamp }));
        });
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port was assigned');
    this.#port = address.port;
    this.#server = server;
  }

  /** Without a word to whoever is connected. */
  async kill(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise<void>((resolve) => {
      if (this.#server === undefined) resolve();
      else this.#server.close(() => resolve());
    });
    this.#server = undefined;
  }

  async #judge(request: ApnsRequest): Promise<ApnsAnswer> {
    const { headers, path } = request;
    const token = /^bearer (.+)$/.exec(String(headers.authorization))?.[1];
    if (token === undefined) return { status: 403, reason: 'MissingProviderToken' };
    try {
      const { protectedHeader } = await jwtVerify(token, this.#keys.publicKey, {
        issuer: TEAM,
        algorithms: ['ES256'],
        requiredClaims: ['iat'],
      });
      if (protectedHeader.kid !== KEY) return { status: 403, reason: 'InvalidProviderToken' };
    } catch {
      return { status: 403, reason: 'InvalidProviderToken' };
    }
    if (headers[':method'] !== 'POST') return { status: 405, reason: 'MethodNotAllowed' };
    if (!/^\/3\/device\/[0-9a-f]+$/.test(path)) return { status: 400, reason: 'BadDeviceToken' };
    if (headers['apns-topic'] !== TOPIC) return { status: 400, reason: 'TopicDisallowed' };
    if (headers['apns-push-type'] !== 'alert') return { status: 400, reason: 'InvalidPushType' };
    if (!/^[0-9]+$/.test(String(headers['apns-expiration'])))
      return { status: 400, reason: 'BadExpirationDate' };
    if (Buffer.byteLength(String(headers['apns-collapse-id'])) > 64)
      return { status: 400, reason: 'BadCollapseId' };
    this.requests.push(request);
    return this.answer;
  }
}
