/** An API that judges the token request and the proofs as RFC 7523 and RFC 9449 say, and records the rest: for tests of what the stage sends. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createLocalJWKSet, EmbeddedJWK, jwtVerify } from 'jose';
import { demoFraudJwks } from '../../../runtime/demo-secrets.ts';

export const ACCESS_TOKEN = 'the-access-token';

export class FakeStageApi {
  readonly requests: {
    readonly route: string;
    readonly body: string;
    readonly headers: IncomingMessage['headers'];
  }[] = [];
  readonly #seenAssertions = new Set<string>();
  #nonce = 'nonce-1';
  server: Server | undefined;
  gateway: { status: number; headers: Record<string, string> } = { status: 200, headers: {} };

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => void this.#answer(request, response, body));
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/t/demo`;
  }

  rotateNonce(): void {
    this.#nonce = `${this.#nonce}+`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, body: string): Promise<void> {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    const route = `${request.method} ${url.pathname.replace('/t/demo', '')}${url.search}`;
    const send = (status: number, content: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, {
        'dpop-nonce': this.#nonce,
        'content-type': 'application/json',
        ...headers,
      });
      response.end(JSON.stringify(content));
    };
    if (route.startsWith('GET /gateway/verify')) {
      this.requests.push({ route, body, headers: request.headers });
      send(this.gateway.status, { code: 'told by the check' }, this.gateway.headers);
      return;
    }
    const proof = String(request.headers['dpop']);
    const { payload } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' });
    if (payload['htm'] !== request.method || payload['htu'] !== `${url.origin}${url.pathname}`) {
      send(401, { error: 'wrong_proof' });
    } else if (payload['nonce'] !== this.#nonce) {
      send(route === 'POST /oauth/token' ? 400 : 401, { error: 'use_dpop_nonce' });
    } else if (route === 'POST /oauth/token') {
      await this.#answerToken(new URLSearchParams(body), `${url.origin}/t/demo`, send);
    } else if (payload['ath'] !== createHash('sha256').update(ACCESS_TOKEN).digest('base64url')) {
      send(401, { error: 'no_ath' });
    } else {
      this.requests.push({ route, body, headers: request.headers });
      if (route.startsWith('GET /ops/timeline')) {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'dpop-nonce': this.#nonce });
        response.write('id: 7\ndata: {"position":7}\n\n');
        return;
      }
      send(
        route.includes('releases') ? 409 : 202,
        { route },
        { 'content-type': 'application/problem+json' },
      );
    }
  }

  async #answerToken(
    form: URLSearchParams,
    issuer: string,
    send: (status: number, content: unknown) => void,
  ) {
    const assertion = form.get('client_assertion') ?? '';
    // The payments service asks for a token too; its own tests say with what.
    if (form.get('client_id') !== 'demo-fraud') {
      send(401, { error: 'invalid_client' });
      return;
    }
    await jwtVerify(assertion, createLocalJWKSet(demoFraudJwks()), {
      issuer: 'demo-fraud',
      subject: 'demo-fraud',
      audience: issuer,
      requiredClaims: ['jti', 'exp'],
    });
    const isSpent = this.#seenAssertions.has(assertion);
    this.#seenAssertions.add(assertion);
    send(isSpent ? 401 : 200, { access_token: ACCESS_TOKEN, token_type: 'DPoP', expires_in: 300 });
  }
}
