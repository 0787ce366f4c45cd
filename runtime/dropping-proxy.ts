/**
 * A proxy in front of the API that loses answers: the request is carried out, its whole answer arrives here, and the caller sees a
 * broken connection. It can also let requests through no more. For the stage and for fault tests; it must never change what it passes on.
 */
import { createServer, request as send } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { describeTakenPort } from './ports.ts';

const LOOPBACK = '127.0.0.1';

/** What passes on its way to the API. */
export interface PassingRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface PassingAnswer extends PassingRequest {
  readonly status: number;
}

export interface LostAnswer {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: string;
}

export interface DroppingProxy {
  readonly url: string;
  /** Loses the next answer that `isMeant`; resolves with what the caller did not see, never when the signal came before. */
  loseNextAnswer(
    isMeant: (answer: PassingAnswer) => boolean,
    signal?: AbortSignal,
  ): Promise<LostAnswer>;
  /** From now on the requests that are meant do not arrive and get no answer, until the returned function is called. */
  cut(isMeant: (request: PassingRequest) => boolean): () => void;
  stop(): Promise<void>;
}

interface Plan {
  readonly isMeant: (answer: PassingAnswer) => boolean;
  readonly resolve: (lost: LostAnswer) => void;
}

export interface DroppingProxyOptions {
  /** 0 means a free one. */
  readonly port: number;
  readonly targetPort: number;
  /** Where it listens; loopback when left out. */
  readonly host?: string;
  /** Stands in messages: "the proxy". */
  readonly purpose?: string;
}

/** Listens. @throws Error naming the holder of a taken port. */
export async function startDroppingProxy(options: DroppingProxyOptions): Promise<DroppingProxy> {
  const { port, targetPort, host = LOOPBACK, purpose = 'the proxy' } = options;
  const plans = new Set<Plan>();
  const cuts = new Set<(request: PassingRequest) => boolean>();
  const takePlan = (answer: PassingAnswer): Plan | undefined => {
    const plan = [...plans].find(({ isMeant }) => isMeant(answer));
    if (plan !== undefined) plans.delete(plan);
    return plan;
  };
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const passing = { method, path: url, headers };
    if ([...cuts].some((isMeant) => isMeant(passing))) outgoing.destroy();
    else passOn({ incoming, outgoing, targetPort }, passing, takePlan);
  });
  await listen(server, { port, host, purpose });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port was assigned');
  return {
    url: `http://localhost:${address.port}`,
    loseNextAnswer: (isMeant, signal) =>
      new Promise((resolve) => {
        const plan = { isMeant, resolve };
        plans.add(plan);
        signal?.addEventListener('abort', () => plans.delete(plan), { once: true });
      }),
    cut: (isMeant) => {
      cuts.add(isMeant);
      return () => {
        cuts.delete(isMeant);
      };
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly targetPort: number;
}

function passOn(
  { incoming, outgoing, targetPort }: Exchange,
  passing: PassingRequest,
  takePlan: (answer: PassingAnswer) => Plan | undefined,
): void {
  const upstream = send({ ...passing, host: LOOPBACK, port: targetPort }, (answer) => {
    const { statusCode: status = 502, headers } = answer;
    const plan = takePlan({ ...passing, status });
    if (plan === undefined) {
      outgoing.writeHead(status, headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
      return;
    }
    let body = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    answer.once('end', () => {
      outgoing.destroy();
      plan.resolve({ method: passing.method, path: passing.path, status, body });
    });
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.once('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

async function listen(
  server: Server,
  {
    port,
    host,
    purpose,
  }: { readonly port: number; readonly host: string; readonly purpose: string },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch(async (cause: unknown) => {
    throw new Error(await describeTakenPort(purpose, port), { cause });
  });
}
