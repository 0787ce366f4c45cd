/**
 * The demo bank's staff directory: an OpenID provider on loopback whose people log in with one click. It asks at each login, so that
 * `prompt` and `max_age` always lead to a new auth_time. Development only: no passwords, keys made at start, refuses production.
 */
import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { errors, interactionPolicy, Provider } from 'oidc-provider';
import type { Configuration } from 'oidc-provider';
import { systemClock } from '../adapters/clock.ts';
import { DEMO_STAFF_SECRET } from './demo-secrets.ts';
import { isForeignHost, listenLocally, readLocalBody, stopServer } from './local-http.ts';
import { directoryMemory } from './staff-directory-memory.ts';
import { directoryStyle, loginPage, trouble } from './staff-login-page.ts';
import { DEMO_PEOPLE } from './staff-people.ts';
import type { DemoPerson } from './staff-people.ts';

export const DEMO_STAFF_CLIENT = 'latchkey-operations';
/** How strongly the demo's people are authenticated: not at all, and its tokens say so. */
export const DEMO_STAFF_ACR = 'urn:latchkey:demo:one-click';

const MARK = new URL('../console/public/latchkey.svg', import.meta.url);
const INTERACTION = /^\/interaction\/[\w-]{1,64}$/;
/** Who goes for coffee before choosing starts again. */
const LOGIN_SECONDS = 10 * 60;

export interface StaffDirectoryOptions {
  /** 0 means a free one. */
  readonly port: number;
  /** Where the one client may be sent back to, exactly. */
  readonly redirectUris: readonly string[];
  /** The demo's people unless a test needs others. */
  readonly people?: readonly DemoPerson[];
  readonly onError: (error: unknown) => void;
  readonly environment?: NodeJS.ProcessEnv;
}

export interface StaffDirectory {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly people: readonly DemoPerson[];
  stop(): Promise<void>;
}

/** Listens. @throws Error in production, or naming the holder of a taken port. */
export async function startStaffDirectory(options: StaffDirectoryOptions): Promise<StaffDirectory> {
  if ((options.environment ?? process.env)['LATCHKEY_MODE'] === 'production') {
    throw new Error('the demo staff directory asks for no password: it refuses production');
  }
  const people = options.people ?? Object.values(DEMO_PEOPLE);
  // The issuer holds the port, which is known only once somebody listens.
  let handle: Handler = (_request, response) => {
    send(response, 503, 'text/plain', 'starting');
  };
  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch((error: unknown) => {
      options.onError(error);
      if (!response.headersSent) send(response, 500, 'text/html', trouble('Please start again.'));
      else response.end();
    });
  });
  const port = await listenLocally(server, { name: 'the staff directory', port: options.port });
  const issuer = `http://localhost:${port}`;
  const provider = await buildProvider(issuer, people, options);
  handle = await buildHandler(provider, people, options.redirectUris);
  return {
    issuer,
    clientId: DEMO_STAFF_CLIENT,
    clientSecret: DEMO_STAFF_SECRET,
    people,
    stop: () => stopServer(server),
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

async function buildProvider(
  issuer: string,
  people: readonly DemoPerson[],
  { redirectUris, onError }: StaffDirectoryOptions,
): Promise<Provider> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = await exportJWK(privateKey);
  const configuration: Configuration = {
    adapter: directoryMemory(systemClock),
    clients: [
      {
        client_id: DEMO_STAFF_CLIENT,
        client_secret: DEMO_STAFF_SECRET,
        client_name: 'Latchkey operations',
        redirect_uris: [...redirectUris],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
        require_auth_time: true,
        default_acr_values: [DEMO_STAFF_ACR],
      },
    ],
    jwks: { keys: [{ ...key, kid: 'demo-staff-1', alg: 'ES256', use: 'sig' }] },
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      // Cookies of localhost are shared by all its ports.
      names: {
        session: 'demo_directory',
        interaction: 'demo_directory_login',
        resume: 'demo_directory_resume',
      },
    },
    // In the ID token, not only at userinfo.
    conformIdTokenClaims: false,
    scopes: ['openid', 'profile', 'email', 'roles'],
    claims: { openid: ['sub', 'name', 'roles', 'employee_id', 'acr', 'amr'], profile: [] },
    acrValues: [DEMO_STAFF_ACR],
    pkce: { required: () => true },
    ttl: {
      Interaction: LOGIN_SECONDS,
      Session: LOGIN_SECONDS,
      Grant: LOGIN_SECONDS,
      AccessToken: LOGIN_SECONDS,
      IdToken: LOGIN_SECONDS,
    },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
    interactions: { policy: asksAtEachLogin() },
    findAccount: (_context, id) => accountOf(people.find((person) => person.id === id)),
    // The bank's own client needs nobody's consent.
    loadExistingGrant: async ({ oidc }) => {
      const accountId = oidc.session?.accountId;
      if (accountId === undefined || oidc.client === undefined) return undefined;
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId });
      grant.addOIDCScope('openid profile email roles');
      await grant.save();
      return grant;
    },
    renderError: (context, out) => {
      context.type = 'html';
      context.body = trouble(
        `The login request was refused: ${out.error_description ?? out.error}.`,
      );
    },
  };
  const provider = new Provider(issuer, configuration);
  provider.on('server_error', (_context, error) => {
    onError(error);
  });
  // The framework below it prints to the console when nobody listens; its own event is not among the provider's types.
  (provider as EventEmitter).on('error', onError);
  return provider;
}

