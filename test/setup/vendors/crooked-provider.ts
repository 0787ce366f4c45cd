/**
 * An OpenID provider that a test makes say whatever it likes: it signs any claims with any key and answers its token endpoint as told. It
 * shows no login page: whoever has the authorization request makes up the callback.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { listenLocally, stopServer } from '../../../runtime/local-http.ts';

export interface CrookedProvider {
  readonly issuer: string;
  /** What the next exchange does. Reset it with `honest()`. */
  wish: ProviderWish;
  honest(): void;
  /** Who came to the token endpoint, by the form fields they brought. */
  readonly exchanges: URLSearchParams[];
  /** The callback for an authorization request, with a code that fits it. */
  callbackFor(authorizationUrl: string, changes?: Readonly<Record<string, string>>): string;
  stop(): Promise<void>;
}

export interface ProviderWish {
  /** Laid over the right ID token; undefined takes a claim away. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Signs with a key that is not in the set, under the id of the one that is. */
  readonly isForged?: true;
  /** Not signed at all. */
  readonly isUnsigned?: true;
  /** Instead of tokens. */
  readonly answer?: { readonly status: number; readonly type: string; readonly body: string };
  /** The token endpoint hangs up. */
  readonly isSilent?: true;
  /** It does so wherever it is asked. */
  readonly isGone?: true;
}

const KID = 'crooked-1';

export async function startCrookedProvider(clientId: string): Promise<CrookedProvider> {
  const own = await generateKeyPair('ES256', { extractable: true });
  const strange = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(own.publicKey)), kid: KID, alg: 'ES256', use: 'sig' };
  const asked = new Map<string, URLSearchParams>();
  let issuer = '';

  const tokenFor = async (request: URLSearchParams): Promise<string> => {
    const { claims, isForged, isUnsigned } = provider.wish;
    const now = Math.floor(Date.now() / 1000);
    const right = {
      iss: issuer,
      aud: clientId,
      sub: 'crook',
      iat: now,
      exp: now + 300,
      auth_time: now,
      nonce: request.get('nonce'),
      name: 'Cora Crook',
      roles: ['bank-agent'],
      employee_id: 'C-1',
    };
    // Members that are undefined are not written.
    const payload = { ...right, ...claims } as Record<string, unknown>;
    if (isUnsigned === true) return `${encode({ alg: 'none' })}.${encode(payload)}.`;
    return await new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', kid: KID })
      .sign(isForged === true ? strange.privateKey : own.privateKey);
  };
  const exchange = async (form: URLSearchParams, response: ServerResponse) => {
    const { answer, isSilent } = provider.wish;
    provider.exchanges.push(form);
    if (isSilent === true) {
      response.destroy();
      return;
    }
    if (answer !== undefined) {
      response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
      return;
    }
    const request = asked.get(form.get('code') ?? '');
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '');
    if (request?.get('code_challenge') !== challenge.digest('base64url')) {
      send(response, 400, { error: 'invalid_grant' });
      return;
    }
    const idToken = await tokenFor(request);
    send(response, 200, { access_token: 'a', token_type: 'Bearer', id_token: idToken });
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://provider');
    if (provider.wish.isGone === true) response.destroy();
    else if (pathname === '/.well-known/openid-configuration') {
      send(response, 200, metadataOf(issuer));
    } else if (pathname === '/jwks') send(response, 200, { keys: [jwk] });
    else void readForm(request).then((form) => exchange(form, response));
  });
  const port = await listenLocally(server, { name: 'the crooked provider', port: 0 });
  issuer = `http://localhost:${String(port)}`;
  const provider: CrookedProvider = {
    issuer,
    wish: {},
    honest: () => {
      provider.wish = {};
    },
    exchanges: [],
    callbackFor: (authorizationUrl, changes = {}) => {
      const { searchParams } = new URL(authorizationUrl);
      const code = `code-${String(asked.size)}`;
      asked.set(code, searchParams);
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      const state = searchParams.get('state') ?? '';
      back.search = new URLSearchParams({ code, state, ...changes }).toString();
      return back.href;
    },
    stop: () => stopServer(server),
  };
  return provider;
}

function metadataOf(issuer: string) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
