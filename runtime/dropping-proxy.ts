/**
 * A proxy in front of the API that loses answers: the request is carried out, its whole answer arrives here, and the caller sees a
 * broken connection. For fault tests; it must never change what it passes on.
 */
import { createServer, request as send } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { describeTakenPort } from './ports.ts';

const HOST = '127.0.0.1';

/** The request whose answer may get lost. */
export interface PassingRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
}

export interface LostAnswer extends PassingRequest {
  readonly status: number;
  readonly body: string;
}

export interface DroppingProxy {
  readonly url: string;
  /** Loses the answer to the next request that `isMeant`; resolves with what the caller did not see. */
  loseNextAnswer(isMeant: (request: PassingRequest) => boolean): Promise<LostAnswer>;
  stop(): Promise<void>;
}

interface Plan {
  readonly isMeant: (request: PassingRequest) => boolean;
  readonly resolve: (lost: LostAnswer) => void;
}

export async function startDroppingProxy({
  port,
  targetPort,
}: {
  readonly port: number;
  readonly targetPort: number;
}): Promise<DroppingProxy> {
  const plans: Plan[] = [];
  const server = createServer((incoming, outgoing) => {
    const passing = { method: incoming.method ?? 'GET', path: incoming.url ?? '/' };
    const index = plans.findIndex((plan) => plan.isMeant(passing));
    const [plan] = index === -1 ? [] : plans.splice(index, 1);
    passOn({ incoming, outgoing, targetPort }, passing, plan);
  });
  await listen(server, port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port was assigned');
  return {
    url: `http://localhost:${address.port}`,
    loseNextAnswer: (isMeant) =>
      new Promise((resolve) => {
        plans.push({ isMeant, resolve });
      }),
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
  plan: Plan | undefined,
): void {
  const upstream = send(
    { ...passing, host: HOST, port: targetPort, headers: incoming.headers },
    (answer) => {
      if (plan === undefined) {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        outgoing.flushHeaders();
        answer.pipe(outgoing);
        return;
      }
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      answer.once('end', () => {
        outgoing.destroy();
        plan.resolve({ ...passing, status: answer.statusCode ?? 0, body });
      });
    },
  );
  upstream.on('error', () => outgoing.destroy());
  outgoing.once('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, resolve);
  }).catch(async (cause: unknown) => {
    throw new Error(await describeTakenPort('the proxy', port), { cause });
  });
}
