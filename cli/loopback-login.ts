/**
 * The redirect end of a login from the command line (RFC 8252 section 7.3): a listener on loopback for one browser to come back to, and a verifier
 * of our own (RFC 7636), so that a code is worth nothing to whoever else sees it. It listens only while a login is under way.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

const LISTENER = 'http://127.0.0.1';
/** As long as the door remembers a login that was begun. */
const PATIENCE_MS = 10 * 60_000;

export interface LoopbackLogin {
  /** Where the browser is to go first. */
  readonly address: string;
  readonly verifier: string;
  /** The one-time code that the browser brought back. @throws Error on a refusal, or when nobody came */
  code(): Promise<string>;
  close(): void;
}

export async function startLoopbackLogin(door: {
  readonly url: string;
  readonly tenant: string;
}): Promise<LoopbackLogin> {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  // Whoever does not know the path cannot end the wait with a code of theirs.
  const path = `/${randomBytes(16).toString('hex')}`;
  const came = Promise.withResolvers<string>();
  // Whether anybody waits for it or not.
  came.promise.catch(() => undefined);
  const server = createServer((request, response) => {
    const outcome = outcomeOf(request, path);
    answer(response, outcome);
    if (outcome === undefined) return;
    if ('code' in outcome) came.resolve(outcome.code);
    else came.reject(new Error(`the login was refused: ${outcome.error}`));
  });
  const port = await listen(server);
  const timer = setTimeout(() => {
    came.reject(new Error('nobody logged in within ten minutes'));
  }, PATIENCE_MS);
  const query = new URLSearchParams({ cli: `http://127.0.0.1:${String(port)}${path}`, challenge });
  return {
    address: `${door.url}/t/${door.tenant}/staff/login?${query.toString()}`,
    verifier,
    code: () => came.promise,
    close: () => {
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
    },
  };
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('a port was given');
  return address.port;
}

type Outcome = { readonly code: string } | { readonly error: string };

function outcomeOf(request: IncomingMessage, path: string): Outcome | undefined {
  const address = request.url ?? '/';
  // Whatever a page or a neighbour sends here must not end the login.
  if (request.method !== 'GET' || !URL.canParse(address, LISTENER)) return undefined;
  const url = new URL(address, LISTENER);
  if (url.pathname !== path) return undefined;
  const code = url.searchParams.get('code');
  if (code !== null) return { code };
  const error = url.searchParams.get('error');
  // It goes to a terminal.
  return error === null ? undefined : { error: error.replaceAll(/[^a-z_]/g, '').slice(0, 64) };
}

function answer(response: ServerResponse, outcome: Outcome | undefined): void {
  const [status, text] =
    outcome === undefined
      ? [404, 'There is nothing here.']
      : 'code' in outcome
        ? [200, 'You are logged in. Go back to the terminal; this window can be closed.']
        : [200, 'The login was refused. Go back to the terminal; this window can be closed.'];
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    connection: 'close',
  });
  response.end(`${text}\n`);
}