/** Nobody is logged in by a cookie alone: a demo changes its person often. */
function asksAtEachLogin() {
  const policy = interactionPolicy.base();
  policy
    .get('login')
    ?.checks.add(
      new interactionPolicy.Check('each_login', 'a person must be chosen', ({ oidc }) =>
        oidc.result?.login === undefined
          ? interactionPolicy.Check.REQUEST_PROMPT
          : interactionPolicy.Check.NO_NEED_TO_PROMPT,
      ),
    );
  policy.remove('consent');
  return policy;
}

function accountOf(person: DemoPerson | undefined) {
  if (person === undefined) return undefined;
  const { id, name, roles, employeeId } = person;
  return {
    accountId: id,
    claims: () => ({ sub: id, name, roles: [...roles], employee_id: employeeId }),
  };
}

async function buildHandler(
  provider: Provider,
  people: readonly DemoPerson[],
  redirectUris: readonly string[],
): Promise<Handler> {
  const [style, mark] = await Promise.all([directoryStyle(), readFile(MARK, 'utf8')]);
  // Browsers hold a form's redirects, too, against form-action: the way back to the client is one, and from there to the command that began the
  // login, which listens on a port that nobody knows beforehand.
  const clients = redirectUris.map((uri) => new URL(uri).origin);
  const targets = [...new Set([...clients, 'http://127.0.0.1:*'])].join(' ');
  const policy = `default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' ${targets}`;
  const provide = provider.callback();
  return async (request, response) => {
    if (isForeignHost(request)) {
      send(response, 421, 'text/plain', 'foreign host');
      return;
    }
    const { pathname } = new URL(request.url ?? '/', provider.issuer);
    response.setHeader('content-security-policy', policy);
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('x-content-type-options', 'nosniff');
    if (pathname === '/style.css') send(response, 200, 'text/css', style);
    else if (pathname === '/mark.svg') send(response, 200, 'image/svg+xml', mark);
    else if (INTERACTION.test(pathname)) await askWho(provider, people, request, response);
    else await provide(request, response);
  };
}

async function askWho(
  provider: Provider,
  people: readonly DemoPerson[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { uid } = await provider.interactionDetails(request, response);
    if (request.method !== 'POST') {
      send(response, 200, 'text/html', loginPage(people, `/interaction/${uid}`));
      return;
    }
    const chosen = new URLSearchParams((await readLocalBody(request)) ?? '').get('person');
    const person = people.find(({ id }) => id === chosen);
    if (person === undefined) {
      send(response, 400, 'text/html', trouble('Nobody of that name works here.'));
      return;
    }
    await provider.interactionFinished(request, response, {
      login: { accountId: person.id, acr: DEMO_STAFF_ACR, amr: ['user'], remember: false },
    });
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    send(
      response,
      400,
      'text/html',
      trouble(
        'It was begun too long ago, or in another browser. Go back to Latchkey and log in again.',
      ),
    );
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
  });
  response.end(body);
}
