/**
 * The gateway as a bank runs it: ops/nginx/latchkey.conf in the real nginx, before a real API that listens and a small service that tells
 * what reached it. Only the lines that the file calls its site's are replaced.
 */
import { readFile } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startTestApi } from '../api.ts';
import type { TestApi, TestApiOptions } from '../api.ts';
import { logIn, createBanker } from '../login-bed.ts';
import type { Banker } from '../login-bed.ts';
import { startNginx } from '../programs/nginx.ts';
import type { Nginx } from '../programs/nginx.ts';
import { makeProof } from '../proof.ts';
import type { ProofParts } from '../proof.ts';

const CONFIGURATION = new URL('../../../ops/nginx/latchkey.conf', import.meta.url);
export const ORIGIN = 'https://api.bank.example';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: NodeJS.Dict<string[]>;
  readonly body: string;
}

export interface Question {
  readonly method?: string;
  readonly path?: string;
  /** In this order and spelling, a name as often as it stands here. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

export interface GatewayBed {
  readonly api: TestApi;
  readonly nginx: Nginx;
  /** What reached the service since the last look, oldest first. */
  reached(): Seen[];
  /** What the service answers, when a test wants something else than 200. */
  answerWith(answer: { status: number; headers: Record<string, string> } | undefined): void;
  ask(question: Question): Promise<Answered>;
  /** `Authorization` and `DPoP` of a logged-in customer for one request, right but for what is spoiled. */
  credentials(customer: LoggedIn, spoiled?: Partial<ProofParts>): Promise<[string, string][]>;
  close(): Promise<void>;
}

export interface LoggedIn extends Banker {
  readonly token: string;
  readonly sessionId: string;
}

export async function startGatewayBed(options: TestApiOptions = {}): Promise<GatewayBed> {
  const gateways = { bank: { origin: ORIGIN, pathPrefix: '/bank', scope: 'accounts:read' } };
  const api = await startTestApi({ configuration: { gateways }, ...options });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  const seen: Seen[] = [];
  let answer: { status: number; headers: Record<string, string> } | undefined;
  const service = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      seen.push({
        method: request.method ?? '',
        url: request.url ?? '',
        headers: pairs(request.rawHeaders),
        body,
      });
      response.writeHead(answer?.status ?? 200, { 'dpop-nonce': 'service', ...answer?.headers });
      response.end('from the service');
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const site = await readFile(CONFIGURATION, 'utf8');
  const ports = { latchkey: portOf(api.app.server), services: portOf(service) };
  const nginx = await startNginx((port) => withSite(site, { ...ports, nginx: port }));
  return {
    api,
    nginx,
    reached: () => seen.splice(0),
    answerWith: (wanted) => {
      answer = wanted;
    },
    ask: (question) => ask(nginx.port, question),
    credentials: async (customer, spoiled = {}) => {
      const proof = await makeProof({
        key: customer.phone.key,
        method: 'GET',
        htu: `${ORIGIN}/bank/accounts`,
        nowMs: api.clock.nowMs(),
        accessToken: customer.token,
        ...spoiled,
      });
      return [
        ['Authorization', `DPoP ${customer.token}`],
        ['DPoP', proof],
      ];
    },
    close: async () => {
      await nginx.stop();
      service.closeAllConnections();
      service.close();
      await api.close();
    },
  };
}

export async function logInSomebody(api: TestApi): Promise<LoggedIn> {
  const banker = await createBanker(api);
  const { body } = await logIn(banker, banker.phone);
  return { ...banker, sessionId: String(body.session_id), token: String(body.access_token) };
}

/** @throws Error when the file calls other lines its site's than this replaces: then this is no test of the file. */
export function withSite(
  text: string,
  ports: { readonly latchkey: number; readonly services: number; readonly nginx: number },
): string {
  const replaced: Readonly<Record<string, string>> = {
    'server 127.0.0.1:4600;': `server 127.0.0.1:${String(ports.latchkey)};`,
    'server 127.0.0.1:8080;': `server 127.0.0.1:${String(ports.services)};`,
    'listen 443 ssl;': `listen 127.0.0.1:${String(ports.nginx)};`,
    'server_name api.bank.example;': 'server_name api.bank.example;',
    'ssl_certificate /etc/nginx/tls/api.bank.example.crt;': '',
    'ssl_certificate_key /etc/nginx/tls/api.bank.example.key;': '',
    'proxy_pass http://latchkey/t/demo/gateway/verify;':
      'proxy_pass http://latchkey/t/demo/gateway/verify;',
    'proxy_set_header X-Gateway-Id bank;': 'proxy_set_header X-Gateway-Id bank;',
    'location /bank/ {': 'location /bank/ {',
  };
  const left = new Set(Object.keys(replaced));
  const lines = text.split('\n').map((line) => {
    const [directive, note] = line.split(/\s+# site/, 2);
    if (note === undefined || line.startsWith('#')) return line;
    const name = (directive ?? '').trim().replace(/\s+/g, ' ');
    if (!left.delete(name)) throw new Error(`the tests know no such line of the site: ${name}`);
    return replaced[name] ?? '';
  });
  if (left.size > 0) throw new Error(`these are no lines of the site: ${[...left].join(' ')}`);
  return lines.join('\n');
}

async function ask(port: number, question: Question): Promise<Answered> {
  const { method = 'GET', path = '/bank/accounts', headers = [], body } = question;
  return await new Promise((resolve, reject) => {
    const request = send(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        headers: [
          'Host',
          'api.bank.example',
          'Connection',
          'close',
          ...(body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body))]),
          ...headers.flat(),
        ],
      },
      (response) => {
        void bodyOf(response).then((text) => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headersDistinct,
            body: text,
          });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  return raw.flatMap((name, index) =>
    index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : [],
  );
}

function portOf(server: Server): number {
  // A TCP server's address is never a path.
  return (server.address() as AddressInfo).port;
}
